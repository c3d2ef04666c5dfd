"""A Celery task that reports, and its start:  celery -A celery_app worker"""

import json
import os
from urllib.request import Request, urlopen

from celery import Celery
from celery.utils import uuid
from reporter import Reporter

app = Celery("training", broker=os.environ.get("CELERY_BROKER_URL", "redis://localhost:6379/0"))


@app.task
def train(task_id, epochs):
    with Reporter(task_id) as reporter:
        loss = 1.0
        for epoch in range(1, epochs + 1):
            loss *= 0.9  # your training
            if reporter.report({"progress": {"current": epoch, "total": epochs, "epoch": epoch, "loss": loss}}):
                break  # somebody cancelled the training


def start(epochs, url="http://localhost:4000/graphql"):
    """The id of a new task in Epochcast; its label celery is the id of the task in Celery."""
    query = "mutation ($input: StartTrainingInput!) { startTraining(input: $input) { task { id } } }"
    celery_id = uuid()
    variables = {"input": {"trainer": "external", "epochs": epochs, "labels": {"celery": celery_id}}}
    body = json.dumps({"query": query, "variables": variables}).encode()
    with urlopen(Request(url, body, {"content-type": "application/json"}), timeout=10) as response:
        answer = json.load(response)
    if "errors" in answer:
        raise RuntimeError(answer["errors"][0]["message"])
    task_id = answer["data"]["startTraining"]["task"]["id"]
    train.apply_async((task_id, epochs), task_id=celery_id)
    return task_id
