"""Celery: `@app.task(base=EpochcastTask, bind=True)`, or `Celery(…, task_cls="epochcast.celery:EpochcastTask")` for all tasks."""

from collections.abc import Mapping
from typing import Any

from celery import Task, signals

from . import start
from .notice import Notices, words_of
from .run import Run

# What progress reports have names for; all else that is a number is a metric.
_TOTALS = ("total", "total_steps", "max_steps")
_CURRENTS = ("current", "step", "done")

_runs: dict[str, Run] = {}
_notices = Notices()


class EpochcastTask(Task):  # type: ignore[misc,unused-ignore]
    """
    Each execution is a run, named as the task, with its id in Celery as label `celery`. Success, failure and revocation are
    reported, `update_state("PROGRESS", meta)` is its progress. A retry, and a task that is delivered again, goes on with it.
    """

    @property
    def run_here(self) -> Run | None:
        """The run of the task that is being executed, for whatever else it has to say."""
        return _runs.get(str(self.request.id))

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        _runs[task_id] = _run_of(self, task_id)
        super().before_start(task_id, args, kwargs)

    def update_state(
        self, task_id: str | None = None, state: str | None = None, meta: Any = None, **kwargs: Any
    ) -> None:
        if state == "PROGRESS" and isinstance(meta, Mapping):
            broadcast_progress(task_id or str(self.request.id), meta)
        super().update_state(task_id=task_id, state=state, meta=meta, **kwargs)

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        run = _runs.pop(task_id, None)
        if run is not None:
            run.cancelled("stopped") if run.should_stop else run.success(retval)
        super().on_success(retval, task_id, args, kwargs)

    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        run = _runs.pop(task_id, None)
        if run is not None:
            run.failure(exc)
        super().on_failure(exc, task_id, args, kwargs, einfo)

    def on_retry(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        run = _runs.get(task_id)
        if run is not None:
            run.error(exc)
        super().on_retry(exc, task_id, args, kwargs, einfo)


def broadcast_progress(task_id: str, data: Mapping[str, Any]) -> None:
    """
    Progress of a task that is being executed here, by its id in Celery: `current` and `total`, `epoch` and `epochs`, `loss`,
    `message`, `stage`, and metrics, among the rest or in `metrics`. Never raises.
    """
    try:
        run = _runs.get(str(task_id))
        if run is None:
            _notices.say(
                "no-run", f"the task {task_id} is not executed here with EpochcastTask; nothing is reported"
            )
            return
        rest = dict(data)
        message = rest.pop("message", None) or rest.pop("status", None)
        stage, epoch, loss = rest.pop("stage", None), rest.pop("epoch", None), rest.pop("loss", None)
        current = _first(rest, _CURRENTS)
        total = _first(rest, _TOTALS)
        epochs = rest.pop("epochs", rest.pop("total_epochs", None))
        if current is None:  # counted in epochs
            current, total = epoch, epochs
        nested = rest.pop("metrics", None)
        metrics = {name: value for name, value in rest.items() if not isinstance(value, str)}
        metrics.update(nested if isinstance(nested, Mapping) else {})
        run.progress(current, total, epoch=epoch, loss=loss, metrics=metrics, message=message, stage=stage)
    except Exception as error:
        _notices.say("progress", f"a progress was left out, {words_of(error)}")


def _first(values: dict[str, Any], names: tuple[str, ...]) -> Any:
    found = [values.pop(name) for name in names if name in values]
    return found[0] if found else None


def _run_of(task: Any, task_id: str) -> Run:
    """The same key wherever it is executed, so it is the same run."""
    return start(task.name, key=f"celery-{task_id}", labels={"celery": task_id})


@signals.task_postrun.connect  # type: ignore[untyped-decorator,unused-ignore]
def _on_postrun(task_id: str = "", **_kwargs: Any) -> None:
    """Of one that is to be tried again or delivered again, the run goes on; of one that is ignored, the end is not known."""
    run = _runs.pop(task_id, None)
    if run is not None:
        run._close()


@signals.task_revoked.connect  # type: ignore[untyped-decorator,unused-ignore]
def _on_revoked(sender: Any = None, request: Any = None, terminated: bool = False, **_kwargs: Any) -> None:
    """In the worker's own process: the one that executed it is killed, if it was begun at all."""
    if terminated and isinstance(sender, EpochcastTask) and request is not None:
        _run_of(sender, request.id).cancelled("revoked in Celery")
