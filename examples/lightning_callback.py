"""A PyTorch Lightning training, live in Epochcast: Trainer(callbacks=[EpochcastCallback(task_id)])."""

import math
import re

import lightning as L
from reporter import Reporter


class EpochcastCallback(L.Callback):
    """Rank zero reports for all ranks; an exception is reported by the rank that it happens on."""

    def __init__(self, task_id=None, url=None, every_n_batches=50):
        self.reporter, self.every_n_batches, self.total = Reporter(task_id, url), every_n_batches, None

    def on_train_start(self, trainer, module):
        try:
            total = trainer.estimated_stepping_batches
            self.total = total if math.isfinite(total) else None
        except Exception:  # the accumulation of gradients changes on the way: nobody knows
            self.total = None

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        if (batch_idx + 1) % self.every_n_batches == 0:
            self.report(trainer, {"progress": {**self.place(trainer), "metrics": metrics_of(trainer, "TRAIN")}})

    def on_validation_end(self, trainer, module):
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self.report(trainer, epoch_end(trainer, "VAL"))

    def on_train_epoch_end(self, trainer, module):
        self.report(trainer, epoch_end(trainer, "TRAIN"), {"progress": self.place(trainer)})

    def on_fit_end(self, trainer, module):
        if trainer.is_global_zero:
            self.reporter.end()

    def on_exception(self, trainer, module, exception):
        self.reporter.end(exception)

    def place(self, trainer):
        return {"current": trainer.global_step, "total": self.total, "epoch": trainer.current_epoch}

    def report(self, trainer, *reports):
        stop = trainer.is_global_zero and self.reporter.report(*reports)
        # All ranks decide as one: those that went on would wait forever for one that stopped.
        trainer.should_stop |= trainer.strategy.reduce_boolean_decision(stop, all=False)


def epoch_end(trainer, phase):
    at = {"epoch": trainer.current_epoch, "step": trainer.global_step}
    return {"epochEnd": {**at, "phase": phase, "metrics": metrics_of(trainer, phase)}}


def metrics_of(trainer, phase):
    """callback_metrics has all phases: val_loss is the loss of VAL, train_loss or loss that of TRAIN."""
    metrics = {}
    for name, value in trainer.callback_metrics.items():
        kind, *rest = re.split("[_/]", name, maxsplit=1)
        if (kind == "val") == (phase == "VAL"):
            metrics[rest[0] if rest and kind in ("train", "val") else name] = value
    return metrics
