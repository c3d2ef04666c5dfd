"""Real Lightning trainings on the CPU, with servers that are well, away, or broken in mid-fit."""

import json
import logging
import signal
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from support.gate import Gate
from support.processes import ServerProcess, Trainer, free_port
from support.tasks import cancel, ended, events, new_task, steps, task, task_named
from torch.utils.data import DataLoader, TensorDataset

import epochcast
from epochcast import pipeline, sender
from epochcast.__main__ import main as run_main
from epochcast.lightning import EpochcastCallback, EpochcastLogger

torch.set_num_threads(1)
warnings.filterwarnings("ignore", module="lightning")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Line(pl.LightningModule):
    """Fits 3 x; keeps the losses that it saw."""

    def __init__(self, on_batch: Callable[["Line", int], None] = lambda _line, _batch: None) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.on_batch = on_batch
        self.seen: list[float] = []

    def loss(self, batch: Any) -> Any:
        return torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1])

    def training_step(self, batch: Any) -> Any:
        loss = self.loss(batch)
        self.on_batch(self, len(self.seen))
        self.seen.append(loss.item())
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch: Any) -> None:
        self.log("val_loss", self.loss(batch))

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def data() -> Any:
    x = torch.linspace(-1, 1, 64).reshape(64, 1)
    return DataLoader(TensorDataset(x, 3 * x), batch_size=8)


def fit(line: Line, *callbacks: Any, logger: Any = False, epochs: int = 3, **more: Any) -> pl.Trainer:
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        callbacks=list(callbacks),
        logger=logger,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        log_every_n_steps=1,
    )
    trainer.fit(line, data(), data(), **more)
    return trainer


def reported(url: str, task_id: str) -> list[tuple[Any, ...]]:
    """What of each event tells where it belongs, in the order of the log."""
    told: list[tuple[Any, ...]] = []
    for event in events(url, task_id):
        if event["__typename"] == "ProgressUpdate":
            told.append(("progress", event["current"], event["loss"]))
        elif event["__typename"] == "EpochEnded":
            told.append((event["phase"], event["epoch"], event["step"]))
        elif event["__typename"].startswith("Training"):
            told.append((event["__typename"],))
    return told


def expected(line: Line) -> list[tuple[Any, ...]]:
    """Of three epochs of eight batches, with every batch reported."""
    told: list[tuple[Any, ...]] = []
    for epoch in range(3):
        for batch in range(8 * epoch, 8 * epoch + 8):
            told.append(("progress", batch + 1, pytest.approx(line.seen[batch])))
        told.append(("VAL", epoch, 8 * epoch + 8))
        told.append(("TRAIN", epoch, 8 * epoch + 8))
        told.append(("progress", 8 * epoch + 8, None))
    return [*told, ("TrainingSucceeded",)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "MAX_BACKOFF_SECONDS", 0.05)
    monkeypatch.setattr(pipeline, "FLUSH_SECONDS", 60.0)
    monkeypatch.setattr(pipeline, "SPOOLED_FLUSH_SECONDS", 1.0)


def test_epochs_steps_and_metrics_arrive_exactly(url: str) -> None:
    line, callback = Line(), EpochcastCallback(every_n_batches=1, url=url, name="lightning")
    fit(line, callback)
    task_id = task_named(url, "lightning")
    assert reported(url, task_id) == expected(line)
    found = task(url, task_id)
    assert (found["status"], found["current"], found["total"], found["progress"]) == ("SUCCESS", 24, 24, 100)


@pytest.mark.parametrize("mode", ["hang", "lose", 401, 429, 500])
def test_a_server_that_breaks_in_mid_fit_changes_nothing(gate: Gate, url: str, mode: str | int) -> None:
    def on_batch(_line: Line, batch: int) -> None:
        if batch == 6:
            gate.mode = mode

    gate.headers = {"retry-after": "0.1"}
    task_id = new_task(url)
    with epochcast.attach(task_id, url=gate.url) as run:
        line, plain = Line(on_batch), Line()
        plain.load_state_dict(line.state_dict())
        fit(line, EpochcastCallback(run, every_n_batches=1))
        fit(plain)
        gate.mode = "pass"
    assert line.seen == plain.seen
    assert reported(url, task_id) == expected(line)


def test_a_server_that_is_killed_and_restarted_in_mid_fit_has_all(durable_server: ServerProcess) -> None:
    def on_batch(_line: Line, batch: int) -> None:
        if batch == 6:
            durable_server.kill()
        if batch == 15:
            durable_server.start()

    task_id = new_task(durable_server.url)
    line = Line(on_batch)
    with epochcast.attach(task_id, url=durable_server.url) as run:
        fit(line, EpochcastCallback(run, every_n_batches=1))
    assert reported(durable_server.url, task_id) == expected(line)


def test_a_server_that_is_absent_gets_all_by_sync(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = f"http://127.0.0.1:{free_port()}/graphql"
    line = Line()
    fit(line, EpochcastCallback(every_n_batches=1, url=away, name="absent", spool_dir=tmp_path))
    monkeypatch.setattr("sys.argv", ["epochcast", "sync", str(tmp_path), "--url", url])
    assert run_main() == 0
    assert reported(url, task_named(url, "absent")) == expected(line)


FULL = """
import json, resource, signal, sys; sys.path.insert(0, PATH)
from test_lightning import EpochcastCallback, Line, epochcast, fit
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (MOST, MOST))
def on_batch(_line, batch):
    if batch == 10:
        print("in mid-fit", flush=True)
        sys.stdin.readline()
with epochcast.attach() as run:
    line, plain = Line(on_batch), Line()
    plain.load_state_dict(line.state_dict())
    fit(line, EpochcastCallback(run, every_n_batches=1))
    fit(plain)
    print(json.dumps([line.seen, plain.seen]), flush=True)
"""


@pytest.mark.parametrize("limit", [0, 1500])
def test_a_full_disk_under_the_spool_changes_nothing(
    gate: Gate, url: str, tmp_path: Path, limit: int
) -> None:
    gate.mode = 503
    task_id = new_task(url)
    code = FULL.replace("PATH", repr(str(Path(__file__).parent))).replace("MOST", str(limit))
    env = {"EPOCHCAST_URL": gate.url, "EPOCHCAST_SPOOL_DIR": str(tmp_path), "EPOCHCAST_TASK_ID": task_id}
    trainer = Trainer(code, env, stdin=subprocess.PIPE)
    try:
        trainer.wait_for_line("in mid-fit")
        gate.mode = "pass"
        exit_code, out, err = trainer.ended("\n")
    finally:
        trainer.kill()
    assert exit_code == 0, err
    line = Line()
    line.seen, plain = json.loads(out.splitlines()[-1])
    assert line.seen == plain
    assert reported(url, task_id) == expected(line)
    assert [said for said in err.splitlines() if "memory is used" in said or "only memory" in said]


KILLED = """
import sys; sys.path.insert(0, PATH)
from test_lightning import EpochcastCallback, Line, fit
import time
def on_batch(_line, batch):
    if batch == 12:
        time.sleep(1)  # what was reported before is in the spool after 50 ms
        print("at work", flush=True)
        time.sleep(600)
fit(Line(on_batch), EpochcastCallback(every_n_batches=1, name="fit that is killed"))
"""


def test_of_a_fit_that_is_killed_sync_sends_each_report_once(
    gate: Gate, url: str, tmp_path: Path, run_python: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.mode = "lose"
    code = KILLED.replace("PATH", repr(str(Path(__file__).parent)))
    trainer = run_python(code, EPOCHCAST_URL=gate.url, EPOCHCAST_SPOOL_DIR=str(tmp_path))
    trainer.wait_for_line("at work")
    trainer.signal(signal.SIGKILL)
    trainer.ended()
    monkeypatch.setattr("sys.argv", ["epochcast", "sync", str(tmp_path), "--url", url])
    assert run_main() == 0
    currents = [
        told[1] for told in reported(url, task_named(url, "fit that is killed")) if told[0] == "progress"
    ]
    assert currents == [*range(1, 9), 8, *range(9, 13)]


def test_an_exception_is_the_failure_and_raises_as_it_would(url: str) -> None:
    def on_batch(_line: Line, batch: int) -> None:
        if batch == 9:
            raise ValueError("the sensor is broken")

    with pytest.raises(ValueError, match="the sensor is broken"):
        fit(Line(on_batch), EpochcastCallback(url=url, name="broken"))
    found = ended(url, task_named(url, "broken"))
    assert (found["status"], found["error"]["type"]) == ("FAILURE", "ValueError")


def test_it_stops_when_it_is_cancelled(url: str) -> None:
    callback = EpochcastCallback(every_n_batches=1, url=url, name="long")

    def on_batch(_line: Line, batch: int) -> None:
        if batch == 3:
            assert callback.run is not None and callback.run.flush(60)
            cancel(url, str(callback.run.task_id))
        if batch > 3 and callback.run is not None and not callback.run.should_stop:
            callback.run.flush(60)

    line = Line(on_batch)
    fit(line, callback, epochs=1000)
    assert len(line.seen) < 1000
    assert task(url, task_named(url, "long"))["status"] == "CANCELLED"


def test_it_goes_on_from_a_checkpoint_with_its_steps(url: str, tmp_path: Path) -> None:
    first = fit(Line(), EpochcastCallback(every_n_batches=1, url=url, name="begun"), epochs=1)
    first.save_checkpoint(tmp_path / "last.ckpt")
    callback = EpochcastCallback(every_n_batches=1, url=url, name="resumed")
    fit(Line(), callback, epochs=2, ckpt_path=tmp_path / "last.ckpt")
    told = reported(url, task_named(url, "resumed"))
    assert next(fields[1] for fields in told if fields[0] == "progress") == 9
    assert told[-4:-2] == [("VAL", 1, 16), ("TRAIN", 1, 16)]


def test_the_logger_logs_what_self_log_logs(url: str) -> None:
    line = Line()
    fit(line, logger=EpochcastLogger(url=url, name="logged"))
    task_id = task_named(url, "logged")
    found = [event for event in events(url, task_id) if event["__typename"] == "ProgressUpdate"]
    by_step = [
        event["metrics"]["train_loss_step"] for event in found if "train_loss_step" in event["metrics"]
    ]
    assert by_step == pytest.approx(line.seen)
    assert len([event for event in found if "val_loss" in event["metrics"]]) == 3
    assert task(url, task_id)["status"] == "SUCCESS"


def test_a_logger_and_a_callback_share_a_run(url: str) -> None:
    with epochcast.start(url=url) as run:
        fit(Line(), EpochcastCallback(run), logger=EpochcastLogger(run))
    assert run.task_id is not None
    assert task(url, run.task_id)["status"] == "SUCCESS"
    assert len(steps(url, run.task_id)) > 24
