import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.processes import until
from support.tasks import events, new_task, task

import epochcast
from epochcast import machine


def samples(url: str, task_id: str) -> list[dict[str, Any]]:
    return [event for event in events(url, task_id) if event["__typename"] == "SystemSampled"]


def test_the_machine_of_an_external_run_is_told_and_is_no_word_of_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPOCHCAST_SYSTEM_METRICS_SECONDS", "0.2")
    task_id = new_task(url)
    run = epochcast.attach(task_id, url=url)
    until("a sample", lambda: len(samples(url, task_id)) > 0)
    assert task(url, task_id)["status"] == "QUEUED"
    run.log({"loss": 0.5}, step=1)
    run.success()
    found = samples(url, task_id)
    assert found[0]["member"] == socket.gethostname()
    metrics = found[0]["metrics"]
    assert metrics["system/memory_bytes"] > 1_000_000
    assert metrics["system/cpu_percent"] >= 0
    assert metrics["system/processes"] >= 1
    assert all(name.startswith("system/") for name in metrics)
    assert task(url, task_id)["metrics"] == {"loss": 0.5}


def test_a_look_that_fails_is_not_the_last(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPOCHCAST_SYSTEM_METRICS_SECONDS", "0.2")
    sample = machine.Sampler.sample
    failures = iter([OSError("too many open files")])

    def failing_first(self: machine.Sampler) -> machine.Metrics:
        for error in failures:
            raise error
        return sample(self)

    monkeypatch.setattr(machine.Sampler, "sample", failing_first)
    task_id = new_task(url)
    with epochcast.attach(task_id, url=url):
        until("a sample", lambda: len(samples(url, task_id)) > 0)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, 10.0),
        ({"EPOCHCAST_SYSTEM_METRICS": "0"}, None),
        ({"EPOCHCAST_SYSTEM_METRICS_SECONDS": "0"}, None),
        ({"EPOCHCAST_SYSTEM_METRICS_SECONDS": "nan"}, None),
        ({"EPOCHCAST_SYSTEM_METRICS_SECONDS": "soon"}, 10.0),
        ({"EPOCHCAST_SYSTEM_METRICS_SECONDS": "0.001"}, 0.1),
        # A launcher looks at what it has launched by itself.
        ({"EPOCHCAST_TASK_ID": "x"}, None),
        ({"EPOCHCAST_TASK_ID": "x", "EPOCHCAST_SYSTEM_METRICS": "1"}, 10.0),
    ],
)
def test_it_can_be_switched_off(env: dict[str, str], expected: float | None) -> None:
    assert machine.interval(env) == expected


def test_what_the_process_has_started_is_counted() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])"
    with subprocess.Popen([sys.executable, "-c", code], start_new_session=True) as child:
        try:
            sampler = machine.Sampler(child.pid)
            until("both processes", lambda: sampler.sample().get("system/processes") == 2)
            until("the busy one", lambda: sampler.sample().get("system/cpu_percent", 0.0) > 1)
        finally:
            os.killpg(child.pid, 9)


def test_only_the_cards_in_use_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\n"
        'case "$1" in\n'
        f'--query-compute-apps*) echo "GPU-a, 1"; echo "GPU-b, {os.getpid()}";;\n'
        '*) echo "0, GPU-a, 99, 1000, 70, 250.5"; echo "1, GPU-b, 45, 2048, 61, [N/A]";;\n'
        "esac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    sampler = machine.Sampler(os.getpid())
    sampler.sample()
    cards = {name: value for name, value in sampler.sample().items() if "gpu" in name}
    assert cards == {
        "system/gpu1_percent": 45,
        "system/gpu1_memory_bytes": 2048 * 1024**2,
        "system/gpu1_temperature_celsius": 61,
    }
