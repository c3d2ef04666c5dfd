"""Trains an autoencoder of one hidden unit on readings of a machine: slow, small, and real."""

import math
import random
import time

from tasks.app import app
from tasks.broadcast import broadcast_end, broadcast_progress

BROADCAST_EVERY = 10


def readings(machine_id, count):
    noise = random.Random(machine_id)
    for _ in range(count):
        load = noise.random()
        yield [load, 0.5 * load + noise.gauss(0, 0.01), math.sin(load)]


@app.task(bind=True)
def train_tvae_task(self, machine_id, epochs):
    task_id = self.request.id
    rows = list(readings(machine_id, 200))
    encoder, decoder, rate, loss = [0.1, 0.2, 0.3], [0.3, 0.2, 0.1], 0.05, None
    for epoch in range(1, epochs + 1):
        loss = 0.0
        for row in rows:
            code = sum(w * x for w, x in zip(encoder, row))
            errors = [v * code - x for v, x in zip(decoder, row)]
            loss += sum(error * error for error in errors) / len(rows)
            back = sum(error * v for error, v in zip(errors, decoder))
            decoder = [v - rate * error * code for v, error in zip(decoder, errors)]
            encoder = [w - rate * back * x for w, x in zip(encoder, row)]
        if epoch % BROADCAST_EVERY == 0:
            broadcast_progress(
                task_id, epoch, epochs, f"Epoch {epoch}/{epochs}", machine_id=machine_id, epoch=epoch, loss=loss
            )
        time.sleep(0.02)
    result = {"machine_id": machine_id, "epochs": epochs, "final_loss": loss}
    broadcast_end(task_id, result)
    return result
