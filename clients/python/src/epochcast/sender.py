"""What takes batches from the outbox to the server, in their order, each once, for as long as it takes."""

import json
import queue
import random
import threading
import time
import uuid
from dataclasses import replace
from typing import Any

from .limits import FIRST_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS, MAX_REGISTRATIONS, STOP_POLL_SECONDS
from .notice import Notices, words_of
from .outbox import Batch, Outbox
from .server import Outcome, Refusal, Reply, Server, Unavailable

REPORT = "mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { stopRequested warnings } }"
START = (
    "mutation ($input: StartTrainingInput!) {"
    " startTraining(input: $input) { reportToken task { id channelPrefix attempt } } }"
)
# Of one report, which is then replaced by a word about it; all others are of the run.
_OF_A_REPORT = frozenset(
    {
        "BAD_INPUT",
        "BAD_METRICS",
        "TOO_MANY_SERIES",
        "TOO_MANY_MEMBERS",
        "BODY_TOO_LARGE",
        "RESULT_TOO_LARGE",
        "BAD_REQUEST",
    }
)


def new_producer() -> str:
    """Names a process's count of reports: no other has the same."""
    return f"python-{uuid.uuid4()}"


class Sender:
    """
    Delivers one run. A batch whose reply was lost is repeated as it was, and the server knows by producer and number what
    it has already; what it refuses for good is replaced by an error report, so that the count goes on.
    """

    def __init__(self, server: Server, outbox: Outbox, notices: Notices, target: dict[str, Any]) -> None:
        """`target` has producer, and either task (as reportMetrics names it) or start (input of startTraining)."""
        self._server = server
        self._outbox = outbox
        self._notices = notices
        self._start: dict[str, Any] | None = target.get("start")
        self.task: dict[str, Any] | None = target.get("task")
        self._producer: str = target["producer"]
        self._base = 0  # reports before the producer's first
        self._registrations = 0
        self._token = server.token  # the report token that takes its place may start nothing
        self._failures = 0
        self._asked_at = time.monotonic()
        self._woken: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.stop_requested = False
        self.is_over = False  # the server takes nothing more
        self.has_refused = False  # a report, or a part of it, which is then passed over
        self.is_away = False
        self.problem: str | None = None  # why the last call failed, or nothing more is taken
        self.is_done = False
        self._closing = False
        self._gives_up = False

    def run(self) -> None:
        """Until the run is closed and all is delivered. Never raises."""
        try:
            while not self.is_over:
                wait = self._step()
                if wait is None:
                    if self._closing:
                        break
                    wait = STOP_POLL_SECONDS
                elif wait > 0 and self._gives_up:
                    break
                if wait > 0:
                    self._wait(wait)
        except Exception as error:
            self._notices.say("bug", f"reporting has ended by an error of its own, {words_of(error)}")
        finally:
            self.is_done = True

    def deliver(self) -> bool:
        """Sends all that there is, without another try after a failure; whether that worked."""
        while not self.is_over:
            wait = self._step()
            if wait is None:
                return True
            if wait > 0:
                return False
        return False

    def wake(self) -> None:
        self._woken.put(None)

    def close(self, *, gives_up: bool) -> None:
        """The outbox gets nothing more. `gives_up` where what is left is safe without this process."""
        self._gives_up = gives_up
        self._closing = True
        self.wake()

    def _wait(self, seconds: float) -> None:
        """While the server is away, new reports do not shorten the wait; the end of the run does, once."""
        until = time.monotonic() + seconds
        was_closing = self._closing
        while (left := until - time.monotonic()) > 0 and not self._gives_up:
            try:
                self._woken.get(timeout=left)
            except queue.Empty:
                return
            if not self.is_away or self._closing != was_closing:
                return

    def _step(self) -> float | None:
        """One call, where there is something to say: seconds to wait before the next, or None where there is nothing."""
        if self.task is None:
            return self._wait_for(self._register()) or 0.0
        batch = self._outbox.oldest()
        if batch is not None:
            return self._send(batch)
        if not self._closing and time.monotonic() - self._asked_at >= STOP_POLL_SECONDS:
            return self._ask()
        return None

    def _wait_for(self, outcome: Outcome) -> float | None:
        """Seconds until the call is to be repeated; None where it was taken, or refused."""
        if isinstance(outcome, Unavailable):
            self.is_away, self.problem = True, outcome.reason
            self._failures += 1
            if self._failures >= 2:
                self._notices.say("away", f"reports cannot be delivered yet, trying again ({outcome.reason})")
            ceiling = min(FIRST_BACKOFF_SECONDS * 2 ** min(self._failures, 20), MAX_BACKOFF_SECONDS)
            # Never at the same time as all the others that lost it.
            return max(outcome.wait or 0.0, random.uniform(ceiling / 2, ceiling))
        if self.is_away and self._failures >= 2:
            self._notices.forget("away")
        self.is_away, self.problem, self._failures = False, None, 0
        return None

    def _register(self) -> Outcome:
        outcome = self._server.call(START, json.dumps({"input": self._start}))
        if isinstance(outcome, Refusal):
            self._end(f"the run cannot be registered: {outcome.code}: {outcome.message}")
        elif isinstance(outcome, Reply):
            try:
                started = outcome.data["startTraining"]
                task = started["task"]
                self.task = {"taskId": task["id"], "channelPrefix": task["channelPrefix"]}
                self._server.token = started["reportToken"] or self._server.token
            except (KeyError, TypeError) as error:
                return Unavailable(f"the reply is not that of Epochcast, {words_of(error)}")
        return outcome

    def _ask(self) -> float | None:
        self._asked_at = time.monotonic()
        outcome = self._call(Batch(0, 0, None, "[]"))
        if isinstance(outcome, Refusal):
            return None  # the next report will tell
        return self._wait_for(outcome)

    def _call(self, batch: Batch) -> Outcome:
        task: dict[str, Any] = {**(self.task or {})}
        if batch.count:
            task.update(producer=self._producer, firstSequence=batch.first - self._base)
        if batch.member is not None:
            task["member"] = batch.member
        variables = f'{{"input":{json.dumps(task)[:-1]},"reports":{batch.reports}}}}}'
        self._asked_at = time.monotonic()
        outcome = self._server.call(REPORT, variables)
        if isinstance(outcome, Reply):
            try:
                payload = outcome.data["reportMetrics"]
                self.stop_requested = self.stop_requested or bool(payload["stopRequested"])
                for warning in payload["warnings"]:
                    self._notices.say("warning", f"the server: {warning}")
            except (KeyError, TypeError) as error:
                return Unavailable(f"the reply is not that of Epochcast, {words_of(error)}")
        return outcome

    def _send(self, batch: Batch) -> float:
        outcome = self._call(batch)
        if isinstance(outcome, Refusal):
            self.is_away, self.problem, self._failures = False, None, 0
            return self._refused(batch, outcome)
        return self._confirm_after(outcome, batch.last)

    def _confirm_after(self, outcome: Outcome, number: int) -> float:
        wait = self._wait_for(outcome)
        if wait is None:
            self._outbox.confirm(number)
        return wait or 0.0

    def _refused(self, batch: Batch, refusal: Refusal) -> float:
        code, words = refusal.code, f"{refusal.code}: {refusal.message}"
        if code == "TASK_NOT_FOUND" and self._start and self._registrations < MAX_REGISTRATIONS:
            # A server that keeps nothing was started again. The run begins again there.
            self._notices.say(
                "lost", "the server no longer has the run; it goes on there with what comes now"
            )
            self._registrations += 1
            self._server.token = self._token
            self.task = None
            return self._count_from(batch)
        if code in ("SEQUENCE_GAP", "SEQUENCE_CONFLICT"):
            self._notices.say("gap", f"the server has lost reports that it had confirmed ({words})")
            return self._count_from(batch)
        if code in ("TASK_ENDED", "STALE_ATTEMPT", "TASK_NOT_FOUND", "CHANNEL_PREFIX_NOT_ALLOWED"):
            self.stop_requested = self.stop_requested or code == "TASK_ENDED"
            self._end(f"what was reported last is refused: {words}")
            return 0.0
        if code in _OF_A_REPORT:
            return self._without_refused(batch, words)
        self.has_refused = True
        self._notices.say("refused", f"reports were refused: {words}")
        self._outbox.confirm(batch.last)
        return self._count_from(replace(batch, first=batch.last + 1))

    def _count_from(self, batch: Batch) -> float:
        """Under a name of its own, for which the server expects 1."""
        self._producer, self._base = new_producer(), batch.first - 1
        return 0.0

    def _without_refused(self, batch: Batch, words: str) -> float:
        """All or none of a call is taken, so its halves are tried apart, down to the report that is refused."""
        if batch.count > 1:
            reports = json.loads(batch.reports)
            half = batch.count // 2
            outcome = self._call(replace(batch, count=half, reports=json.dumps(reports[:half])))
            if isinstance(outcome, Refusal):
                return self._refused(replace(batch, count=half, reports=json.dumps(reports[:half])), outcome)
            return self._confirm_after(outcome, batch.first + half - 1)
        self.has_refused = True
        self._notices.say("refused", f"a report was refused: {words}")
        report = json.loads(batch.reports)[0]
        if "success" in report and report["success"].get("result") is not None:
            instead = {**report["success"], "result": None}
            outcome = self._call(replace(batch, reports=json.dumps([{"success": instead}])))
        else:
            note = {"error": f"a report was refused: {words}"[:4000], "errorType": "ReportRefused"}
            outcome = self._call(replace(batch, reports=json.dumps([{"error": note}])))
        if isinstance(outcome, Refusal):
            self._outbox.confirm(batch.last)
            return self._count_from(replace(batch, first=batch.last + 1))
        return self._confirm_after(outcome, batch.last)

    def _end(self, words: str) -> None:
        self.problem = words
        self._notices.say("over", words)
        self.is_over = True


def start_thread(run: Any, name: str) -> None:
    """A daemon: whatever it hangs on, the process can end. Raises RuntimeError where none can be started."""
    threading.Thread(target=run, name=f"epochcast-{name}", daemon=True).start()
