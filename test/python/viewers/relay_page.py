"""What watches a hand-made relay of progress: websockets' own loop of reconnecting, and the fields of such messages."""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


async def main(url):
    async for websocket in connect(url):
        try:
            async for text in websocket:
                message = json.loads(text)
                if message.get("type") == "connected":
                    print("connected", message["channel"], flush=True)
                elif message.get("status") == "PROGRESS":
                    print("progress", message["current"], message["metadata"]["loss"], flush=True)
                elif message.get("status") in ("SUCCESS", "FAILURE"):
                    result = json.dumps(message["result"])
                    print("end", message["status"], message["progress"], result, flush=True)
                elif message.get("type") == "closing":
                    print("closing", message["reason"], flush=True)
                    return
        except ConnectionClosed:
            continue


asyncio.run(main(*sys.argv[1:]))
