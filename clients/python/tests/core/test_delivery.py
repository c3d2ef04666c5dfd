"""Whatever servers and networks do, each report is in the log once, and in its order."""

import itertools
import json
import threading
from collections.abc import Callable

import pytest
from support.gate import Gate
from support.processes import ServerProcess, until
from support.tasks import events, kinds, new_task, steps, task
from support.tokens import SECRET, token

import epochcast
from epochcast import limits, outbox, pipeline, sender, server
from epochcast.notice import Notices


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once, and waits for a busy machine."""
    monkeypatch.setattr(sender, "FIRST_BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr(sender, "MAX_BACKOFF_SECONDS", 0.05)
    monkeypatch.setattr(pipeline, "FLUSH_SECONDS", 60.0)


def break_gate(gate: Gate, mode: str | int) -> Callable[[], None]:
    """A server that is so for some calls, and then well again."""
    calls, gate.mode = gate.calls, mode
    return lambda: (until("calls that fail", lambda: gate.calls >= calls + 3), setattr(gate, "mode", "pass"))[
        0
    ]


@pytest.mark.parametrize("mode", ["lose", "text", 401, 403, 404, 429, 500, 502, 503])
def test_a_server_that_fails_for_a_while_costs_nothing(gate: Gate, url: str, mode: str | int) -> None:
    task_id = new_task(url)
    run = epochcast.attach(task_id, url=gate.url)
    run.log({"loss": 1}, step=0)
    assert run.flush()
    mend = break_gate(gate, mode)
    for step in range(1, 1500):
        run.log({"loss": step}, step=step)
    mend()
    for step in range(1500, 1600):
        run.log({"loss": step}, step=step)
    run.success()
    assert steps(url, task_id) == list(range(1600))
    assert kinds(url, task_id)[-1] == "TrainingSucceeded"


@pytest.mark.parametrize("mode", ["lose", 500])
def test_a_start_whose_reply_is_lost_starts_one_training(gate: Gate, url: str, mode: str | int) -> None:
    mend = break_gate(gate, mode)
    run = epochcast.start(f"start with {mode}", url=gate.url)
    run.log({"loss": 1})
    assert run.task_id is None
    mend()
    run.success()
    from support.tasks import tasks

    assert [found["status"] for found in tasks(url, f"start with {mode}")] == ["SUCCESS"]


@pytest.mark.parametrize("mode", ["hang", "drip"])
def test_a_black_hole_takes_nothing_from_the_training(
    gate: Gate, url: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "IO_TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(server, "CALL_TIMEOUT_SECONDS", 0.6)
    monkeypatch.setattr(pipeline, "FLUSH_SECONDS", 0.1)
    gate.mode = mode
    task_id = new_task(url)
    run = epochcast.attach(task_id, url=gate.url)
    for step in range(3000):
        run.log({"loss": step}, step=step)
    # All calls of the training came back, though the server has not replied to any.
    assert steps(url, task_id) == []
    until("calls that were given up", lambda: gate.calls >= 2)
    gate.mode = "pass"
    monkeypatch.setattr(pipeline, "FLUSH_SECONDS", 60.0)
    run.success()
    assert steps(url, task_id) == list(range(3000))


def test_the_end_waits_for_a_black_hole_for_a_bounded_time(
    gate: Gate, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pipeline, "FLUSH_SECONDS", 0.2)
    gate.mode = "hang"
    run = epochcast.attach(new_task(url), url=gate.url)
    run.log({"loss": 1})
    run.success()
    assert "2 reports could not be delivered" in caplog.text


@pytest.mark.parametrize("given", ["header", "retryAfterMs"])
def test_a_server_is_asked_again_when_it_says_so(
    gate: Gate, url: str, given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    original = sender.Sender._wait

    def wait(self: sender.Sender, seconds: float) -> None:
        waits.append(seconds)
        original(self, min(seconds, 0.01))

    run = epochcast.attach(new_task(url), url=gate.url)
    monkeypatch.setattr(sender.Sender, "_wait", wait)
    gate.mode = 429
    if given == "header":
        gate.headers = {"retry-after": "7"}
    else:
        gate.headers = {"content-type": "application/json"}
        extensions = {"code": "RATE_LIMITED", "retryable": True, "retryAfterMs": 7000}
        gate.body = json.dumps({"errors": [{"message": "too many", "extensions": extensions}]}).encode()
    run.log({"loss": 1})
    until("a wait", lambda: 7.0 in waits)
    gate.mode = "pass"
    run.success()


def test_of_a_batch_only_what_is_refused_is_left_out_and_the_log_tells(url: str) -> None:
    """The package sends nothing that is refused, so the sender is given it."""
    from epochcast.notice import Notices
    from epochcast.outbox import Batch, Outbox

    task_id = new_task(url)
    outbox = Outbox()
    reports = [{"progress": {"current": step, "step": step}} for step in range(10)]
    reports[6]["progress"]["metrics"] = {"loss": "much"}  # type: ignore[assignment]
    outbox.append(Batch(1, 10, None, json.dumps(reports)))
    target = {"task": {"taskId": task_id}, "producer": sender.new_producer()}
    assert sender.Sender(server.Server(url, None), outbox, Notices(), target).deliver()
    assert steps(url, task_id) == [0, 1, 2, 3, 4, 5, 7, 8, 9]
    told = [event for event in events(url, task_id) if event["__typename"] == "ErrorReported"]
    assert [event["errorType"] for event in told] == ["ReportRefused"]
    assert "BAD_METRICS" in told[0]["error"]


def test_a_server_that_wants_a_token_is_not_said_to_be_away(
    gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    gate.mode, gate.headers = 401, {"content-type": "application/json"}
    extensions = {"code": "UNAUTHENTICATED", "retryable": False}
    gate.body = json.dumps({"errors": [{"message": "there is no token", "extensions": extensions}]}).encode()
    run = epochcast.start(url=gate.url)
    words = "reports cannot be delivered yet, trying again (UNAUTHENTICATED: there is no token)"
    until("a word about it", lambda: words in caplog.text)
    run._pipeline, run._has_ended = None, True  # nobody waits for its end


@pytest.mark.parametrize("starts", [True, False])
@pytest.mark.parametrize(
    ("status", "code"),
    [
        (200, "GRAPHQL_VALIDATION_FAILED"),
        (200, "FORBIDDEN"),
        (400, "DOCUMENT_NOT_TRUSTED"),
        (403, "ORIGIN_NOT_ALLOWED"),
        (404, "NOT_FOUND"),
    ],
)
def test_what_a_server_refuses_whoever_asks_waits_until_that_is_mended(
    gate: Gate, url: str, caplog: pytest.LogCaptureFixture, status: int, code: str, starts: bool
) -> None:
    gate.mode = status
    extensions = {"code": code, "retryable": False}
    gate.body = json.dumps({"errors": [{"message": "see the settings", "extensions": extensions}]}).encode()
    run = epochcast.start(url=gate.url) if starts else epochcast.attach(new_task(url), url=gate.url)
    for step in range(10):
        run.log({"loss": 1}, step=step)
    until("several tries", lambda: gate.calls >= 3)
    gate.mode = "pass"
    run.success()
    assert run.flush(60)
    assert steps(url, str(run.task_id)) == list(range(10))
    words = f"reports cannot be delivered yet, trying again ({code}: see the settings)"
    assert [record.message for record in caplog.records] == [f"epochcast: {words}"]


def test_a_task_that_is_not_there_ends_reporting_and_nothing_else(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    run = epochcast.attach("no such task", url=url)
    run.log({"loss": 1})
    until("the refusal", lambda: "TASK_NOT_FOUND" in caplog.text)
    run.log({"loss": 1})
    run.success()
    assert len(caplog.records) == 1


def test_a_task_that_has_ended_asks_to_stop(url: str) -> None:
    task_id = new_task(url)
    run = epochcast.attach(task_id, url=url)
    epochcast.attach(task_id, url=url).success()
    run.log({"loss": 1})
    # Nothing will ever be delivered, so nobody is to wait for it.
    assert not run.flush(3600)
    assert run.should_stop


@pytest.mark.parametrize("end", ["success", "failure", "cancelled", "block", "error"])
def test_flush_after_the_end_tells_that_all_is_delivered(url: str, end: str) -> None:
    run = epochcast.start(url=url)
    run.log({"loss": 1}, step=1)
    if end in ("block", "error"):
        try:
            with run:
                assert end == "block"
        except AssertionError:
            pass
    else:
        getattr(run, end)("so")
    assert [run.flush(60), run.flush(0), run.flush(0)] == [True, True, True]
    run.log({"loss": 2}, step=2)  # is no report any more
    assert run.flush(0)
    assert steps(url, str(run.task_id)) == [1]


def test_flush_after_the_end_waits_for_what_is_still_being_sent(
    gate: Gate, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "FLUSH_SECONDS", 0.1)
    gate.mode = 503
    run = epochcast.attach(new_task(url), url=gate.url)
    for step in range(2000):
        run.log({"loss": 1}, step=step)
    run.success()
    assert not run.flush(0.2)
    flushed: list[bool] = []
    threads = [threading.Thread(target=lambda: flushed.append(run.flush(60))) for _ in range(8)]
    for thread in threads:
        thread.start()
    gate.mode = "pass"
    for thread in threads:
        thread.join()
    assert flushed == [True] * 8
    assert steps(url, str(run.task_id)) == list(range(2000))
    assert kinds(url, str(run.task_id))[-1] == "TrainingSucceeded"


def test_flush_before_anything_was_reported_waits_until_the_run_is_registered(gate: Gate, url: str) -> None:
    mend = break_gate(gate, 503)
    run = epochcast.start(url=gate.url)
    assert not run.flush(0.05)
    mend()
    assert run.flush(60)
    assert run.task_id is not None
    run.success()


def test_flush_of_what_the_server_is_never_given_is_false(
    gate: Gate, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "MAX_QUEUED_REPORTS", 0)
    run = epochcast.attach(new_task(url), url=url)
    run.log({"loss": 1}, step=1)
    assert not run.flush(60)
    run.success()
    assert not run.flush(60)
    assert task(url, str(run.task_id))["status"] == "SUCCESS"


@pytest.mark.parametrize("code", ["BAD_METRICS", "QUEUE_CLOSED"])
def test_flush_of_what_the_server_refuses_is_false(gate: Gate, url: str, code: str) -> None:
    run = epochcast.attach(new_task(url), url=gate.url)
    extensions = {"code": code, "retryable": False}
    gate.body = json.dumps({"errors": [{"message": "no", "extensions": extensions}]}).encode()
    gate.mode, calls = 400, gate.calls
    run.log({"loss": 1}, step=1)
    until("a refusal", lambda: gate.calls > calls)
    gate.mode = "pass"
    assert not run.flush(60)
    run.success()
    assert not run.flush(60)


@pytest.mark.parametrize("timeout", [None, "soon", float("nan")])
def test_flush_raises_nothing(url: str, timeout: object) -> None:
    run = epochcast.attach(new_task(url), url=url)
    assert run.flush(timeout) in (True, False)  # type: ignore[arg-type]
    run.success()


def left_out(url: str, task_id: str) -> int:
    """How many reports the log says were left out."""
    told = [event["error"] for event in events(url, task_id) if event.get("errorType") == "ReportsLeftOut"]
    return sum(int(words.split()[0]) for words in told)


def test_more_than_memory_holds_is_left_out_said_once_and_told_in_the_log(
    gate: Gate, url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from epochcast import outbox

    monkeypatch.setattr(outbox, "MAX_MEMORY_BYTES", 20_000)
    task_id = new_task(url)
    gate.mode = 503
    run = epochcast.attach(task_id, url=gate.url)
    calls = itertools.count(1)
    for _ in range(3000):
        run.log({}, step=next(calls))
    until("a word about it", lambda: run.log({}, step=next(calls)) or "were left out" in caplog.text)
    gate.mode = "pass"
    run.success()
    found = steps(url, task_id)
    assert found == sorted(found)
    assert len([record for record in caplog.records if "were left out" in record.message]) == 1
    assert 0 < len(found) == next(calls) - 1 - left_out(url, task_id)
    assert task(url, task_id)["status"] == "SUCCESS"


def test_a_queue_that_is_full_leaves_out_the_newest(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gate = threading.Event()
    original = pipeline.Pipeline._some_items

    def some_items(self: pipeline.Pipeline) -> list[pipeline.Item]:
        gate.wait()
        return original(self)

    monkeypatch.setattr(pipeline.Pipeline, "_some_items", some_items)
    monkeypatch.setattr(pipeline, "MAX_QUEUED_REPORTS", 100)
    task_id = new_task(url)
    run = epochcast.attach(task_id, url=url)
    for step in range(101):
        run.log({"loss": 1}, step=step)
    gate.set()
    run.success()
    assert steps(url, task_id) == list(range(100))
    assert [record.message.split(":")[1] for record in caplog.records] == [" 1 reports were left out"]
    assert left_out(url, task_id) == 1
    assert task(url, task_id)["status"] == "SUCCESS"


def test_a_server_that_is_killed_and_comes_back_has_all(durable_server: ServerProcess) -> None:
    url = durable_server.url
    run = epochcast.start(url=url)
    for step in range(300):
        run.log({"loss": step}, step=step)
        if step == 100:
            assert run.flush(60)
            durable_server.kill()
        if step == 200:
            durable_server.start()
    run.success()
    assert run.task_id is not None
    assert steps(url, run.task_id) == list(range(300))
    assert kinds(url, run.task_id)[-1] == "TrainingSucceeded"


def test_a_server_that_forgot_the_run_gets_the_rest() -> None:
    with ServerProcess() as forgetful:
        run = epochcast.start("forgotten", url=forgetful.url)
        run.log({"loss": 1}, step=1)
        assert run.flush(60)
        forgetful.kill()
        forgetful.start()
        run.log({"loss": 2}, step=2)
        run.success()
        assert steps(forgetful.url, str(run.task_id)) == [2]
        assert task(forgetful.url, str(run.task_id))["status"] == "SUCCESS"


def test_a_run_that_was_forgotten_is_registered_with_the_callers_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ServerProcess({"EPOCHCAST_JWT_SECRET": SECRET}) as forgetful:
        run = epochcast.start("forgotten", url=forgetful.url, token=token("tasks:start tasks:report"))
        run.log({"loss": 1}, step=1)
        assert run.flush(60)
        forgetful.kill()
        forgetful.start()
        run.log({"loss": 2}, step=2)
        assert run.flush(60)
        run.success()
    assert "goes on there" in caplog.text
    assert "refused" not in caplog.text and "cannot be registered" not in caplog.text


def test_large_batches_are_compressed_and_bounded(gate: Gate, url: str) -> None:
    task_id = new_task(url)
    gate.mode = 503
    run = epochcast.attach(task_id, url=gate.url)
    for step in range(2000):
        run.progress(step, step=step, message="x" * 4000)
    gate.mode = "pass"
    run.success()
    assert steps(url, task_id) == list(range(2000))
    assert limits.MAX_BATCH_BYTES < 1024 * 1024


def test_an_end_that_comes_just_before_a_wait_is_not_missed() -> None:
    away = sender.Sender(
        server.Server("http://127.0.0.1:9/graphql", None), outbox.Outbox(), Notices(), {"producer": "p"}
    )
    away.is_away = True
    away.close(gives_up=True)
    waiting = threading.Thread(target=away._wait, args=(60.0,), daemon=True)
    waiting.start()
    waiting.join(10)
    assert not waiting.is_alive()
