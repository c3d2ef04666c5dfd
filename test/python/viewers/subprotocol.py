"""Connects as gql does by default, which offers two subprotocols, and prints the one that was chosen and an event."""

import asyncio
import sys

from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport


async def main(url):
    transport = WebsocketsTransport(url=url)
    async with Client(transport=transport) as session:
        print(transport.subprotocol)
        async for result in session.subscribe(gql("subscription { heartbeat { sequence } }")):
            print(result["heartbeat"]["sequence"])
            break


asyncio.run(main(*sys.argv[1:]))
