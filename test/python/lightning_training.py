"""Fits a line with Lightning on the CPU, with the recipe's callback; the tests say what goes wrong on the way.

Prints, as a line of JSON, the losses of its batches, and the means of its epochs, as the module saw them.
"""

import argparse
import json

import lightning as L
import reporter
import torch
from lightning.pytorch.callbacks import GradientAccumulationScheduler
from lightning_callback import EpochcastCallback
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

arguments = argparse.ArgumentParser()
arguments.add_argument("task_id")
arguments.add_argument("--url")
arguments.add_argument("--epochs", type=int, default=3)
arguments.add_argument("--ranks", type=int, default=1)
arguments.add_argument("--nan-at-epoch", type=int)
arguments.add_argument("--stream", action="store_true", help="trains on data without a length")
arguments.add_argument("--max-steps", type=int, default=-1)
arguments.add_argument("--accumulate", action="store_true", help="two batches a step, from the second epoch on")
arguments.add_argument("--validate", action="store_true", help="validates before and after it trains")
arguments.add_argument("--fail-at-epoch", type=int)
arguments.add_argument("--fail-on-rank", type=int, default=0)
arguments = arguments.parse_args()


class Line(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.losses, self.seen = {"train": [], "val": []}, {"batches": [], "train": [], "val": []}

    def loss(self, batch, phase):
        x, y = batch
        loss = torch.nn.functional.mse_loss(self.layer(x), y)
        self.losses[phase].append(loss.item())
        return loss

    def training_step(self, batch):
        loss = self.loss(batch, "train")
        self.seen["batches"].append(loss.item())
        if self.current_epoch == arguments.fail_at_epoch and self.global_rank == arguments.fail_on_rank:
            raise ValueError("the sensor is broken")
        logged = loss * float("nan") if self.current_epoch == arguments.nan_at_epoch else loss
        self.log("train_loss", logged, on_step=False, on_epoch=True, sync_dist=True)
        return loss

    def validation_step(self, batch):
        self.log("val_loss", self.loss(batch, "val"), sync_dist=True)

    def on_validation_start(self):
        self.losses["val"] = []

    def on_validation_epoch_end(self):
        if not self.trainer.sanity_checking:
            self.seen["val"].append(mean(self.losses["val"]))

    def on_train_epoch_end(self):
        self.seen["train"].append(mean(self.losses["train"]))
        self.losses["train"] = []

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def mean(values):
    return sum(values) / len(values)


class Stream(IterableDataset):
    def __iter__(self):
        return iter(line_points())


def line_points():
    x = torch.linspace(-1, 1, 64).reshape(64, 1)
    return TensorDataset(x, 3 * x)


def data():
    return DataLoader(line_points(), batch_size=8)


reporter.TIMEOUT_SECONDS = 30  # a machine that runs tests is busy
torch.set_num_threads(1)
L.seed_everything(7)
callbacks = [EpochcastCallback(arguments.task_id, arguments.url, every_n_batches=3)]
if arguments.accumulate:
    callbacks.append(GradientAccumulationScheduler({0: 1, 1: 2}))
trainer = L.Trainer(
    max_epochs=arguments.epochs,
    max_steps=arguments.max_steps,
    accelerator="cpu",
    devices=arguments.ranks,
    strategy="ddp" if arguments.ranks > 1 else "auto",
    callbacks=callbacks,
    check_val_every_n_epoch=2,
    logger=False,
    enable_checkpointing=False,
    enable_model_summary=False,
    enable_progress_bar=False,
)
line = Line()
if arguments.validate:
    trainer.validate(line, data(), verbose=False)
trainer.fit(line, DataLoader(Stream(), batch_size=8) if arguments.stream else data(), data())
if arguments.validate:
    trainer.validate(line, data(), verbose=False)
if trainer.is_global_zero:
    print(json.dumps(line.seen))
