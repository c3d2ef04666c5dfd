"""A PyTorch Lightning training, live in Epochcast: Trainer(callbacks=[EpochcastCallback(task_id)])."""

import math
import re

import lightning as L
from reporter import Reporter


class EpochcastCallback(L.Callback):
    """Rank zero reports for all ranks; an exception is reported by the rank that it happens on."""

    def __init__(self, task_id=None, url=None, every_n_batches=50):
        self.reporter, self.every_n_batches = Reporter(task_id, url), every_n_batches

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        if (batch_idx + 1) % self.every_n_batches == 0:
            loss = outputs.get("loss") if isinstance(outputs, dict) else None
            if loss is not None:  # Lightning has divided it by the batches that make a step
                loss = loss * trainer.accumulate_grad_batches
            self.report(trainer, progress(trainer, loss))

    def on_validation_end(self, trainer, module):
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            self.report(trainer, epoch_end(trainer, "VAL"))

    def on_train_epoch_end(self, trainer, module):
        self.report(trainer, epoch_end(trainer, "TRAIN"), progress(trainer))

    def on_fit_end(self, trainer, module):
        if trainer.is_global_zero:
            self.reporter.end()

    def on_exception(self, trainer, module, exception):
        self.reporter.end(exception)

    def report(self, trainer, *reports):
        stop = trainer.is_global_zero and self.reporter.report(*reports)
        # All ranks decide as one: those that went on would wait forever for one that stopped.
        trainer.should_stop |= trainer.strategy.reduce_boolean_decision(stop, all=False)


def progress(trainer, loss=None):
    current, total = trainer.fit_loop.total_batch_idx + 1, trainer.num_training_batches * trainer.max_epochs
    if trainer.max_steps > 0:
        current, total = trainer.global_step, trainer.max_steps
    total = total if 0 < total < math.inf else None  # data without a length, or epochs without end
    return {"progress": {**place(trainer), "current": current, "total": total, "loss": loss}}


def epoch_end(trainer, phase):
    return {"epochEnd": {**place(trainer), "phase": phase, "metrics": metrics_of(trainer, phase)}}


def place(trainer):
    return {"epoch": trainer.current_epoch, "step": trainer.global_step}


def metrics_of(trainer, phase):
    """callback_metrics has all phases: val_loss is the loss of VAL, train_loss or loss that of TRAIN."""
    metrics = {}
    for name, value in trainer.callback_metrics.items():
        kind, *rest = re.split("[_/]", name, maxsplit=1)
        if (kind == "val") == (phase == "VAL"):
            metrics[rest[0] if rest and kind in ("train", "val") else name] = value
    return metrics
