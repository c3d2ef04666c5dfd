"""The process that a run lives in: its end, however that comes, and its forks."""

import atexit
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from . import sigterm
from .notice import logger

if TYPE_CHECKING:
    from .run import Run

_open: "dict[int, Run]" = {}
_exit_code: Any = None
_is_watching = False


def watch(run: "Run") -> None:
    """Until it is ended, the end of the process ends it."""
    global _is_watching
    _open[id(run)] = run
    if not _is_watching:
        _is_watching = True
        atexit.register(_at_exit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_in_child)
        _note_exit_code()


def forget(run: "Run") -> None:
    _open.pop(id(run), None)


def open_runs() -> "list[Run]":
    return list(_open.values())


def flush_worker(run: "Run") -> None:
    """A worker of multiprocessing ends without atexit, but not without its own finalizers."""
    util: Any = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.Finalize(run, _close, args=(run,), exitpriority=1)


def _close(run: "Run") -> None:
    try:
        run._close()
    except Exception as error:
        logger.debug("a worker's reports could not be flushed: %r", error)


def _at_exit() -> None:
    from .run import is_interactive

    sigterm.disarm()
    # Set by the interpreter where an exception ends it.
    error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    for run in open_runs():
        try:
            run._exit(_exit_code, error, is_interactive())
        except Exception as broken:
            logger.debug("the end of a run could not be reported: %r", broken)


def _in_child() -> None:
    for run in open_runs():
        run._forked()


def _note_exit_code() -> None:
    """The code of `sys.exit` is nowhere to be read once the interpreter ends."""
    original = sys.exit

    def exit(status: Any = None, /) -> NoReturn:
        global _exit_code
        _exit_code = status
        original(status)

    exit.__doc__ = original.__doc__
    sys.exit = exit
