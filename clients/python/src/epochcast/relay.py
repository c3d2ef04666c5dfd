"""For trainings written for a hand-made relay: a `MetricsWebSocketSender` of the same methods, which reports to Epochcast."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from . import attach, start
from .run import Run

_SUCCESS = frozenset({"success", "completed", "complete", "finished", "done"})
_FAILURE = frozenset({"failure", "failed", "error"})
_CANCELLED = frozenset({"cancelled", "canceled", "stopped", "aborted"})


class MetricsWebSocketSender:
    """
    Takes the relay's address, such as `ws://host:8000/ws/ingest?task_id=…`: only its host, port and task are used, as
    http(s) and the path /graphql. Without a task it is a new run of this process, or the one it was launched for. A status that tells
    an end ends the run; else the end of the process does.
    """

    def __init__(self, uri: str, *, run: Run | None = None, **_ignored: Any) -> None:
        self.run = run if run is not None else _run_of(uri)

    def send_epoch_start(self, epoch: Any, total_epochs: Any = None, **_ignored: Any) -> None:
        self.run.epoch_start(epoch, total_epochs)

    def send_epoch_end(
        self, epoch: Any, phase: str = "train", metrics: Mapping[str, Any] | None = None, **_ignored: Any
    ) -> None:
        self.run.epoch_end(epoch, phase, metrics)

    def send_round_end(
        self,
        round_num: Any,
        total_rounds: Any = None,
        fit_metrics: Mapping[str, Any] | None = None,
        eval_metrics: Mapping[str, Any] | None = None,
        **_ignored: Any,
    ) -> None:
        self.run.round_end(round_num, total_rounds, fit_metrics=fit_metrics, eval_metrics=eval_metrics)

    def send_status(self, status: Any, message: Any = None, **_ignored: Any) -> None:
        named = status.lower() if isinstance(status, str) else ""
        if named in _SUCCESS:
            if message is not None:
                self.run.status(message)
            self.run.success()
        elif named in _FAILURE:
            self.run.failure(message if isinstance(message, str) else named)
        elif named in _CANCELLED:
            self.run.cancelled(message)
        else:
            self.run.status(message if message is not None else status)

    def send_error(self, error: Any, error_type: Any = None, **_ignored: Any) -> None:
        self.run.error(error, error_type)

    def close(self) -> None:
        """The relay's connection; the run goes on until its end is told."""

    def __enter__(self) -> "MetricsWebSocketSender":
        return self

    def __exit__(self, *error: Any) -> None:
        self.run.__exit__(*error)


def _run_of(uri: Any) -> Run:
    url, task_id = None, None
    try:
        parts = urlsplit(uri)
        scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
        url = urlunsplit((scheme, parts.netloc, "/graphql", "", ""))
        task_id = (parse_qs(parts.query).get("task_id") or [None])[0]
    except (ValueError, TypeError, AttributeError):
        url = uri  # which is then refused, and said
    return start(url=url) if task_id is None else attach(task_id, url=url)
