"""A script written for a hand-made relay, with nothing changed but its import."""

from typing import Any

import pytest
from support.tasks import events, new_task, task

from epochcast.relay import MetricsWebSocketSender


def test_what_a_script_sends_is_in_the_log(url: str) -> None:
    task_id = new_task(url)
    host = url.removeprefix("http://").removesuffix("/graphql")
    sender = MetricsWebSocketSender(f"ws://{host}/ws/ingest?task_id={task_id}")
    sender.send_status("training", "loading data")
    for epoch in (1, 2):
        sender.send_epoch_start(epoch, 2)
        sender.send_epoch_end(epoch, "train", {"loss": 1 / epoch})
        sender.send_epoch_end(epoch=epoch, phase="val", metrics={"loss": float("nan")})
    sender.send_round_end(1, 3, fit_metrics={"loss": 0.5}, eval_metrics={"loss": 0.6})
    sender.send_error("a client was away")
    sender.send_status("completed", "the model is saved")
    told = [(event["__typename"], event.get("epoch"), event.get("phase")) for event in events(url, task_id)]
    assert told[2:] == [
        ("StatusChanged", None, None),
        ("EpochStarted", 1, None),
        ("EpochEnded", 1, "TRAIN"),
        ("EpochEnded", 1, "VAL"),
        ("EpochStarted", 2, None),
        ("EpochEnded", 2, "TRAIN"),
        ("EpochEnded", 2, "VAL"),
        ("RoundEnded", None, None),
        ("ErrorReported", None, None),
        ("StatusChanged", None, None),
        ("TrainingSucceeded", None, None),
    ]
    found = task(url, task_id)
    assert (found["status"], found["message"]) == ("SUCCESS", "the model is saved")
    assert found["metrics"]["val_loss"] == "NaN"


@pytest.mark.parametrize(("status", "end"), [("failed", "FAILURE"), ("stopped", "CANCELLED")])
def test_a_status_that_tells_an_end_is_one(url: str, status: str, end: str) -> None:
    host = url.removeprefix("http://").removesuffix("/graphql")
    sender = MetricsWebSocketSender(f"ws://{host}/ws/ingest")
    sender.send_epoch_start(1)
    sender.send_status(status, "no data")
    assert sender.run.task_id is not None
    assert task(url, sender.run.task_id)["status"] == end


@pytest.mark.parametrize("uri", [None, 7, "", "nonsense", "ws://[::1"])
def test_an_address_that_is_none_raises_nothing(uri: Any) -> None:
    sender = MetricsWebSocketSender(uri)
    sender.send_epoch_start(1)
    sender.send_status(None)
    sender.close()
