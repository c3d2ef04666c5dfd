"""Scripts written for TensorBoard, with one line more: torch's writer, and tensorboardX's."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.processes import Trainer
from support.tasks import events, task, task_named
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import epochcast
import epochcast.tensorboard as reporting_tensorboard


@pytest.fixture(params=["torch.utils.tensorboard", "tensorboardX"])
def writer_of(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Any]:
    monkeypatch.setattr(reporting_tensorboard, "_reporter", reporting_tensorboard._Reporter())
    writer = importlib.import_module(request.param).SummaryWriter
    return lambda folder: writer(str(folder))


def reported(url: str, name: str) -> list[tuple[int, dict[str, float]]]:
    """Steps and metrics, in the order of the log."""
    return [
        (event["step"], event["metrics"])
        for event in events(url, task_named(url, name))
        if event["__typename"] == "ProgressUpdate"
    ]


def in_file(folder: Path, tag: str) -> list[tuple[int, float]]:
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return [(event.step, event.value) for event in accumulator.Scalars(tag)]


def test_scalars_are_reported_and_written_as_before(
    url: str, tmp_path: Path, writer_of: Callable[[Path], Any], request: pytest.FixtureRequest
) -> None:
    name = f"board {request.node.name}"
    with epochcast.start(name, url=url) as run:
        assert epochcast.patch("tensorboard", run)
        assert epochcast.patch("tensorboard", run)  # again, which reports nothing twice
        with writer_of(tmp_path) as writer:
            for step in range(1, 4):
                writer.add_scalar("loss/train", torch.tensor(1 / 2**step), step)
                writer.add_scalar(tag="lr", scalar_value=np.float32(0.25), global_step=step)
            writer.add_scalars("acc", {"a": 0.5, "b": 0.75}, 3)
            writer.add_histogram("weights", np.arange(8.0), 3)
            writer.add_text("note", "not a number", 3)
            writer.add_hparams({"lr": 0.25}, {"hparam/loss": 0.125})
    expected = [
        (step, metrics) for step in range(1, 4) for metrics in ({"loss/train": 1 / 2**step}, {"lr": 0.25})
    ]
    assert reported(url, name) == [*expected, (3, {"acc/a": 0.5, "acc/b": 0.75})]
    assert in_file(tmp_path, "loss/train") == [(step, 1 / 2**step) for step in range(1, 4)]
    (of_a,) = [folder for folder in (tmp_path / "acc_a", tmp_path / "acc/a") if folder.exists()]
    assert in_file(of_a, "acc") == [(3, 0.5)]


def test_writers_of_two_folders_are_told_apart(
    url: str, tmp_path: Path, writer_of: Callable[[Path], Any], request: pytest.FixtureRequest
) -> None:
    name = f"folders {request.node.name}"
    with epochcast.start(name, url=url) as run:
        epochcast.patch("tensorboard", run)
        train, val = writer_of(tmp_path / "train"), writer_of(tmp_path / "val")
        for step in (1, 2):
            train.add_scalar("loss", 1.0, 10 * step)
            val.add_scalar("loss", 2.0, step)
        train.close()
        val.close()
    expected = [(10, {"loss": 1}), (1, {"val/loss": 2}), (20, {"loss": 1}), (2, {"val/loss": 2})]
    assert reported(url, name) == expected
    assert task(url, task_named(url, name))["current"] == 20  # the second curve's x does not take it back


def test_what_the_writer_raises_it_raises_and_nothing_of_it_is_reported(
    url: str, tmp_path: Path, writer_of: Callable[[Path], Any], request: pytest.FixtureRequest
) -> None:
    name = f"raises {request.node.name}"
    with epochcast.start(name, url=url) as run, writer_of(tmp_path) as writer:
        epochcast.patch("tensorboard", run)
        with pytest.raises(Exception) as patched:
            writer.add_scalar("loss", {"no": "number"}, 1)
        with pytest.raises(type(patched.value)):
            type(writer).add_scalar._epochcast_method(writer, "loss", {"no": "number"}, 1)
        writer.add_scalar("loss", 1.0, 2)
    assert reported(url, name) == [(2, {"loss": 1})]


SCRIPT = """
import epochcast
epochcast.patch("tensorboard", name="script")

from torch.utils.tensorboard import SummaryWriter
writer = SummaryWriter(FOLDER)
for step in range(5):
    writer.add_scalar("loss", 1 / (step + 1), step)
writer.close()
"""


def test_a_script_with_one_line_more_is_a_task_that_ends(
    url: str, tmp_path: Path, run_python: Callable[..., Trainer]
) -> None:
    code, _out, err = run_python(SCRIPT.replace("FOLDER", repr(str(tmp_path))), EPOCHCAST_URL=url).ended()
    assert code == 0, err
    assert task(url, task_named(url, "script"))["status"] == "SUCCESS"
    assert [step for step, _metrics in reported(url, "script")] == [0, 1, 2, 3, 4]


def test_lightnings_own_logger_of_tensorboard_reports(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lightning.pytorch.loggers import TensorBoardLogger
    from test_lightning import Line, fit

    monkeypatch.setattr(reporting_tensorboard, "_reporter", reporting_tensorboard._Reporter())
    line = Line()
    with epochcast.start("by its logger", url=url) as run:
        epochcast.patch("tensorboard", run)
        fit(line, logger=TensorBoardLogger(tmp_path), epochs=1)
    losses = [
        metrics["train_loss_step"]
        for _step, metrics in reported(url, "by its logger")
        if "train_loss_step" in metrics
    ]
    assert losses == pytest.approx(line.seen)
