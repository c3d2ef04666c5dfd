"""
Reports a training to Epochcast, live:

    run = epochcast.start("resnet")
    run.log({"loss": loss}, step=step)

Nothing here slows a training down, blocks or ends it, whatever the server does. Where `EPOCHCAST_URL` is not set and no URL
is given, all of it does nothing.
"""

import os
import uuid
from collections.abc import Mapping
from typing import Any

from . import process, sigterm
from .limits import MAX_NAME_LENGTH, MAX_RUN_NAME_LENGTH
from .notice import Notices, words_of
from .run import Run, is_interactive
from .scope import Metrics, Scope
from .settings import launched_task, rank_of_process, read_settings
from .values import count, json_of, line

__all__ = ["Metrics", "Run", "Scope", "__version__", "attach", "end_on_sigterm", "patch", "start"]
__version__ = "0.2.0"

_notices = Notices()


def start(
    name: str | None = None,
    *,
    url: str | None = None,
    token: str | None = None,
    machine_id: str | None = None,
    epochs: int | None = None,
    params: Mapping[str, Any] | None = None,
    labels: Mapping[str, Any] | None = None,
    channel_prefix: str | None = None,
    key: str | None = None,
    every_rank: bool = False,
    spool_dir: str | os.PathLike[str] | None = None,
) -> Run:
    """
    Registers a training that runs here; in one that Epochcast launched, it is `attach`. Returns at once: the server is
    called in the background, for as long as it takes.

    `url` and `token` are those of `EPOCHCAST_URL` and `EPOCHCAST_TOKEN` where not given, `spool_dir` that of
    `EPOCHCAST_SPOOL_DIR`: what cannot be sent is kept there. The same `key` is the same run, also from another process. Of a
    distributed training (`RANK`, `LOCAL_RANK`, `NODE_RANK`) rank zero reports, or with `every_rank` and a `key` each rank, those
    after zero as members `rank-1` ….
    """
    try:
        if launched_task() is not None:
            return attach(url=url, token=token, every_rank=every_rank, spool_dir=spool_dir)
        if is_interactive():
            for earlier in process.open_runs():
                earlier.cancelled("another run was started in the same session")
        started: dict[str, Any] = {
            "trainer": "external",
            "idempotencyKey": str(uuid.uuid4() if key is None else key),
        }
        words = None if name is None else line(str(name), MAX_RUN_NAME_LENGTH)
        texts = {"name": words, "machineId": machine_id, "channelPrefix": channel_prefix}
        started.update({field: str(text) for field, text in texts.items() if text is not None})
        if epochs is not None:
            started["epochs"] = count(epochs)
        if params is not None:
            started["params"] = json_of(params)
        if labels is not None:
            started["labels"] = json_of(labels)
        rank = rank_of_process()
        shares = every_rank and key is not None
        return Run(
            read_settings(url, token, spool_dir),
            {"start": started},
            member=f"rank-{rank}" if rank and shares else None,
            is_rank=True,
            is_quiet=rank > 0 and not shares,
        )
    except Exception as error:
        return _silent(error)


def attach(
    task_id: str | None = None,
    *,
    url: str | None = None,
    token: str | None = None,
    channel_prefix: str | None = None,
    member: str | None = None,
    every_rank: bool = False,
    spool_dir: str | os.PathLike[str] | None = None,
) -> Run:
    """
    Reports to a task that is there: the one this process was launched for (`EPOCHCAST_TASK_ID`), or that of an id. `member`
    names this process in a training of many; see `start` for the rest.
    """
    try:
        task = launched_task() if task_id is None else {"taskId": str(task_id)}
        if task is not None and channel_prefix is not None:
            task["channelPrefix"] = str(channel_prefix)
        settings = read_settings(url, token, spool_dir) if task is not None else None
        rank = rank_of_process()
        is_rank = member is None
        if member is not None:
            member = line(str(member), MAX_NAME_LENGTH)
        elif every_rank and rank:
            member = f"rank-{rank}"
        return Run(
            settings,
            {"task": task} if task is not None else {},
            member=member,
            is_rank=is_rank,
            is_quiet=rank > 0 and member is None,
        )
    except Exception as error:
        return _silent(error)


def end_on_sigterm() -> bool:
    """
    SIGTERM, which Slurm, Kubernetes and others send, ends this process as `sys.exit(143)` does, so that its runs are told as
    cancelled ("interrupted by SIGTERM"); of a task that was launched, its launcher tells the end. Without it Python is gone
    at once, and a run stays RUNNING until it is given up.

    A handler that was there before is called, and decides how the process ends. Only for the main thread, and not for forks.
    Whether SIGTERM is heeded now; if not, why is said.
    """
    return sigterm.end_on_sigterm(_notices)


def patch(library: str, run: Run | None = None, **starting: Any) -> bool:
    """
    Makes a library that a training writes its metrics with report them, too: "tensorboard", whose `SummaryWriter.add_scalar`
    and `add_scalars` go to `run`, or to one that is started with the first scalar, with `starting` as `start` takes it. Whether
    there was something to patch; if not, that is said. What else the library does is left as it is.
    """
    try:
        if library == "tensorboard":
            from . import tensorboard

            return tensorboard.patch(run, lambda: start(**starting))
        _notices.say(
            "patch", f"there is nothing to patch {str(library)[:100]!r} with; expected 'tensorboard'"
        )
    except Exception as error:
        _notices.say("patch", f"{words_of(error)}, so nothing was patched")
    return False


def _silent(error: Exception) -> Run:
    _notices.say("start", f"nothing is reported: {words_of(error)}")
    return Run(None, {})
