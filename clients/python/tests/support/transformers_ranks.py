"""A Trainer of Hugging Face under torchrun, which leaves each rank's steps in its folder:  transformers_ranks.py FOLDER NAME EPOCHS"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "frameworks"))

from test_transformers import trainer

from epochcast.transformers import EpochcastCallback

folder, name, epochs = sys.argv[1:]
training = trainer(Path(folder), EpochcastCallback(name=name), int(epochs))
training.train()
# Not printed: ranks share a pipe, to which each word is written by itself.
Path(folder, f"steps-{os.environ['RANK']}").write_text(str(training.state.global_step))
