"""A Trainer of Hugging Face under torchrun:  transformers_ranks.py FOLDER NAME EPOCHS"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "frameworks"))

from test_transformers import trainer

from epochcast.transformers import EpochcastCallback

folder, name, epochs = sys.argv[1:]
training = trainer(Path(folder), EpochcastCallback(name=name), int(epochs))
training.train()
print("steps", training.state.global_step, flush=True)
