"""Forks, threads, signals and the ends of processes."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from support.gate import Gate
from support.processes import Trainer, until
from support.tasks import cancel, ended, new_task, steps, task, task_named, tasks

import epochcast

RunPython = Callable[..., Trainer]


@pytest.mark.parametrize(
    ("ending", "status", "error"),
    [
        ("", "SUCCESS", None),
        ("sys.exit()", "SUCCESS", None),
        ("sys.exit(0)", "SUCCESS", None),
        ("sys.exit(3)", "FAILURE", "SystemExit"),
        ("sys.exit('no data')", "FAILURE", "SystemExit"),
        ("raise ValueError('no data')", "FAILURE", "ValueError"),
        ("raise KeyboardInterrupt", "CANCELLED", None),
        ("sys.ps1 = '>>> '", "CANCELLED", None),
    ],
)
def test_the_end_of_the_process_ends_its_run(
    url: str, run_python: RunPython, ending: str, status: str, error: str | None
) -> None:
    code = f"import sys, epochcast\nrun = epochcast.attach()\nrun.log({{'loss': 1}}, step=7)\n{ending}"
    task_id = new_task(url)
    trainer = run_python(code, EPOCHCAST_URL=url, EPOCHCAST_TASK_ID=task_id)
    _code, _out, err = trainer.ended()
    found = task(url, task_id)
    assert found["status"] == status, err
    assert (found["error"] or {}).get("type") == error
    assert steps(url, task_id) == [7]
    assert "epochcast" not in err.replace("import sys, epochcast", "")


def test_without_a_url_all_of_it_does_nothing(run_python: RunPython) -> None:
    code = """
import epochcast, threading
with epochcast.start("nothing") as run:
    run.log({"loss": 1}); run.progress(1); run.epoch_start(1); run.epoch_end(1, "train", {})
    run.round_end(1); run.status("x"); run.error("x"); run.member("a").log({"loss": 1})
    print(run.should_stop, run.task_id, run.flush(), threading.active_count())
with epochcast.attach() as run:
    run.log({"loss": 1})
"""
    assert run_python(code).ended() == (0, "False None False 1\n", "")


def test_a_process_killed_by_a_signal_is_not_held_up(url: str, run_python: RunPython) -> None:
    code = "import epochcast, time\nrun = epochcast.start('terminated')\nprint('up')\ntime.sleep(600)"
    trainer = run_python(code, EPOCHCAST_URL=url)
    trainer.wait_for_line("up")
    trainer.signal(signal.SIGTERM)
    assert trainer.ended()[0] == -signal.SIGTERM


ON_SIGTERM = """
import contextlib, epochcast, signal, sys, time
BEFORE
print(epochcast.end_on_sigterm(), epochcast.end_on_sigterm())
run = epochcast.start("NAME")
with BLOCK:
    for step in range(1, 100000):
        run.log({"loss": 1}, step=step)
        if step == 3: print("trains")
        if step >= 3: time.sleep(0.01)
"""


@pytest.mark.parametrize("block", ["run", "contextlib.nullcontext()"])
@pytest.mark.parametrize("before", ["", "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))"])
def test_sigterm_cancels_the_run_where_that_was_asked_for(
    url: str, run_python: RunPython, block: str, before: str
) -> None:
    name = f"sigterm {block[:3]} {before[:6]}"
    code = ON_SIGTERM.replace("BLOCK", block).replace("BEFORE", before).replace("NAME", name)
    trainer = run_python(code, EPOCHCAST_URL=url)
    trainer.wait_for_line("True True")
    trainer.wait_for_line("trains")
    trainer.signal(signal.SIGTERM)
    code_, _out, err = trainer.ended()
    assert (code_, err) == (7 if before else 143, "")
    found = task(url, task_named(url, name))
    assert (found["status"], found["stopReason"]) == ("CANCELLED", "interrupted by SIGTERM")
    assert steps(url, found["id"])[:3] == [1, 2, 3]


@pytest.mark.parametrize("block", ["run", "contextlib.nullcontext()"])
def test_sigterm_leaves_the_end_of_a_launched_task_to_its_launcher(
    url: str, run_python: RunPython, block: str
) -> None:
    """A queue launches none again that has reported its end."""
    task_id = new_task(url)
    code = ON_SIGTERM.replace("BLOCK", block).replace("BEFORE", "")
    trainer = run_python(code, EPOCHCAST_URL=url, EPOCHCAST_TASK_ID=task_id)
    trainer.wait_for_line("trains")
    trainer.signal(signal.SIGTERM)
    assert trainer.ended()[0] == 143
    assert task(url, task_id)["status"] == "RUNNING"
    assert steps(url, task_id)[:3] == [1, 2, 3]


def test_sigterm_comes_through_while_a_value_is_read(url: str, run_python: RunPython) -> None:
    code = """
import epochcast, time
class Slow:
    def item(self):
        print("reads")
        time.sleep(600)
epochcast.end_on_sigterm()
epochcast.start("slow value").log({"loss": Slow()})
"""
    trainer = run_python(code, EPOCHCAST_URL=url)
    trainer.wait_for_line("reads")
    trainer.signal(signal.SIGTERM)
    assert trainer.ended()[0] == 143
    assert task(url, task_named(url, "slow value"))["status"] == "CANCELLED"


@pytest.mark.parametrize("end", ["", "run.success()"])
def test_sigterm_at_the_end_does_not_cut_it_off(
    gate: Gate, url: str, run_python: RunPython, end: str
) -> None:
    name = f"late sigterm {end}"
    code = f"import epochcast, time\nepochcast.end_on_sigterm()\nrun = epochcast.start({name!r})\nrun.flush(60)\nrun.log({{'loss': 1}}, step=1)"
    gate.mode = "pass"
    code += f"\nprint('ends')\ninput()\n{end}"
    trainer = Trainer(code, {"EPOCHCAST_URL": gate.url}, stdin=subprocess.PIPE)
    try:
        trainer.wait_for_line("ends")
        task_id = task_named(url, name)
        until("its report", lambda: steps(url, task_id))
        gate.mode, calls = "hang", gate.calls
        assert trainer.child.stdin is not None
        trainer.child.stdin.write("\n")
        trainer.child.stdin.flush()
        until("the end under way", lambda: gate.calls > calls)
        trainer.signal(signal.SIGTERM)
        trainer.signal(signal.SIGTERM)
        gate.mode = "pass"
        code_, _out, err = trainer.ended()
    finally:
        trainer.kill()
    assert (code_, err.replace("epochcast: reports cannot be delivered yet", "")) == (143 if end else 0, "")
    assert task(url, task_id)["status"] == "SUCCESS"


def test_sigterm_ends_forks_and_workers_as_ever(run_python: RunPython) -> None:
    code = """
import epochcast, os, signal, threading, time
print(epochcast.end_on_sigterm())
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    os.write(writer, b"up")  # Python forgets signals that come before its fork is ready
    time.sleep(600)
os.read(reader, 2)
os.kill(child, signal.SIGTERM)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run_python(code).ended() == (0, f"True\n{-signal.SIGTERM}\n", "")


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("t = threading.Thread(target=ask); t.start(); t.join()", "main thread"),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN); ask()", "is ignored"),
    ],
)
def test_sigterm_that_cannot_be_heeded_is_said(run_python: RunPython, code: str, why: str) -> None:
    begin = "import epochcast, signal, threading\ndef ask(): print(epochcast.end_on_sigterm())\n"
    code_, out, err = run_python(begin + code).ended()
    assert (code_, out) == (0, "False\n")
    assert why in err


def test_a_signal_handler_may_report_also_amid_a_report(url: str, run_python: RunPython) -> None:
    code = """
import epochcast, itertools, signal, sys, time
run = epochcast.start("signals")
counter = itertools.count(1)
def on_alarm(*_):
    count = next(counter)
    run.member("handler").log({"count": count}, step=count)
def on_term(*_):
    run.failure("terminated", "Preempted")
    sys.exit(0)
signal.signal(signal.SIGALRM, on_alarm)
signal.signal(signal.SIGTERM, on_term)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
for step in range(5000):
    run.log({"loss": step}, step=step)
signal.setitimer(signal.ITIMER_REAL, 0)
print("handled", flush=True)
# Not signal.pause: it would miss a signal that comes just before it.
while True: time.sleep(0.01)
"""
    trainer = run_python(code, EPOCHCAST_URL=url)
    trainer.wait_for_line("handled")
    trainer.signal(signal.SIGTERM)
    assert trainer.ended()[0] == 0
    task_id = task_named(url, "signals")
    assert task(url, task_id)["error"] == {"message": "terminated", "type": "Preempted"}
    assert steps(url, task_id) == list(range(5000))
    # A handler can be interrupted by the next, before it reports.
    handled = steps(url, task_id, "handler")
    assert sorted(handled) == list(range(1, len(handled) + 1))


def test_many_threads_report_to_one_run(url: str) -> None:
    run = epochcast.start(url=url)

    def train(thread: int) -> None:
        for step in range(500):
            run.member(f"thread-{thread}").log({"loss": step}, step=step)

    threads = [threading.Thread(target=train, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.success()
    for thread in range(8):
        assert steps(url, str(run.task_id), f"thread-{thread}") == list(range(500))


FORK = """
import epochcast, os, sys
run = epochcast.start("forked")
def log(name, first):
    for step in range(first, first + 500):
        run.member(name).log({"loss": step}, step=step)
log("parent", 0)
if WITH_TASK: run.flush(60)
child = os.fork()
if child == 0:
    log("child", 0)
    END
log("parent", 500)
os.waitpid(child, 0)
run.success()
"""


@pytest.mark.parametrize(
    "end", ["sys.exit(1)", "run.flush(60); os._exit(0)", "raise ValueError('of the child')"]
)
@pytest.mark.parametrize("with_task", [True, False])
def test_a_fork_reports_for_itself_and_ends_nothing(
    url: str, run_python: RunPython, end: str, with_task: bool, tmp_path: object
) -> None:
    name = f"forked {with_task} {end[:3]}"
    code = FORK.replace("END", end).replace("WITH_TASK", str(with_task)).replace('"forked"', repr(name))
    trainer = run_python(code, EPOCHCAST_URL=url, EPOCHCAST_SPOOL_DIR=str(tmp_path))
    code_, _out, err = trainer.ended()
    assert code_ == 0, err
    task_id = task_named(url, name)
    assert steps(url, task_id, "parent") == list(range(1000))
    assert steps(url, task_id, "child") == list(range(500))
    assert task(url, task_id)["status"] == "SUCCESS"
    # Of a child that ended without a word its file is left, with nothing in it that would be sent.
    sync = run_python(
        f"import sys, runpy\nsys.argv = ['', 'sync', {str(tmp_path)!r}]\nrunpy.run_module('epochcast', run_name='__main__')"
    )
    assert sync.ended()[0] == 0
    assert os.listdir(str(tmp_path)) == []
    assert steps(url, task_id, "child") == list(range(500))


FLUSH_IN_FORKS = """
import epochcast, os
run = epochcast.start("flushed in forks")
run.log({"loss": 1}, step=1)
def in_fork(work):
    child = os.fork()
    if child == 0:
        try: print(*work(), flush=True)
        finally: os._exit(0)
    os.waitpid(child, 0)
in_fork(lambda: ["nothing yet", run.flush(60)])
in_fork(lambda: ["reported", run.member("child").log({"loss": 1}, step=1), run.flush(60)])
run.success()
in_fork(lambda: ["after the end", run.flush(60)])
"""


def test_a_fork_waits_for_what_it_has_reported_itself(url: str, run_python: RunPython) -> None:
    _code, out, err = run_python(FLUSH_IN_FORKS, EPOCHCAST_URL=url).ended()
    assert out.splitlines() == ["nothing yet True", "reported None True", "after the end True"], err


WORKERS = """
import epochcast, multiprocessing, sys

def work(run, name):
    for step in range(100):
        run.member(name).log({"loss": step}, step=step)

if __name__ == "__main__":
    run = epochcast.start("workers")
    run.flush(60)
    context = multiprocessing.get_context("METHOD")
    workers = [context.Process(target=work, args=(run, f"worker-{i}")) for i in range(2)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    run.success()
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_multiprocessing_report_until_their_end(
    url: str, tmp_path: object, run_python: RunPython, method: str
) -> None:
    path = os.path.join(str(tmp_path), "workers.py")
    with open(path, "w") as file:
        file.write(WORKERS.replace("METHOD", method).replace('"workers"', f'"workers {method}"'))
    code = f"import sys, runpy; sys.argv = [{path!r}]; runpy.run_path({path!r}, run_name='__main__')"
    trainer = run_python(code, EPOCHCAST_URL=url)
    code_, _out, err = trainer.ended()
    assert code_ == 0, err
    task_id = task_named(url, f"workers {method}")
    for i in range(2):
        assert steps(url, task_id, f"worker-{i}") == list(range(100)), err
    assert task(url, task_id)["status"] == "SUCCESS"


def test_in_a_notebook_the_next_run_ends_the_last(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "ps1", "In : ", raising=False)
    first = epochcast.start("cell", url=url)
    first.log({"loss": 1})
    second = epochcast.start("cell", url=url)
    second.log({"loss": 1})
    assert ended(url, str(first.task_id))["status"] == "CANCELLED"
    second.success()
    assert sorted(found["status"] for found in tasks(url, "cell")) == ["CANCELLED", "SUCCESS"]


def test_an_interrupt_after_a_request_to_stop_is_the_cancellation(url: str, run_python: RunPython) -> None:
    code = """
import epochcast, os, signal, time
with epochcast.start("stopped") as run:
    while not run.should_stop:
        run.log({"loss": 1})
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
"""
    trainer = run_python(code, EPOCHCAST_URL=url)
    task_id = task_named(url, "stopped")
    until("an epoch", lambda: steps(url, task_id))
    cancel(url, task_id)
    assert trainer.ended()[0] == -signal.SIGINT
    assert task(url, task_id)["status"] == "CANCELLED"
