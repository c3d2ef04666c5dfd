"""Follows a training by server-sent events, over cuts and restarts:
python3 examples/follow_events.py http://localhost:4000 TASK_ID"""

import json
import sys
import time

import requests

TIMEOUT_SECONDS = (10, 60)  # to connect, and without a word: the server says something at least every 20 s


def follow(url, task_id, prefix="gan:training"):
    """Each event once, to the end of the task."""
    last_id = None
    while True:
        try:
            headers = {"Accept": "text/event-stream", "Last-Event-ID": last_id}
            address = f"{url}/events/{prefix}/{task_id}?last=100"
            with requests.get(address, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
                if response.status_code == 204:
                    return  # all of it was read before
                if 400 <= response.status_code < 500 and response.status_code != 429:
                    raise SystemExit(response.text)  # trying again does not help
                response.raise_for_status()
                for fields in events_in(response.iter_lines()):
                    if "data" in fields:
                        yield json.loads(fields["data"])
                    last_id = fields.get("id", last_id)
                    if fields.get("event") == "end":
                        return
        except requests.RequestException as error:
            print(f"reconnecting: {error}", file=sys.stderr)
        time.sleep(1)


def events_in(lines):
    """The fields of each event, once it is whole."""
    fields = {}
    for line in lines:
        name, _, value = line.decode().partition(": ")
        if line == b"":
            yield fields
            fields = {}
        elif name:  # not a comment
            fields[name] = value


if __name__ == "__main__":
    for event in follow(*sys.argv[1:]):
        print(event["type"], event.get("current", ""), event.get("loss", ""), sep="\t", flush=True)
