"""A Celery application as a team may have it: it tells its progress on a Redis channel, and knows nothing of Epochcast."""

import json
import math
import os
import time

import redis
from celery import Celery

app = Celery("tasks", broker=os.environ["CELERY_BROKER_URL"], backend=os.environ["CELERY_BROKER_URL"])
app.conf.broker_transport_options = {"visibility_timeout": 86400}
channels = redis.Redis.from_url(os.environ["CELERY_BROKER_URL"])


@app.task(bind=True)
def train_line(self, epochs):
    points = [(i / 200, 2 * i / 200 + 1 + 0.1 * math.sin(37 * i)) for i in range(200)]
    slope = offset = loss = 0.0
    for epoch in range(1, epochs + 1):
        loss = 0.0
        for x, y in points:
            error = slope * x + offset - y
            loss += error**2 / len(points)
            slope -= 0.05 * error * x
            offset -= 0.05 * error
        message = {"task_id": self.request.id, "current": epoch, "total": epochs, "epoch": epoch, "loss": loss}
        channels.publish(f"gan:training:{self.request.id}", json.dumps(message))
        time.sleep(0.1)
    return {"slope": slope, "offset": offset, "loss": loss}
