"""How long a Lightning fit of 2,000 steps takes with the callback, beside the same fit without:

    ~/.cache/epochcast/python-…/bin/python clients/python/bench/lightning_fit.py URL

with the environment of `npm run test:frameworks`. Each fit with the callback has one without beside it, before or after it in turn, and the
ratios are those of such a pair. Prints their medians by the clock, in which other work on the machine has a part, and by the processor
time of the thread that trains, and of the whole process; and beside them what of the thread's time the callback's own calls took, which is
to be seen also where the ratios of two fits without it (the control) differ by more than that. A callback of Lightning that does nothing
stands beside it, too: it is called ten times a step.

A second argument is the width of the model, 64 by default; with 1,024 a step takes about five times as long.
"""

import logging
import os
import statistics
import sys
import time
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

import lightning
import lightning.pytorch as pl
import torch
from compare import servers
from torch.utils.data import DataLoader, TensorDataset

import epochcast
from epochcast.lightning import EpochcastCallback

STEPS = 2000
ROUNDS = 3
WIDTH = int(sys.argv[2]) if len(sys.argv) > 2 else 64

torch.set_num_threads(1)
warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
logging.getLogger("epochcast").setLevel(logging.ERROR)


class Model(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(32, WIDTH),
            torch.nn.ReLU(),
            torch.nn.Linear(WIDTH, WIDTH),
            torch.nn.ReLU(),
            torch.nn.Linear(WIDTH, 1),
        )

    def training_step(self, batch: Any) -> Any:
        loss = torch.nn.functional.mse_loss(self.layers(batch[0]), batch[1])
        self.log("train_loss", loss)
        return loss

    def configure_optimizers(self) -> Any:
        return torch.optim.Adam(self.parameters())


def data() -> Any:
    torch.manual_seed(1)
    x = torch.randn(32 * STEPS, 32)
    return DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=32)


def fit(loader: Any, *callbacks: Any) -> tuple[float, float, float]:
    """Seconds by the clock, of the thread, and of the process, from the first step to the last."""
    torch.manual_seed(1)
    trainer = pl.Trainer(
        max_steps=STEPS,
        max_epochs=1,
        accelerator="cpu",
        callbacks=list(callbacks),
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
    )
    began = time.perf_counter(), time.thread_time(), time.process_time()
    trainer.fit(Model(), loader)
    ended = time.perf_counter(), time.thread_time(), time.process_time()
    return tuple(end - begin for begin, end in zip(began, ended, strict=True))  # type: ignore[return-value]


class Measured(EpochcastCallback):
    """Adds up the processor time of its calls."""

    seconds = 0.0

    def on_train_batch_end(self, *args: Any) -> None:
        began = time.thread_time()
        super().on_train_batch_end(*args)
        self.seconds += time.thread_time() - began

    def on_train_epoch_end(self, *args: Any) -> None:
        began = time.thread_time()
        super().on_train_epoch_end(*args)
        self.seconds += time.thread_time() - began


WAYS = {
    "control: none at all": (None, 0),
    "a callback that does nothing": (None, 1),
    "a server": ("there", 50),
    "a server, every step reported": ("there", 1),
    "a server that never replies": ("hangs", 50),
    "a server that answers 500": ("500", 50),
    "no server": ("absent", 50),
}


def with_callback(loader: Any, url: str | None, every: int) -> tuple[float, float, float, float]:
    """As `fit`, and what part of the thread's time was the callback's."""
    if url is None:
        return *(fit(loader, pl.Callback()) if every else fit(loader)), 0.0
    run = epochcast.start(url=url)
    callback = Measured(run, every_n_batches=every)
    took = fit(loader, callback)
    # The next fit is not to wait for this one's end, nor to share the machine with it.
    pipeline, run._has_ended, run._is_reporting = run._pipeline, True, False
    if pipeline is not None:
        pipeline.sender.is_over = True
        pipeline.sender.wake()
    return *took, callback.seconds / took[1]


def main(url: str) -> None:
    loader, loads = data(), []
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in WAYS}
    seconds = []
    fit(loader)
    with servers(url) as urls:
        for turn in range(ROUNDS):
            for name, (server, every) in WAYS.items():
                loads.append(os.getloadavg()[0])
                address = None if server is None else urls[server]
                if turn % 2:
                    (*took, own), without = with_callback(loader, address, every), fit(loader)
                else:
                    without, (*took, own) = fit(loader), with_callback(loader, address, every)
                seconds.append(without)
                ratios = (mine / other for mine, other in zip(took, without, strict=True))
                found[name].append((*ratios, own))
    clock, thread, _process = (statistics.median(column) for column in zip(*seconds, strict=True))
    print(
        f"Lightning {lightning.__version__}, torch {torch.__version__}, {STEPS} steps, {ROUNDS} rounds, load {min(loads):.1f} to "
        f"{max(loads):.1f}; without the callback {clock:.2f} s by the clock, {thread:.2f} s of the thread\n"
    )
    print(
        "| with the callback, and | by the clock | its range | of the thread | its range | of the process | the callback's own calls |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, pairs in found.items():
        clock, thread, process, own = (statistics.median(column) for column in zip(*pairs, strict=True))
        clocks, threads, *_rest = zip(*pairs, strict=True)
        print(
            f"| {name} | {clock:.3f} | {min(clocks):.2f} to {max(clocks):.2f} | {thread:.3f} "
            f"| {min(threads):.2f} to {max(threads):.2f} | {process:.3f} | {100 * own:.2f} % |"
        )


if __name__ == "__main__":
    main(sys.argv[1])
