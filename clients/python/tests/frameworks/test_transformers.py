"""A real Trainer of Hugging Face, with a model of a few weights made on the spot."""

from pathlib import Path
from typing import Any

import pytest
import torch
from support.tasks import cancel, ended, events, task, task_named
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

import epochcast
from epochcast.transformers import EpochcastCallback

torch.set_num_threads(1)


def trainer(folder: Path, callback: Any, epochs: int = 2, report_to: Any = ()) -> Trainer:
    config = BertConfig(
        vocab_size=16,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        max_position_embeddings=8,
    )
    rows = [{"input_ids": [i % 16, 1, 2, 3], "labels": i % 2} for i in range(32)]
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=epochs,
        per_device_train_batch_size=8,
        logging_steps=2,
        eval_strategy="epoch",
        save_strategy="no",
        report_to=report_to or [],
        use_cpu=True,
        disable_tqdm=True,
        run_name="tiny bert",
    )
    return Trainer(
        model=BertForSequenceClassification(config),
        args=arguments,
        train_dataset=rows,
        eval_dataset=rows,
        callbacks=[callback],
    )


def test_steps_epochs_and_evaluations_arrive(url: str, tmp_path: Path) -> None:
    training = trainer(tmp_path, EpochcastCallback(url=url))
    training.train()
    task_id = task_named(url, "tiny bert")
    found = task(url, task_id)
    assert (found["status"], found["current"], found["total"], found["progress"]) == ("SUCCESS", 8, 8, 100)
    logged = [entry for entry in training.state.log_history if "loss" in entry]
    told = [event for event in events(url, task_id) if event["__typename"] == "ProgressUpdate"]
    assert [(event["step"], event["loss"]) for event in told if event["loss"] is not None] == [
        (entry["step"], pytest.approx(entry["loss"])) for entry in logged
    ]
    evaluated = [entry for entry in training.state.log_history if "eval_loss" in entry]
    epochs = [event for event in events(url, task_id) if event["__typename"] == "EpochEnded"]
    assert [(event["phase"], event["epoch"], event["metrics"]["loss"]) for event in epochs] == [
        ("VAL", entry["epoch"], pytest.approx(entry["eval_loss"])) for entry in evaluated
    ]


def test_it_stops_when_it_is_cancelled(url: str, tmp_path: Path) -> None:
    with epochcast.start("hf to stop", url=url) as run:
        assert run.flush(60)
        cancel(url, task_named(url, "hf to stop"))

        class Flushing(EpochcastCallback):
            def on_log(self, *args: Any, **kwargs: Any) -> None:
                super().on_log(*args, **kwargs)
                run.flush(60)

        training = trainer(tmp_path, Flushing(run), epochs=1000)
        training.train()
    assert training.state.global_step < 4000
    assert task(url, task_named(url, "hf to stop"))["status"] == "CANCELLED"


def test_its_exception_is_the_failure_of_the_block(url: str, tmp_path: Path) -> None:
    class Failing(EpochcastCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            raise ValueError("out of memory")

    with pytest.raises(ValueError), epochcast.start("hf broken", url=url) as run:
        trainer(tmp_path, Failing(run)).train()
    assert ended(url, task_named(url, "hf broken"))["error"]["type"] == "ValueError"


def test_a_script_without_a_line_of_ours_reports_by_the_protocol_of_kubeflow(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text("none")
    with epochcast.start("kubeflow", url=url) as run:
        assert run.flush(60)
        task_id = task_named(url, "kubeflow")
        origin = url.removesuffix("/graphql")
        monkeypatch.setenv("KUBEFLOW_TRAINER_SERVER_URL", f"{origin}/kubeflow/gan:training/{task_id}")
        monkeypatch.setenv("KUBEFLOW_TRAINER_SERVER_TOKEN", str(token))
        training = trainer(tmp_path, TrainerCallback(), report_to="kubeflow")
        training.train()
        found = task(url, task_id)
        # At most one status in five seconds: the first, and the last.
        assert (found["current"], found["total"], found["progress"]) == (8, 8, 100)
        logged = [entry for entry in training.state.log_history if "loss" in entry]
        assert found["metrics"]["loss"] == pytest.approx(logged[-1]["loss"])
