"""PyTorch Lightning: `Trainer(callbacks=[EpochcastCallback()])`, or `Trainer(logger=EpochcastLogger())` for what `self.log` logs."""

import math
import re
from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from . import attach, start
from .run import Run
from .settings import launched_task

try:
    import lightning.pytorch as pl
    from lightning.pytorch.loggers import Logger
except ImportError:  # the same under its older name
    import pytorch_lightning as pl  # type: ignore[no-redef,unused-ignore]
    from pytorch_lightning.loggers import Logger  # type: ignore[assignment,unused-ignore]


class EpochcastCallback(pl.Callback):  # type: ignore[misc,unused-ignore]
    """
    The loss of every so many batches, and the metrics of each epoch: `val_loss` is `loss` of the phase val, `train_loss` or
    `loss` that of train. Rank zero reports for all ranks; with `every_rank` and a `key` each does, those after zero as members.
    An exception is reported by the rank that it happens on, where that rank reports, Epochcast launched the training, or `run` is an
    attached one. All ranks stop together when somebody cancels the training.
    """

    def __init__(self, run: Run | None = None, *, every_n_batches: int = 50, **starting: Any) -> None:
        """Without a run, `fit` starts one (or attaches to the one it was launched for) with `starting`, as `start` takes it."""
        super().__init__()
        self.run, self._starting, self._is_given = run, starting, run is not None
        self._every_n_batches = max(1, every_n_batches)
        self._every_rank = bool(starting.get("every_rank")) and starting.get("key") is not None

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        if stage == "fit" and not self._is_given and self.run is None:
            if trainer.is_global_zero or self._every_rank:
                epochs = trainer.max_epochs if (trainer.max_epochs or 0) > 0 else None
                self.run = start(**{"epochs": epochs, **self._starting})
                if trainer.global_rank > 0:  # the environment may tell the rank within a node only
                    self.run._member = f"rank-{trainer.global_rank}"
            elif launched_task() is not None:
                self.run = attach()

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if (batch_idx + 1) % self._every_n_batches:
            return
        if self._reports(trainer):
            loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
            if loss is not None:  # Lightning has divided it by the batches that make a step
                loss = loss * trainer.accumulate_grad_batches
            self._progress(trainer, loss)
        self._stop(trainer)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self._epoch_end(trainer, "val")

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        self._epoch_end(trainer, "train")
        if self._reports(trainer):
            self._progress(trainer, None)
        self._stop(trainer)

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """A run that was given goes on: what comes after the training may be part of it."""
        if not self._is_given:
            if self.run is not None and self.run._member is not None:
                self.run._close()
            if self._every_rank and trainer.world_size > 1:
                trainer.strategy.barrier()  # what ranks report after the end, no server takes
            if self.run is not None and trainer.is_global_zero:
                self.run.__exit__(None, None, None)
        self._leave()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        if self.run is not None:
            self.run.__exit__(type(exception), exception, exception.__traceback__)
        self._leave()

    def _leave(self) -> None:
        """Another fit is another run."""
        if not self._is_given:
            self.run = None

    def _reports(self, trainer: Any) -> bool:
        return self.run is not None and (bool(trainer.is_global_zero) or self.run._member is not None)

    def _stop(self, trainer: Any) -> None:
        """All ranks decide as one: those that went on would wait forever for one that stopped."""
        stop = self.run is not None and trainer.is_global_zero and self.run.should_stop
        if trainer.world_size > 1:
            stop = trainer.strategy.reduce_boolean_decision(stop, all=False)
        trainer.should_stop |= bool(stop)

    def _progress(self, trainer: Any, loss: Any) -> None:
        current = trainer.fit_loop.total_batch_idx + 1
        total = trainer.num_training_batches * (trainer.max_epochs or 0)
        if trainer.max_steps > 0:
            current, total = trainer.global_step, trainer.max_steps
        known = total if 0 < total < math.inf else None  # data without a length, or epochs without end
        if self.run is not None:
            self.run.progress(
                current, known, epoch=trainer.current_epoch, step=trainer.global_step, loss=loss
            )

    def _epoch_end(self, trainer: Any, phase: str) -> None:
        if self.run is None or not self._reports(trainer):
            return
        metrics = {}
        for name, value in trainer.callback_metrics.items():
            kind, *rest = re.split("[_/]", name, maxsplit=1)
            if (kind == "val") == (phase == "val"):
                metrics[rest[0] if rest and kind in ("train", "val") else name] = value
        self.run.epoch_end(trainer.current_epoch, phase, metrics, step=trainer.global_step)


class EpochcastLogger(Logger):  # type: ignore[misc,unused-ignore]
    """
    What modules log with `self.log`, at the steps and the rate that Lightning logs it. Rank zero alone logs. Together with
    the callback, give both the same run: `EpochcastLogger(run), EpochcastCallback(run)`.
    """

    def __init__(self, run: Run | None = None, **starting: Any) -> None:
        super().__init__()
        self._run, self._starting, self._is_given = run, starting, run is not None

    @property
    def experiment(self) -> Run:
        """The run, started with the first thing that is logged."""
        if self._run is None:
            self._run = start(**self._starting)
        return self._run

    @property
    def name(self) -> str:
        return str(self._starting.get("name") or "epochcast")

    @property
    def version(self) -> str:
        return (self._run.task_id if self._run is not None else None) or "0"

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        if _rank() == 0:
            epoch = metrics.get("epoch")
            self.experiment.log({k: v for k, v in metrics.items() if k != "epoch"}, step, epoch=epoch)

    def log_hyperparams(self, params: Any, *_args: Any, **_kwargs: Any) -> None:
        if self._run is None:
            given = vars(params) if isinstance(params, Namespace) else params
            self._starting.setdefault("params", given if isinstance(given, Mapping) else None)

    def finalize(self, status: str) -> None:
        """The end of a run that is this logger's own."""
        if self._is_given or self._run is None or _rank() != 0:
            return
        run, self._run = self._run, None
        if status == "success":
            run.__exit__(None, None, None)
        else:
            run.failure(f"the training ended as {status}")


def _rank() -> int:
    from lightning_utilities.core.rank_zero import rank_zero_only

    return int(getattr(rank_zero_only, "rank", None) or 0)
