"""A sender that keeps one socket and never reads, which websockets stops reading for, too."""

import asyncio
import json
import sys

import websockets


async def main(uri, count):
    async with websockets.connect(uri, ping_interval=None) as socket:
        for epoch in range(1, int(count) + 1):
            await socket.send("nonsense")
            await socket.send(json.dumps({"type": "epoch_end", "data": {"epoch": epoch, "metrics": {"loss": 1.0}}}))
        await asyncio.sleep(4)  # several pings of the server
        await socket.send(json.dumps({"type": "status", "data": {"status": "completed"}}))


asyncio.run(main(*sys.argv[1:]))
