"""A trainer's sender of a hand-made relay, as it is:  python3 examples/relay_sender.py ws://localhost:4000/ws/ingest?name=press-7"""

import asyncio
import json
import sys
from datetime import datetime

import websockets  # pip install websockets


class MetricsWebSocketSender:
    def __init__(self, uri):
        self.uri = uri

    def send(self, kind, data):
        message = {"type": kind, "timestamp": datetime.now().isoformat(), "data": data}
        asyncio.run(self.send_message(json.dumps(message)))

    async def send_message(self, text):  # over a connection of its own
        async with websockets.connect(self.uri) as socket:
            await socket.send(text)


sender = MetricsWebSocketSender(sys.argv[1])
sender.send("status", {"status": "running", "message": "loading data"})
for epoch in range(1, 4):
    sender.send("epoch_start", {"epoch": epoch, "total_epochs": 3})
    sender.send("epoch_end", {"epoch": epoch, "phase": "train", "metrics": {"loss": 0.5**epoch}})
    sender.send("epoch_end", {"epoch": epoch, "phase": "val", "metrics": {"loss": float("nan")}})
sender.send("status", {"status": "completed", "message": "the model is saved"})
