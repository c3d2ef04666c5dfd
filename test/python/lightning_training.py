"""Fits a line with Lightning on the CPU, with the recipe's callback; the tests say what goes wrong on the way.

Prints, as a line of JSON, the mean losses of its epochs as the module saw them.
"""

import argparse
import json

import lightning as L
import torch
from lightning_callback import EpochcastCallback
from torch.utils.data import DataLoader, TensorDataset

arguments = argparse.ArgumentParser()
arguments.add_argument("task_id")
arguments.add_argument("--url")
arguments.add_argument("--epochs", type=int, default=3)
arguments.add_argument("--ranks", type=int, default=1)
arguments.add_argument("--nan-at-epoch", type=int)
arguments.add_argument("--fail-at-epoch", type=int)
arguments.add_argument("--fail-on-rank", type=int, default=0)
arguments = arguments.parse_args()


class Line(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.losses, self.epochs = {"train": [], "val": []}, {"train": [], "val": []}

    def loss(self, batch, phase):
        x, y = batch
        loss = torch.nn.functional.mse_loss(self.layer(x), y)
        self.losses[phase].append(loss.item())
        return loss

    def training_step(self, batch):
        loss = self.loss(batch, "train")
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
            self.epochs["val"].append(mean(self.losses["val"]))

    def on_train_epoch_end(self):
        self.epochs["train"].append(mean(self.losses["train"]))
        self.losses["train"] = []

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def mean(values):
    return sum(values) / len(values)


def data():
    x = torch.linspace(-1, 1, 64).reshape(64, 1)
    return DataLoader(TensorDataset(x, 3 * x), batch_size=8)


torch.set_num_threads(1)
L.seed_everything(7)
trainer = L.Trainer(
    max_epochs=arguments.epochs,
    accelerator="cpu",
    devices=arguments.ranks,
    strategy="ddp" if arguments.ranks > 1 else "auto",
    callbacks=[EpochcastCallback(arguments.task_id, arguments.url, every_n_batches=3)],
    check_val_every_n_epoch=2,
    logger=False,
    enable_checkpointing=False,
    enable_model_summary=False,
    enable_progress_bar=False,
)
line = Line()
trainer.fit(line, data(), data())
if trainer.is_global_zero:
    print(json.dumps(line.epochs))
