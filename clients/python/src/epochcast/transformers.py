"""Hugging Face Trainer: `Trainer(callbacks=[EpochcastCallback()])`."""

from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback

from . import start
from .run import Run


class EpochcastCallback(TrainerCallback):  # type: ignore[misc,unused-ignore]
    """
    What the Trainer logs, and each evaluation as phase val; the training stops when somebody cancels it. The process of
    world rank zero reports. A Trainer tells no exceptions: the end of the process, or `with epochcast.start() as run` and
    `EpochcastCallback(run)`, reports them.
    """

    def __init__(self, run: Run | None = None, **starting: Any) -> None:
        """Without a run, `train` starts one with `starting`, as `epochcast.start` takes it."""
        self.run, self._starting, self._is_given = run, starting, run is not None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_kwargs: Any) -> None:
        if self.run is None and state.is_world_process_zero:
            self.run = start(**{"name": args.run_name, **self._starting})

    def on_log(
        self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_kwargs: Any
    ) -> None:
        if self.run is not None and state.is_world_process_zero:
            metrics = {
                name: value
                for name, value in (logs or {}).items()
                if name != "epoch" and not name.startswith("eval_")
            }
            if metrics:
                total = state.max_steps if state.max_steps > 0 else None
                self.run.progress(
                    state.global_step, total, epoch=state.epoch, step=state.global_step, metrics=metrics
                )
        if args.world_size > 1:
            self._stop_all(control)

    def on_evaluate(
        self, args: Any, state: Any, control: Any, metrics: Mapping[str, Any] | None = None, **_kwargs: Any
    ) -> None:
        if self.run is not None and state.is_world_process_zero:
            named = {
                name.removeprefix("eval_"): value
                for name, value in (metrics or {}).items()
                if name != "epoch"
            }
            self.run.epoch_end(state.epoch or 0, "val", named, step=state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **_kwargs: Any) -> None:
        if args.world_size <= 1 and self.run is not None and self.run.should_stop:
            control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **_kwargs: Any) -> None:
        """A run that was given goes on: what comes after the training may be part of it."""
        if self.run is not None and not self._is_given:
            self.run.__exit__(None, None, None)
            self.run = None

    def _stop_all(self, control: Any) -> None:
        """All ranks decide as one: those that went on would wait forever for one that stopped."""
        import torch.distributed as dist

        if dist.is_available() and dist.is_initialized():
            decision = [self.run is not None and self.run.should_stop]
            dist.broadcast_object_list(decision, src=0)
            control.should_training_stop |= decision[0]
