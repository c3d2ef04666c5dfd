"""What cannot be sent is in files, and `sync` sends it, whatever became of the training."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support.gate import Gate
from support.processes import PACKAGE, Trainer, free_port, until
from support.tasks import kinds, new_task, steps, task, task_named

import epochcast
from epochcast import outbox, pipeline
from epochcast.__main__ import main as sync_main

RunPython = Callable[..., Trainer]


def sync(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "epochcast", "sync", str(folder), *args],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def spooled(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_a_run_that_was_delivered_leaves_no_file(url: str, tmp_path: Path) -> None:
    with epochcast.start(url=url, spool_dir=tmp_path) as run:
        run.log({"loss": 1})
        until("the file", lambda: spooled(tmp_path))
    assert spooled(tmp_path) == []


def test_a_thread_that_was_in_a_call_when_the_run_ended_costs_nothing(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = epochcast.start(url=url, spool_dir=tmp_path)
    put_end = pipeline.Pipeline.put_end

    def put_end_first(self: pipeline.Pipeline, item: pipeline.Item) -> None:
        put_end(self, item)
        self.put(("error", None, time.time(), "late", None))

    monkeypatch.setattr(pipeline.Pipeline, "put_end", put_end_first)
    run.success()
    assert spooled(tmp_path) == []
    assert caplog.text == ""
    assert task(url, str(run.task_id))["status"] == "SUCCESS"


def test_a_server_that_is_away_from_start_to_end_gets_all_by_sync(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("EPOCHCAST_SPOOL_DIR", str(tmp_path / "spool"))
    away = f"http://127.0.0.1:{free_port()}/graphql"
    with epochcast.start("away", url=away) as run:
        for step in range(2500):
            run.log({"loss": step}, step=step)
        run.member("rank-1").log({"loss": 1}, step=1)
    assert f"python -m epochcast sync {tmp_path / 'spool'}" in caplog.text

    # The file's own URL is used, whatever the environment says.
    monkeypatch.setenv("EPOCHCAST_URL", url)
    failed = sync(tmp_path / "spool")
    assert (failed.returncode, len(spooled(tmp_path / "spool"))) == (1, 1)
    assert f"0 reports sent, not all ({away}: ConnectionRefusedError: " in failed.stdout
    done = sync(tmp_path / "spool", "--url", url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2502 reports sent" in done.stdout
    assert spooled(tmp_path / "spool") == []
    task_id = task_named(url, "away")
    assert steps(url, task_id) == list(range(2500))
    assert steps(url, task_id, "rank-1") == [1]
    assert task(url, task_id)["status"] == "SUCCESS"
    assert sync(tmp_path / "spool").stdout == "0 of 0 files sent\n"


def test_a_training_that_ends_before_its_file_is_open_leaves_it_to_sync(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_at_once = pipeline.Pipeline._open_spool

    def open_at_the_end(self: pipeline.Pipeline) -> outbox.SpoolFile | None:
        until("the end", lambda: self._closing)
        return open_at_once(self)

    monkeypatch.setattr(pipeline.Pipeline, "_open_spool", open_at_the_end)
    run = epochcast.start("short", url=f"http://127.0.0.1:{free_port()}/graphql", spool_dir=tmp_path)
    run.log({"loss": 1}, step=1)
    run.success()
    sent = sync(tmp_path, "--url", url)
    assert (sent.returncode, sent.stderr) == (0, "")
    assert spooled(tmp_path) == []
    assert task(url, task_named(url, "short"))["status"] == "SUCCESS"


TRAINING = """
import epochcast, itertools, time
run = epochcast.start("killed")
for step in itertools.count():
    run.log({"loss": step}, step=step)
    if step % 1000 == 0: print(step)
    if step == LAST:
        run.flush(0.5)
        print("waits")
        time.sleep(600)
"""


@pytest.mark.parametrize("mode", ["pass", "lose", "hang"])
def test_what_a_killed_training_reported_is_sent_once(
    gate: Gate, url: str, tmp_path: Path, run_python: RunPython, mode: str
) -> None:
    gate.mode = mode
    name = f"killed {mode}"
    env = {"EPOCHCAST_URL": gate.url, "EPOCHCAST_SPOOL_DIR": str(tmp_path)}
    trainer = run_python(TRAINING.replace("LAST", "3000").replace('"killed"', repr(name)), **env)
    trainer.wait_for_line("waits")
    # Its own file is not taken from it.
    assert "still running" in sync(tmp_path).stderr
    trainer.signal(signal.SIGKILL)
    trainer.ended()

    gate.mode = "pass"
    done = sync(tmp_path)
    assert done.returncode == 0, done.stderr
    assert steps(url, task_named(url, name)) == list(range(3001))
    assert spooled(tmp_path) == []


def test_a_training_that_is_killed_in_its_work_loses_only_its_last_moment(
    gate: Gate, url: str, tmp_path: Path, run_python: RunPython
) -> None:
    env = {"EPOCHCAST_URL": gate.url, "EPOCHCAST_SPOOL_DIR": str(tmp_path)}
    code = TRAINING.replace("LAST", "-1").replace('"killed"', '"killed at work"')
    trainer = run_python(code, **env)
    trainer.wait_for_line("20000")
    trainer.signal(signal.SIGKILL)
    trainer.ended()
    assert sync(tmp_path).returncode == 0
    found = steps(url, task_named(url, "killed at work"))
    assert found == list(range(len(found)))


FULL = """
import resource, signal, epochcast
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (MOST, MOST))
with epochcast.attach() as run:
    for step in range(3000):
        run.log({"loss": step}, step=step)
    print("trained")
    input()
"""


@pytest.mark.parametrize("limit", [0, 50, 30_000])
def test_a_full_disk_costs_nothing_while_the_server_comes_back(
    gate: Gate, url: str, tmp_path: Path, limit: int
) -> None:
    """Also where not even the head of a file can be written, or only half of it."""
    gate.mode = 503
    task_id = new_task(url)
    code = FULL.replace("MOST", str(limit)).replace("input()", "import sys; sys.stdin.readline()")
    env = {"EPOCHCAST_URL": gate.url, "EPOCHCAST_SPOOL_DIR": str(tmp_path), "EPOCHCAST_TASK_ID": task_id}
    trainer = Trainer(code, env, stdin=subprocess.PIPE)
    try:
        trainer.wait_for_line("trained")
        gate.mode = "pass"
        code_, _out, err = trainer.ended("\n")
    finally:
        trainer.kill()
    assert code_ == 0, err
    assert err.count("epochcast:") - err.count("cannot be delivered yet") == 1, err
    assert steps(url, task_id) == list(range(3000))
    assert task(url, task_id)["status"] == "SUCCESS"
    assert spooled(tmp_path) == []


def test_a_spool_that_cannot_be_made_is_said_and_the_rest_goes_on(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with epochcast.start(url=url, spool_dir=tmp_path / "file") as run:
        run.log({"loss": 1}, step=1)
    assert "only memory is used" in caplog.text
    assert steps(url, str(run.task_id)) == [1]


@pytest.mark.parametrize("method", ["__init__", "append"])
def test_a_disk_that_hangs_holds_no_training_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    hangs = threading.Event()

    def hang(*_: object) -> None:
        hangs.wait()
        raise OSError("it hung")

    monkeypatch.setattr(outbox.SpoolFile, method, hang)
    monkeypatch.setattr(pipeline, "FLUSH_SECONDS", 0.5)
    monkeypatch.setattr(pipeline, "SPOOLED_FLUSH_SECONDS", 0.5)

    def train() -> None:
        run = epochcast.start(url=f"http://127.0.0.1:{free_port()}/graphql", spool_dir=tmp_path)
        run.log({"loss": 1}, step=1)
        run.success()

    training = threading.Thread(target=train, daemon=True)
    training.start()
    training.join(30)
    hung = training.is_alive()
    hangs.set()
    assert not hung
    assert "the training is over and 2 reports could not be delivered" in caplog.text


def test_a_file_that_is_large_enough_is_used_up(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "TRIM_SPOOL_BYTES", 5000)
    run = epochcast.start(url=url, spool_dir=tmp_path)
    sizes = []
    for step in range(200):
        run.log({"loss": step}, step=step)
        if step % 20 == 19:
            assert run.flush(60)
            sizes.append(os.path.getsize(tmp_path / spooled(tmp_path)[0]))
    run.success()
    assert max(sizes) < 8000
    assert sizes != sorted(sizes)
    assert steps(url, str(run.task_id)) == list(range(200))


def test_a_file_whose_last_line_is_delivered_in_part_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part at a time is delivered where one report of a batch is refused."""
    monkeypatch.setattr(outbox, "TRIM_SPOOL_BYTES", 10)
    path = str(tmp_path / "run.epochcast")
    killed = outbox.SpoolFile(path, {})
    box = outbox.Outbox(killed)
    box.append(outbox.Batch(1, 3, None, "[1,2,3]"))
    assert box.oldest() is not None
    box.confirm(2)
    killed.abandon()
    left = outbox.SpoolFile(path, None)
    assert left.next() == outbox.Batch(3, 1, None, "[3]")
    left.close()


def test_a_file_at_its_bound_leaves_the_rest_to_memory(
    gate: Gate, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MAX_SPOOL_BYTES", 10_000)
    gate.mode = 503
    task_id = new_task(url)
    run = epochcast.attach(task_id, url=gate.url, spool_dir=tmp_path)
    for step in range(1000):
        run.log({"loss": step}, step=step)
    until("what is in memory", lambda: run._pipeline and run._pipeline.outbox.reports_in_memory())
    assert os.path.getsize(tmp_path / spooled(tmp_path)[0]) <= 10_000
    gate.mode = "pass"
    monkeypatch.setattr(pipeline, "FLUSH_SECONDS", 60.0)
    monkeypatch.setattr(pipeline, "SPOOLED_FLUSH_SECONDS", 60.0)
    run.success()
    assert steps(url, task_id) == list(range(1000))


def test_sync_says_what_is_no_spool_file_and_sends_the_others(url: str, tmp_path: Path) -> None:
    away = f"http://127.0.0.1:{free_port()}/graphql"
    with epochcast.start("beside rubbish", url=away, spool_dir=tmp_path) as run:
        run.log({"loss": 1}, step=1)
    (tmp_path / "0-rubbish.epochcast").write_bytes(b"\xff\xfe rubbish")
    (tmp_path / "0-empty.epochcast").write_bytes(b"")
    (file,) = (tmp_path / name for name in spooled(tmp_path) if "-" in name and not name.startswith("0-"))
    with file.open("ab") as torn:
        torn.write(b'3 1 null\t[{"progress":{"curr')  # a line that SIGKILL cut
    done = sync(tmp_path, "--url", url)
    assert done.returncode == 1
    assert done.stderr.count("no spool file") == 2
    assert steps(url, task_named(url, "beside rubbish")) == [1]
    assert kinds(url, task_named(url, "beside rubbish"))[-1] == "TrainingSucceeded"


def test_what_a_server_refuses_whoever_asks_is_left_to_sync(gate: Gate, url: str, tmp_path: Path) -> None:
    gate.mode = 404
    extensions = {"code": "NOT_FOUND", "retryable": False}
    gate.body = json.dumps(
        {"errors": [{"message": "GraphQL is elsewhere", "extensions": extensions}]}
    ).encode()
    for run in (
        epochcast.start("left by a refusal", url=gate.url, spool_dir=tmp_path),
        epochcast.attach(new_task(url, name="left by one, too"), url=gate.url, spool_dir=tmp_path),
    ):
        run.log({"loss": 1}, step=1)
        run.success()
    assert len(spooled(tmp_path)) == 2
    assert "NOT_FOUND: GraphQL is elsewhere" in sync(tmp_path).stdout
    assert sync(tmp_path, "--url", url).returncode == 0
    for name in ("left by a refusal", "left by one, too"):
        assert task(url, task_named(url, name))["status"] == "SUCCESS"


def test_what_a_server_refuses_for_good_is_put_aside(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = epochcast.attach("no such task", url=url, spool_dir=tmp_path)
    run.log({"loss": 1})
    run.success()
    (name,) = spooled(tmp_path)
    assert name.endswith(".refused")
    assert f"what was refused is kept in {tmp_path / name}" in caplog.text


@pytest.mark.parametrize("mode", ["refused", "forbidden", "proxy"])
def test_sync_says_why_a_server_takes_nothing(gate: Gate, tmp_path: Path, mode: str) -> None:
    away = f"http://127.0.0.1:{free_port()}/graphql"
    with epochcast.attach("no such task", url=away, spool_dir=tmp_path) as run:
        run.log({"loss": 1})
    said = "the server responded with 502"
    if mode == "refused":
        said = "what was reported last is refused: TASK_NOT_FOUND: "
    elif mode == "forbidden":
        gate.mode = 403
        extensions = {"code": "FORBIDDEN", "retryable": False}
        gate.body = json.dumps({"errors": [{"message": "not yours", "extensions": extensions}]}).encode()
        said = "FORBIDDEN: not yours"
    else:
        gate.mode = 502
    failed = sync(tmp_path, "--url", gate.url)
    assert failed.returncode == 1
    assert f"0 reports sent, not all ({gate.url}: {said}" in failed.stdout
    (name,) = spooled(tmp_path)
    assert name.endswith(".refused") == ("the file is put aside" in failed.stdout) == (mode == "refused")


def test_sync_keeps_a_file_that_cannot_be_read(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    away = f"http://127.0.0.1:{free_port()}/graphql"
    with epochcast.start("cannot be read", url=away, spool_dir=tmp_path) as run:
        run.log({"loss": 1})

    def fail(_self: outbox.SpoolFile) -> None:
        raise OSError("the disk is away")

    (name,) = spooled(tmp_path)
    monkeypatch.setattr(outbox.SpoolFile, "next", fail)
    monkeypatch.setattr(sys, "argv", ["epochcast", "sync", str(tmp_path), "--url", url])
    assert sync_main() == 1
    assert "not all (the file: OSError: the disk is away)" in capsys.readouterr().out
    assert spooled(tmp_path) == [name]


def test_flush_of_what_is_left_to_sync_is_false_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "SPOOLED_FLUSH_SECONDS", 60.0)
    run = epochcast.start("left", url=f"http://127.0.0.1:{free_port()}/graphql", spool_dir=tmp_path)
    run.log({"loss": 1})
    run.success()
    began = time.monotonic()
    assert not run.flush(3600)
    assert time.monotonic() - began < 60


def test_flush_of_what_went_through_the_file_is_true(url: str, tmp_path: Path) -> None:
    with epochcast.start(url=url, spool_dir=tmp_path) as run:
        run.log({"loss": 1})
    assert run.flush(60)
    assert spooled(tmp_path) == []


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    done = sync(tmp_path / "nothing")
    assert done.returncode == 2
    assert "nothing" in done.stderr
