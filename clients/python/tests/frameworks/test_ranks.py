"""Trainings on two ranks (gloo, on the CPU): what is reported is there once, and both stop together."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.processes import PACKAGE, until
from support.tasks import cancel, ended, events, task, task_named

SUPPORT = Path(__file__).parents[1] / "support"
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(url: str, tmp_path: Path) -> Iterator[Start]:
    """Starts Python, whose ranks are in its process group, and end with it."""
    children: list[subprocess.Popen[str]] = []

    def start(*args: str) -> "subprocess.Popen[str]":
        env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        path = os.pathsep.join([str(PACKAGE), str(SUPPORT.parent)])
        env.update(PYTHONPATH=path, EPOCHCAST_URL=url, LOSSES=str(tmp_path), OMP_NUM_THREADS="1")
        child = subprocess.Popen(
            [sys.executable, *args],
            env=env,
            cwd=tmp_path,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        children.append(child)
        return child

    yield start
    for child in children:
        if child.poll() is None:
            os.killpg(child.pid, 9)
        child.communicate()


def lightning(start: Start, name: str, epochs: int, way: str) -> "subprocess.Popen[str]":
    return start(str(SUPPORT / "lightning_ranks.py"), name, str(epochs), way)


def finished(child: "subprocess.Popen[str]", code: int = 0) -> str:
    printed, _ = child.communicate(timeout=170)
    assert child.returncode == code, printed
    return printed


def progress(url: str, name: str, member: str | None) -> list[Any]:
    told = [event for event in events(url, task_named(url, name)) if event["__typename"] == "ProgressUpdate"]
    return [(event["current"], event["loss"]) for event in told if event["member"] == member]


def losses(folder: Path, rank: int) -> list[Any]:
    """What each batch's progress should be, and the epoch's, which has no loss."""
    seen = json.loads((folder / f"rank-{rank}").read_text())
    return [(batch + 1, pytest.approx(loss)) for batch, loss in enumerate(seen)]


def test_rank_zero_of_lightning_reports_for_both(url: str, start: Start, tmp_path: Path) -> None:
    finished(lightning(start, "ddp", 1, "zero"))
    assert progress(url, "ddp", None) == [*losses(tmp_path, 0), (4, None)]
    # The machine's samples have its name.
    told = (one for one in events(url, task_named(url, "ddp")) if one["__typename"] != "SystemSampled")
    assert {event.get("member") for event in told} == {None}
    found = task(url, task_named(url, "ddp"))
    assert (found["status"], found["current"], found["total"]) == ("SUCCESS", 4, 4)


@pytest.mark.parametrize("way", ["every", "given"])
def test_every_rank_of_lightning_reports_what_it_saw(
    url: str, start: Start, tmp_path: Path, way: str
) -> None:
    finished(lightning(start, f"ddp {way}", 1, way))
    assert progress(url, f"ddp {way}", None) == [*losses(tmp_path, 0), (4, None)]
    assert progress(url, f"ddp {way}", "rank-1") == [*losses(tmp_path, 1), (4, None)]
    assert ended(url, task_named(url, f"ddp {way}"))["status"] == "SUCCESS"


def test_what_lightnings_logger_logs_is_there_once(url: str, start: Start) -> None:
    finished(lightning(start, "ddp logger", 1, "logger"))
    told = [e for e in events(url, task_named(url, "ddp logger")) if e["__typename"] == "ProgressUpdate"]
    assert [e["step"] for e in told if "train_loss" in e["metrics"]] == [0, 1, 2, 3]


def test_both_ranks_of_lightning_stop_when_it_is_cancelled(url: str, start: Start, tmp_path: Path) -> None:
    child = lightning(start, "ddp to stop", 100_000, "zero")
    task_id = until("the task", lambda: task_named(url, "ddp to stop"), 100)
    cancel(url, task_id)
    printed = finished(child)
    assert "Traceback" not in printed, printed
    assert len(losses(tmp_path, 0)) == len(losses(tmp_path, 1)) < 400_000
    assert ended(url, task_id)["status"] == "CANCELLED"


def test_what_one_rank_of_lightning_raises_is_the_failure(url: str, start: Start) -> None:
    printed, _ = (child := lightning(start, "ddp broken", 1, "fails")).communicate(timeout=170)
    assert child.returncode != 0, printed
    found = ended(url, task_named(url, "ddp broken"))
    assert (found["status"], found["error"]["type"]) == ("FAILURE", "ValueError")


def torchrun(start: Start, folder: Path, name: str, epochs: int) -> "subprocess.Popen[str]":
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "0", "--standalone"]
    return start(*launcher, str(SUPPORT / "transformers_ranks.py"), str(folder), name, str(epochs))


def steps_of_ranks(folder: Path) -> list[str]:
    return [(folder / f"steps-{rank}").read_text() for rank in (0, 1)]


def test_rank_zero_of_hugging_face_reports_for_both(url: str, start: Start, tmp_path: Path) -> None:
    finished(torchrun(start, tmp_path, "hf ranks", 2))
    assert steps_of_ranks(tmp_path) == ["4", "4"]
    told = [e for e in events(url, task_named(url, "hf ranks")) if e["__typename"] == "ProgressUpdate"]
    assert [e["step"] for e in told if e["loss"] is not None] == [2, 4]
    evaluations = [e for e in events(url, task_named(url, "hf ranks")) if e["__typename"] == "EpochEnded"]
    assert [(e["phase"], e["epoch"]) for e in evaluations] == [("VAL", 1), ("VAL", 2)]
    assert task(url, task_named(url, "hf ranks"))["status"] == "SUCCESS"


def test_both_ranks_of_hugging_face_stop_when_it_is_cancelled(url: str, start: Start, tmp_path: Path) -> None:
    child = torchrun(start, tmp_path, "hf ranks to stop", 100_000)
    task_id = until("the task", lambda: task_named(url, "hf ranks to stop"), 100)
    cancel(url, task_id)
    printed = finished(child)
    first, second = steps_of_ranks(tmp_path)
    assert first == second != "200000", printed
    assert ended(url, task_id)["status"] == "CANCELLED"
