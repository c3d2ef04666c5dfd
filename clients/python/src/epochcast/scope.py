"""What a run and each of its members report. Every method returns at once, and none raises, whatever it is given."""

import time
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .notice import words_of
from .values import count, snapshot

if TYPE_CHECKING:
    from .run import Run

Metrics = Mapping[str, Any]
MAX_CALL_METRICS = 16_384


class Scope:
    """Reports of the run itself, or of one of its members: a rank, a client, a node."""

    def __init__(self, run: "Run", member: str | None) -> None:
        self._run = run
        self._member = member
        self._step = 0
        self._highest = 0  # of the steps that were logged
        self._current: Any = None  # what progress() counts, where it was called

    def log(self, metrics: Metrics, step: Any = None, *, epoch: Any = None) -> None:
        """
        Values of one step, by name: numbers, NumPy, torch, JAX and TensorFlow scalars, NaN and infinities; None is left out,
        maps within are named a/b. Without `step` it is one more than the last. A step below an earlier one (of a curve with an
        x of its own) does not take the progress back.
        """
        try:
            if not self._run._is_reporting:
                return
            at: Any = self._step + 1 if step is None else step if type(step) is int else count(step)
            self._step = at = self._step if at is None else at
            if at > self._highest:
                self._highest = at
            current = self._highest if self._current is None else self._current
            self._put("progress", current, None, at, epoch, None, self._values(metrics), None, None)
        except Exception as error:
            self._run._say("call", f"a call of log was left out, {words_of(error)}")

    def progress(
        self,
        current: Any,
        total: Any = None,
        *,
        epoch: Any = None,
        step: Any = None,
        loss: Any = None,
        metrics: Metrics | None = None,
        message: str | None = None,
        stage: str | None = None,
    ) -> None:
        """How far it is: `current` of `total`, in whatever it counts. `epoch` may be a fraction."""
        try:
            self._current = current = current if type(current) is int else count(current)
            values = None if metrics is None else self._values(metrics)
            self._put("progress", current, total, step, epoch, snapshot(loss), values, message, stage)
        except Exception as error:
            self._run._say("call", f"a call of progress was left out, {words_of(error)}")

    def epoch_end(
        self, epoch: Any, phase: str = "train", metrics: Metrics | None = None, *, step: Any = None
    ) -> None:
        """The metrics of an epoch's phase: train, val or test."""
        try:
            self._put("epochEnd", epoch, phase, self._values(metrics or {}), self._known(step))
        except Exception as error:
            self._run._say("call", f"a call of epoch_end was left out, {words_of(error)}")

    def round_end(
        self,
        round: Any,
        total_rounds: Any = None,
        *,
        fit_metrics: Metrics | None = None,
        eval_metrics: Metrics | None = None,
        step: Any = None,
    ) -> None:
        """The metrics of a round of federated learning."""
        try:
            fit, evaluation = self._values(fit_metrics or {}), self._values(eval_metrics or {})
            self._put("roundEnd", round, total_rounds, fit, evaluation, step)
        except Exception as error:
            self._run._say("call", f"a call of round_end was left out, {words_of(error)}")

    def error(self, error: BaseException | str, error_type: str | None = None) -> None:
        """Something went wrong, and the training goes on."""
        try:
            self._put("error", *told(error, error_type))
        except Exception as broken:
            self._run._say("call", f"a call of error was left out, {words_of(broken)}")

    def _known(self, step: Any) -> Any:
        """Where only steps were logged, an epoch ends at the last of them: so its curves share their x."""
        return step if step is not None or self._step == 0 else self._step

    def _values(self, metrics: Metrics) -> dict[Any, Any]:
        """As they are now: a training may change its tensors in place."""
        values = dict(metrics)
        if len(values) > MAX_CALL_METRICS:
            raise ValueError(f"{len(values)} metrics were given; expected at most {MAX_CALL_METRICS}")
        for name, value in values.items():
            if type(value) is not float:
                values[name] = snapshot(value)
        return values

    def _put(self, kind: str, *given: Any) -> None:
        pipeline = self._run._pipe()
        if pipeline is not None:
            pipeline.put((kind, self._member, time.time(), *given))


def told(error: BaseException | str, error_type: str | None) -> tuple[str, str | None]:
    if isinstance(error, BaseException):
        told = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        return told, error_type or type(error).__name__
    return str(error), error_type
