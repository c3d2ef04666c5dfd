"""Keras, LightGBM and tqdm, each real."""

import io
import os
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import lightgbm as lgb
import numpy as np
import pytest
from support.tasks import cancel, events, task, task_named

import epochcast
import epochcast.tqdm as reporting_tqdm
from epochcast.keras import EpochcastCallback
from epochcast.lightgbm import epochcast_callback

X = np.linspace(-1, 1, 64).reshape(64, 1).astype("float32")


def model() -> Any:
    line = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    line.compile(optimizer="sgd", loss="mse")
    return line


def of_kind(url: str, task_id: str, kind: str) -> list[Any]:
    return [event for event in events(url, task_id) if event["__typename"] == kind]


def test_keras_reports_batches_and_epochs_with_their_validation(url: str) -> None:
    callback = EpochcastCallback(every_n_batches=2, url=url, name="keras")
    history = model().fit(
        X, 3 * X, batch_size=8, epochs=3, validation_data=(X, 3 * X), verbose=0, callbacks=[callback]
    )
    task_id = task_named(url, "keras")
    ended = [
        (e["epoch"], e["phase"], e["step"], e["metrics"]["loss"]) for e in of_kind(url, task_id, "EpochEnded")
    ]
    expected = []
    for epoch in range(3):
        for phase, name in (("TRAIN", "loss"), ("VAL", "val_loss")):
            loss = pytest.approx(history.history[name][epoch])
            expected.append((epoch + 1, phase, 8 * (epoch + 1), loss))
    assert ended == expected
    assert [e["current"] for e in of_kind(url, task_id, "ProgressUpdate")] == list(range(2, 25, 2))
    found = task(url, task_id)
    assert (found["status"], found["total"], found["totalEpochs"]) == ("SUCCESS", 24, 3)


def test_keras_stops_when_it_is_cancelled(url: str) -> None:
    with epochcast.start("keras to stop", url=url) as run:
        assert run.flush(60)
        cancel(url, task_named(url, "keras to stop"))

        class Flushing(EpochcastCallback):
            def on_epoch_end(self, *args: Any, **kwargs: Any) -> None:
                super().on_epoch_end(*args, **kwargs)
                run.flush(60)

        history = model().fit(X, 3 * X, epochs=1000, verbose=0, callbacks=[Flushing(run)])
    assert len(history.epoch) < 1000
    assert task(url, task_named(url, "keras to stop"))["status"] == "CANCELLED"


def boost(run: epochcast.Run, rounds: int) -> tuple[Any, dict[str, Any]]:
    seen: dict[str, Any] = {}
    data = lgb.Dataset(X, label=X[:, 0])
    booster = lgb.train(
        {"objective": "regression", "metric": "l2", "verbosity": -1, "min_data_in_leaf": 1, "num_threads": 1},
        data,
        num_boost_round=rounds,
        valid_sets=[data],
        valid_names=["val"],
        callbacks=[lgb.record_evaluation(seen), epochcast_callback(run)],
    )
    return booster, seen


def test_lightgbm_reports_each_iteration(url: str) -> None:
    with epochcast.start("boosted", url=url) as run:
        _booster, seen = boost(run, 7)
    told = of_kind(url, task_named(url, "boosted"), "ProgressUpdate")
    assert [(e["current"], e["total"]) for e in told] == [(done, 7) for done in range(1, 8)]
    assert [e["metrics"]["l2"] for e in told] == pytest.approx(seen["val"]["l2"])


def test_lightgbm_stops_when_it_is_cancelled(url: str) -> None:
    with epochcast.start("boosted to stop", url=url) as run:
        assert run.flush(60)
        cancel(url, task_named(url, "boosted to stop"))
        run.log({"l2": 1})
        run.flush(60)
        booster, _seen = boost(run, 1000)
    assert booster.current_iteration() < 1000
    assert task(url, task_named(url, "boosted to stop"))["status"] == "CANCELLED"


def test_a_bar_of_tqdm_is_the_progress_of_its_run(url: str) -> None:
    drawn = io.StringIO()
    with epochcast.start("bar", url=url) as run:
        bar = reporting_tqdm.trange(20, run=run, file=drawn, mininterval=0, desc="fit")
        for i in bar:
            bar.set_postfix(loss=1 / (i + 1), name="text")
    assert "fit: 100%" in drawn.getvalue()
    found = task(url, task_named(url, "bar"))
    assert (found["status"], found["current"], found["total"], found["message"]) == ("SUCCESS", 20, 20, "fit")
    assert found["metrics"] == {"loss": 0.05}


def test_a_bar_without_a_server_is_a_bar() -> None:
    drawn = io.StringIO()
    assert list(reporting_tqdm.tqdm([1, 2, 3], file=drawn)) == [1, 2, 3]
    assert "3/3" in drawn.getvalue()
