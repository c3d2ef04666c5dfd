"""Follows a training with gql, over cuts and restarts:
python3 examples/follow_gql.py ws://localhost:4000/graphql TASK_ID"""

import asyncio
import sys

from gql import Client, GraphQLRequest  # pip install "gql[websockets]"
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport

WATCH = """
subscription ($taskId: ID!, $after: Cursor) {
  trainingProgress(taskId: $taskId, after: $after, last: 100) {
    __typename
    cursor
    ... on ProgressUpdate { epoch step current loss }
    ... on StatusChanged { status }
    ... on EventsSkipped { count skipReason }
    ... on StreamClosing { reason }
  }
}
"""


async def follow(url, task_id):
    """Each event once, to the end of the task."""
    after = None
    while True:
        transport = WebsocketsTransport(
            url=url,
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
            ping_interval=20,  # notices a server that is gone without a word
            pong_timeout=10,
        )
        request = GraphQLRequest(WATCH, variable_values={"taskId": task_id, "after": after})
        try:
            async with Client(transport=transport) as session:
                async for result in session.subscribe(request):
                    event = result["trainingProgress"]
                    after = event["cursor"]  # where the next connection goes on
                    yield event
                    if event["__typename"] == "StreamClosing":
                        return
        except TransportQueryError as error:
            if not all(each.get("extensions", {}).get("retryable") for each in error.errors or [{}]):
                raise  # the server's own words; trying again does not help
        except (TransportError, OSError) as error:
            print(f"reconnecting: {error}", file=sys.stderr)
        await asyncio.sleep(1)


async def main():
    async for event in follow(*sys.argv[1:]):
        print(event["__typename"], event.get("current", ""), event.get("loss", ""), sep="\t", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
