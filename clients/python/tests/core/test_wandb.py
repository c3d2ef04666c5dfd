"""A script written for wandb, with nothing changed but its import."""

import shutil
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
from support.tasks import events, task, task_named

SCRIPT = """
import epochcast.wandb as wandb

wandb.init(project="vision", name="NAME", config=CONFIG, tags=["a"])
wandb.config.update(CONFIG)
wandb.define_metric("val/*", step_metric="epoch")
wandb.watch(object())
for epoch in range(wandb.config.epochs):
    wandb.log({"loss": 1 / (epoch + 1), "val": {"loss": wandb.config["lr"]}})
    if epoch == 1:
        wandb.log({"image": wandb.Image("x.png"), "extra": 7}, commit=False)
wandb.summary["best"] = 0.25
wandb.alert("slow", "it takes long")
wandb.save("model.h5")
wandb.log_artifact(wandb.Artifact("model", type="model").add_file("model.h5")).wait()
with wandb.Table(columns=["a"]) as table:
    table.add_data(wandb.util.generate_id())
ENDING
"""

SETTINGS = {"lr": 0.1, "epochs": 3}


@pytest.fixture
def script_run(url: str, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv("EPOCHCAST_URL", url)

    def execute(name: str, ending: str, config: Any = SETTINGS):  # type: ignore[no-untyped-def]
        exec(SCRIPT.replace("NAME", name).replace("ENDING", ending), {"CONFIG": config})
        return task(url, task_named(url, name))

    return execute


def test_a_script_for_wandb_reports(url: str, script_run, caplog: pytest.LogCaptureFixture) -> None:  # type: ignore[no-untyped-def]
    found = script_run("for wandb", "wandb.finish()")
    assert (found["status"], found["params"], found["labels"]) == (
        "SUCCESS",
        {"lr": 0.1, "epochs": 3},
        {"project": "vision", "tags": ["a"]},
    )
    assert found["result"] == {"loss": pytest.approx(1 / 3), "val": {"loss": 0.1}, "extra": 7, "best": 0.25}
    told = [event for event in events(url, found["id"]) if event["__typename"] == "ProgressUpdate"]
    assert [(event["step"], event["metrics"]) for event in told] == [
        (0, {"loss": 1, "val/loss": 0.1}),
        (1, {"loss": 0.5, "val/loss": 0.1}),
        (2, {"loss": pytest.approx(1 / 3), "val/loss": 0.1, "extra": 7}),
    ]
    errors = [event for event in events(url, found["id"]) if event["__typename"] == "ErrorReported"]
    assert [(event["error"], event["errorType"]) for event in errors] == [("slow: it takes long", "Alert")]
    for name in ("Image", "save", "Artifact", "log_artifact", "Table"):
        assert caplog.text.count(f"wandb.{name} is not supported") == 1


def test_a_script_that_finishes_with_a_code_has_failed(script_run) -> None:  # type: ignore[no-untyped-def]
    assert script_run("wandb with a code", "wandb.finish(exit_code=2)")["status"] == "FAILURE"


@pytest.mark.parametrize("config", [Namespace(**SETTINGS), list(SETTINGS.items())])
def test_a_config_is_what_a_script_has(script_run, config: Any) -> None:  # type: ignore[no-untyped-def]
    assert script_run(f"wandb {type(config).__name__}", "wandb.finish()", config)["params"] == SETTINGS


@pytest.mark.parametrize("odd", [7, "words", object(), Namespace])
def test_whatever_is_given_a_script_goes_on(odd: Any) -> None:
    from epochcast import wandb

    run = wandb.init(project=odd, name=odd, config=odd, tags=odd, group=odd)
    wandb.config.update(odd)
    wandb.log(odd)
    wandb.log({odd: odd}, step=odd, commit=odd)
    wandb.alert(odd, odd)
    run.anything(odd).at.all(odd)
    wandb.finish(odd)


def test_what_is_not_supported_is_empty_and_a_script_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    from epochcast import wandb

    run = wandb.init(config={"lr": 0.1}, tags=["a"])
    wandb.config.setdefaults({"lr": 0.2, "epochs": 3})
    assert wandb.config.as_dict() == {"lr": 0.1, "epochs": 3}
    run.tags += ("b",)
    assert (run.tags, run.resumed, run.starting_step) == (("a", "b"), False, 0)
    model = Path(run.dir) / "model.h5"
    model.write_text("weights")
    assert model.parent == Path(run.dir)
    assert caplog.text.count(f"it stays in {run.dir}") == 1
    assert [found.name for found in wandb.Api().runs("vision")] == []
    assert not wandb.run.sweep_id and len(wandb.Api().runs("vision")) == 0
    best = wandb.Api().run("vision/1").summary["loss"]
    best["other"] = 1
    assert f"{best:.3f}" == "<wandb.Api is not supported>"
    assert not isinstance(7, wandb.Image)
    wandb.log({"images": [wandb.Image(None)], "loss": 1})
    wandb.finish()
    shutil.rmtree(run.dir)


@pytest.mark.parametrize("where", ["mode", "environment"])
def test_a_script_that_disables_wandb_reports_nothing(
    url: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from epochcast import wandb

    monkeypatch.setenv("EPOCHCAST_URL", url)
    if where == "environment":
        monkeypatch.setenv("WANDB_MODE", "disabled")
    disabled = wandb.init(project="p", mode="disabled" if where == "mode" else None)
    wandb.log({"loss": 1})
    disabled.epochcast.flush()
    assert disabled.id is None
    wandb.finish()
    monkeypatch.delenv("WANDB_MODE", raising=False)
    online = wandb.init(project="p", mode="online")
    assert online.epochcast.flush() and online.id is not None
    wandb.finish()


def test_calls_with_one_step_are_one_report(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from epochcast import wandb

    monkeypatch.setenv("EPOCHCAST_URL", url)
    with wandb.init(name="wandb steps") as run:
        run.log({"a": 1}, step=5)
        run.log({"b": 2}, step=5)
        run.log({"a": 3}, step=9)
        run.log({"a": 4}, step=8)
    task_id = task_named(url, "wandb steps")
    told = [event for event in events(url, task_id) if event["__typename"] == "ProgressUpdate"]
    assert [(event["step"], event["metrics"]) for event in told] == [(5, {"a": 1, "b": 2}), (9, {"a": 3})]
