"""A Lightning training on two ranks, each of which prints the losses that it saw:  lightning_ranks.py NAME EPOCHS WAY"""

import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from torch.utils.data import DataLoader, TensorDataset

import epochcast
from epochcast.lightning import EpochcastCallback, EpochcastLogger

name, epochs, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(1)
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Line(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.seen: list[float] = []

    def training_step(self, batch: Any) -> Any:
        loss = torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1])
        if way == "fails" and self.global_rank == 1 and len(self.seen) == 2:
            raise ValueError("the sensor of rank 1 is broken")
        self.seen.append(loss.item())
        self.log("train_loss", loss, sync_dist=True)
        return loss

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


callbacks: list[Any] = []
logger: Any = False
if way == "logger":
    logger = EpochcastLogger(name=name)
elif way in ("every", "fails"):
    callbacks = [EpochcastCallback(every_n_batches=1, name=name, key=name, every_rank=True)]
elif way == "given":
    run = epochcast.start(name, key=name, every_rank=True)
    callbacks = [EpochcastCallback(run, every_n_batches=1)]
else:
    callbacks = [EpochcastCallback(every_n_batches=1, name=name)]

x = torch.linspace(-1, 1, 64).reshape(64, 1)
line = Line()
trainer = pl.Trainer(
    max_epochs=epochs,
    accelerator="cpu",
    devices=2,
    strategy="ddp",
    callbacks=callbacks,
    logger=logger,
    enable_checkpointing=False,
    enable_model_summary=False,
    enable_progress_bar=False,
    log_every_n_steps=1,
)
trainer.fit(line, DataLoader(TensorDataset(x, 3 * x), batch_size=8))
folder = Path(os.environ["LOSSES"])
(folder / f"rank-{line.global_rank}").write_text(json.dumps(line.seen))
if way == "given":
    run.flush(60)  # before rank zero ends it for all
    trainer.strategy.barrier()
