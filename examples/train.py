"""A trainer that Epochcast starts (examples/trainers.json); its parameters and its task are in its environment."""

import json
import os
import random

from reporter import Reporter

params = json.loads(os.environ["EPOCHCAST_PARAMS"])
epochs, learning_rate = params["epochs"], params["learning_rate"]

with Reporter() as reporter:
    weight = 0.0
    for epoch in range(1, epochs + 1):
        loss = 0.0
        for _ in range(100):  # stochastic gradient descent on (3x - weight x)^2
            x = random.uniform(-1, 1)
            error = (weight - 3) * x
            weight -= learning_rate * 2 * error * x
            loss += error**2 / 100
        if reporter.report({"progress": {"current": epoch, "total": epochs, "epoch": epoch, "loss": loss}}):
            break  # somebody cancelled the training
