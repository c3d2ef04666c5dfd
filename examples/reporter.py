"""Reports a training to Epochcast, with Python's standard library alone."""

import json
import math
import os
import sys
import time
import traceback
import uuid
from urllib.error import HTTPError
from urllib.request import Request, urlopen

QUERY = "mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { stopRequested warnings } }"
TIMEOUT_SECONDS = 2  # to connect, and as long for each part of the response
PAUSE_SECONDS = 30  # after a call that failed, so that a server that is away costs a training little
MAX_WAITING = 200  # reports that wait for the server; more are left out
END_TRIES = 5


class Reporter:
    """Never raises. A call that got no response is repeated with the next: the server knows what it already has."""

    def __init__(self, task_id=None, url=None):
        env = os.environ  # of a training that Epochcast started, or your own
        self.url = url or env.get("EPOCHCAST_URL", "http://localhost:4000/graphql")
        self.headers = {"content-type": "application/json"}
        if env.get("EPOCHCAST_TOKEN"):
            self.headers["authorization"] = "Bearer " + env["EPOCHCAST_TOKEN"]
        self.task = {"taskId": task_id or env.get("EPOCHCAST_TASK_ID")}
        if task_id is None and "EPOCHCAST_ATTEMPT" in env:
            self.task["attempt"] = int(env["EPOCHCAST_ATTEMPT"])
            self.task["channelPrefix"] = env.get("EPOCHCAST_CHANNEL_PREFIX")
        self.producer, self.sequence, self.waiting = str(uuid.uuid4()), 1, []
        self.stop_requested, self.said, self.quiet_until = False, None, 0

    def report(self, *reports):
        """Sends reports such as {"progress": {"current": 3}}; true once the training should stop."""
        try:
            self.waiting += [plain(report) for report in reports][: MAX_WAITING - len(self.waiting)]
        except Exception as error:
            self.say(error)
        if time.monotonic() >= self.quiet_until:
            self.send()
        return self.stop_requested

    def end(self, error=None):
        """Says how the training ended: well, by an error, or because it was asked to stop."""
        if isinstance(error, KeyboardInterrupt) or (error is None and self.stop_requested):
            end = {"status": {"status": "CANCELLED", "message": "stopped"}}
        elif error is None:
            end = {"success": {}}
        else:
            text = "".join(traceback.format_exception(error))[-16_000:]
            end = {"failure": {"error": text, "errorType": type(error).__name__}}
        if self.waiting:
            self.send()  # apart, because a refusal of these must not take the end with it
        self.waiting.append(end)
        for tries_left in reversed(range(END_TRIES)):
            if self.send() or not tries_left:
                return
            time.sleep(1)

    def send(self):
        """Whether the server has taken or refused all that waited; what it refuses is left out."""
        try:
            self.stop_requested, words = self.post()
            self.sequence += len(self.waiting)
        except Refused as refusal:
            words = [refusal]
            self.producer, self.sequence = str(uuid.uuid4()), 1  # a new count for what comes next
        except Exception as error:
            self.say(error)
            self.quiet_until = time.monotonic() + PAUSE_SECONDS
            return False
        for word in words:
            self.say(word)
        self.waiting = []
        return True

    def post(self):
        call = {**self.task, "producer": self.producer, "firstSequence": self.sequence, "reports": self.waiting}
        body = json.dumps({"query": QUERY, "variables": {"input": call}}).encode()
        try:
            with urlopen(Request(self.url, body, self.headers), timeout=TIMEOUT_SECONDS) as response:
                answer = json.load(response)
        except HTTPError as error:
            if "json" not in error.headers.get("content-type", ""):
                raise
            answer = json.load(error)
        for error in answer.get("errors", []):
            is_passing = error.get("extensions", {}).get("retryable")
            raise (RuntimeError if is_passing else Refused)(error["message"])
        payload = answer["data"]["reportMetrics"]
        return payload["stopRequested"], payload["warnings"]

    def say(self, words):
        if str(words) != self.said:  # once, not at every call
            self.said = str(words)
            print("epochcast:", words, file=sys.stderr)

    def __enter__(self):
        return self

    def __exit__(self, _type, error, _traceback):
        self.end(None if isinstance(error, SystemExit) and not error.code else error)


class Refused(Exception):
    """The server's own words; trying again does not help."""


def plain(value):
    """What JSON can carry: NaN and infinities travel as strings, a tensor's number as a float."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if value is None or isinstance(value, (str, bool, int)):
        return value
    number = float(value)
    if math.isfinite(number):
        return number
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
