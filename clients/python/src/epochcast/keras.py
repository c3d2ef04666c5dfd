"""Keras 3: `model.fit(…, callbacks=[EpochcastCallback()])`, with any backend."""

from collections.abc import Mapping
from typing import Any

import keras

from . import start
from .run import Run


class EpochcastCallback(keras.callbacks.Callback):  # type: ignore[misc,unused-ignore]
    """
    The logs of every so many batches, and of each epoch, those of the validation as phase val; the training stops when
    somebody cancels it. Keras tells no exceptions: the end of the process, or `with epochcast.start() as run` and
    `EpochcastCallback(run)`, reports them.
    """

    params: Any  # Keras sets them before the first call
    model: Any

    def __init__(self, run: Run | None = None, *, every_n_batches: int = 50, **starting: Any) -> None:
        """Without a run, `fit` starts one with `starting`, as `epochcast.start` takes it."""
        super().__init__()
        self.run, self._starting, self._is_given = run, starting, run is not None
        self._every_n_batches = max(1, every_n_batches)
        self._step = 0
        self._epoch = 0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        self._step = 0
        if self.run is None:
            self.run = start(**{"epochs": self.params.get("epochs"), **self._starting})

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._epoch = epoch + 1
        if self.run is not None:
            self.run.epoch_start(self._epoch, self.params.get("epochs"))

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._step += 1
        if self.run is None:
            return
        if self._step % self._every_n_batches == 0:
            steps, epochs = self.params.get("steps"), self.params.get("epochs")
            total = steps * epochs if steps and epochs else None
            self.run.progress(self._step, total, step=self._step, metrics=logs)
        if self.run.should_stop:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self.run is None:
            return
        trained, validated = {}, {}
        for name, value in (logs or {}).items():
            if name.startswith("val_"):
                validated[name.removeprefix("val_")] = value
            else:
                trained[name] = value
        self.run.epoch_end(self._epoch, "train", trained, step=self._step)
        if validated:
            self.run.epoch_end(self._epoch, "val", validated, step=self._step)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """A run that was given goes on: what comes after the training may be part of it."""
        if self.run is not None and not self._is_given:
            self.run.__exit__(None, None, None)
            self.run = None
