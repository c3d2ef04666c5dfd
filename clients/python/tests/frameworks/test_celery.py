"""A real Celery worker, on a Redis of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.processes import PACKAGE, RedisProcess, until
from support.tasks import cancel, ended, events, task_named, tasks

APP = """
import time
from celery import Celery
from celery.exceptions import Ignore
from epochcast.celery import EpochcastTask, broadcast_progress

app = Celery("training", broker=BROKER, backend=BROKER, task_cls=EpochcastTask)

@app.task(bind=True)
def train(self, epochs):
    for epoch in range(1, epochs + 1):
        self.update_state(state="PROGRESS", meta={"current": epoch, "total": epochs, "loss": 1 / epoch, "lr": 0.1})
    return {"best": 1 / epochs}

@app.task(bind=True)
def relay(self, epochs):
    for epoch in range(1, epochs + 1):
        broadcast_progress(self.request.id, {"epoch": epoch, "epochs": epochs, "message": "x", "metrics": {"a": 1}})

@app.task(bind=True, max_retries=1)
def retries(self):
    self.run_here.log({"retry": self.request.retries})
    if self.request.retries == 0:
        raise self.retry(exc=ValueError("once more"), countdown=0)

@app.task
def ignored():
    raise Ignore()

@app.task
def fails():
    raise ValueError("no data")

@app.task(bind=True)
def waits(self):
    while not self.run_here.should_stop:
        self.run_here.log({"loss": 1})
        time.sleep(0.05)

@app.task(bind=True)
def hangs(self):
    self.run_here.log({"loss": 1})
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def app(server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder: Path = tmp_path_factory.mktemp("celery")
    with RedisProcess() as redis:
        (folder / "training_app.py").write_text(APP.replace("BROKER", repr(f"{redis.url}/0")))
        path = os.pathsep.join([str(PACKAGE), str(folder)])
        env = {**os.environ, "PYTHONPATH": path, "EPOCHCAST_URL": server.url}
        args = ["-m", "celery", "-A", "training_app", "worker", "--pool", "prefork", "-c", "2"]
        log = (folder / "worker.log").open("w")
        worker = subprocess.Popen([sys.executable, *args], env=env, cwd=folder, stdout=log, stderr=log)
        try:
            sys.path.insert(0, str(folder))
            import training_app

            until("the worker", lambda: training_app.app.control.ping(timeout=1))
            yield training_app
        finally:
            sys.path.remove(str(folder))
            worker.terminate()
            worker.wait(30)
            log.close()


def by_celery_id(url: str, name: str) -> Any:
    return ended(url, task_named(url, f"training_app.{name}"))


def test_update_state_is_progress_and_the_return_value_the_result(app: Any, url: str) -> None:
    assert app.train.delay(5).get(timeout=60) == {"best": 0.2}
    found = by_celery_id(url, "train")
    assert (found["status"], found["current"], found["total"]) == ("SUCCESS", 5, 5)
    assert (found["metrics"], found["result"]) == ({"loss": 0.2, "lr": 0.1}, {"best": 0.2})
    told = [event["current"] for event in events(url, found["id"]) if event["__typename"] == "ProgressUpdate"]
    assert told == [1, 2, 3, 4, 5]


def test_broadcast_progress_reports_by_the_id_in_celery(app: Any, url: str) -> None:
    done = app.relay.delay(3)
    done.get(timeout=60)
    found = by_celery_id(url, "relay")
    assert (found["status"], found["current"], found["total"], found["message"]) == ("SUCCESS", 3, 3, "x")
    assert (found["metrics"], found["labels"]) == ({"a": 1}, {"celery": done.id})


def test_a_failure_is_one_with_its_traceback(app: Any, url: str) -> None:
    with pytest.raises(ValueError):
        app.fails.delay().get(timeout=60)
    found = by_celery_id(url, "fails")
    assert (found["status"], found["error"]["type"]) == ("FAILURE", "ValueError")
    assert "raise ValueError" in found["error"]["message"]


def test_a_retry_goes_on_with_the_same_run(app: Any, url: str) -> None:
    app.retries.delay().get(timeout=60)
    found = by_celery_id(url, "retries")
    assert found["status"] == "SUCCESS"
    told = [event for event in events(url, found["id"]) if event["__typename"] == "ProgressUpdate"]
    assert [event["metrics"] for event in told] == [{"retry": 0}, {"retry": 1}]
    assert len(tasks(url, "training_app.retries")) == 1


def test_a_run_is_not_kept_behind_its_task(app: Any) -> None:
    from epochcast.celery import _runs

    for task in (app.ignored, app.retries, app.fails):
        task.apply()
    assert _runs == {}


def test_a_task_that_is_cancelled_in_epochcast_stops(app: Any, url: str) -> None:
    done = app.waits.delay()
    cancel(url, task_named(url, "training_app.waits"))
    done.get(timeout=60)
    assert by_celery_id(url, "waits")["status"] == "CANCELLED"


def test_a_task_that_is_revoked_in_celery_is_cancelled(app: Any, url: str) -> None:
    begun = app.hangs.delay()
    until(
        "its report",
        lambda: events(url, task_named(url, "training_app.hangs"))[-1]["__typename"] == "ProgressUpdate",
    )
    begun.revoke(terminate=True)
    assert by_celery_id(url, "hangs")["status"] == "CANCELLED"
