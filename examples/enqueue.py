import asyncio
import os

from bullmq import Queue


async def main() -> None:
    queue = Queue("training", {"connection": os.environ["REDIS_URL"]})
    data = {"trainer": "tvae", "name": "nightly", "params": {"epochs": 100}}
    job = await queue.add("nightly", data, {"attempts": 3})
    print(f"job {job.id} waits for a worker")
    await queue.close()


asyncio.run(main())
