"""What a server has of a task."""

import json
import urllib.request
from typing import Any

from .processes import until

EVENT = """
  __typename
  ... on ProgressUpdate { current total step epoch loss message metrics member stage }
  ... on SystemSampled { member metrics }
  ... on EpochStarted { epoch totalEpochs }
  ... on EpochEnded { epoch phase metrics step member }
  ... on RoundEnded { round totalRounds fitMetrics evalMetrics member }
  ... on ErrorReported { error errorType member }
  ... on StatusChanged { status message }
"""


def query(url: str, document: str, **variables: Any) -> Any:
    body = json.dumps({"query": document, "variables": variables}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        reply = json.load(response)
    assert "errors" not in reply, reply["errors"]
    return reply["data"]


def new_task(url: str, **more: Any) -> str:
    document = "mutation ($input: StartTrainingInput!) { startTraining(input: $input) { task { id } } }"
    started = query(url, document, input={"trainer": "external", **more})
    return str(started["startTraining"]["task"]["id"])


def cancel(url: str, task_id: str) -> None:
    document = "mutation ($id: ID!) { cancelTraining(input: { taskId: $id }) { task { id } } }"
    query(url, document, id=task_id)


def task(url: str, task_id: str) -> Any:
    document = """query ($id: ID!) { task(id: $id) {
      id name status current total progress step epoch loss metrics message result params labels machineId stopReason
      totalEpochs totalRounds error { message type } } }"""
    return query(url, document, id=task_id)["task"]


def tasks(url: str, text: str) -> list[Any]:
    document = """query ($text: String) { tasks(first: 100, filter: { text: $text }) { edges { node { id name status } } } }"""
    return [edge["node"] for edge in query(url, document, text=text)["tasks"]["edges"]]


def task_named(url: str, name: str) -> str:
    """The id of the only task of a name, once it is there."""

    def of_that_name() -> list[Any]:
        return [found for found in tasks(url, name) if found["name"] == name]

    found = until(f"the task {name}", of_that_name)
    assert len(found) == 1, found
    return str(found[0]["id"])


def events(url: str, task_id: str) -> list[Any]:
    """The whole log."""
    page_of = f"pageInfo {{ hasNextPage endCursor }} edges {{ node {{ {EVENT} }} }}"
    document = (
        "query ($id: ID!, $after: Cursor) {"
        f" task(id: $id) {{ events(first: 500, after: $after) {{ {page_of} }} }} }}"
    )
    found: list[Any] = []
    after = None
    while True:
        page = query(url, document, id=task_id, after=after)["task"]["events"]
        found += [edge["node"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        after = page["pageInfo"]["endCursor"]


def steps(url: str, task_id: str, member: str | None = None) -> list[int]:
    """Of its progress, in the order of the log."""
    return [
        event["step"]
        for event in events(url, task_id)
        if event["__typename"] == "ProgressUpdate" and event["member"] == member
    ]


def kinds(url: str, task_id: str) -> list[str]:
    return [event["__typename"] for event in events(url, task_id)]


def ended(url: str, task_id: str) -> Any:
    """The task, once it has ended."""

    def find() -> Any:
        found = task(url, task_id)
        return found if found["status"] in ("SUCCESS", "FAILURE", "CANCELLED") else None

    return until("the end", find)
