"""SIGTERM, by which Slurm, Kubernetes and others end a process: Python would be gone at once, and its run stay RUNNING."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from .notice import Notices, words_of

EXIT_CODE = 128 + signal.SIGTERM


class Terminated(SystemExit):
    """Raised in the main thread, where there was no handler of the training's own."""


_owner = 0  # the process that asked for it; its forks do not
_earlier: Any = signal.SIG_DFL
_has_come = False
_is_due = False
_closing = 0  # ends of runs that are being delivered in the main thread


def end_on_sigterm(notices: Notices) -> bool:
    global _owner, _earlier
    if _owner == os.getpid():
        return True
    try:
        earlier = signal.getsignal(signal.SIGTERM)
        if earlier in (None, signal.SIG_IGN):
            what = "is ignored in this process" if earlier else "has a handler that is not Python's"
            notices.say("sigterm", f"SIGTERM {what}, and that stays so")
            return False
        if earlier is not _on_sigterm:
            signal.signal(signal.SIGTERM, _on_sigterm)
            _earlier = earlier
        _owner = os.getpid()
        return True
    except Exception as error:
        notices.say("sigterm", f"end_on_sigterm has no effect, {words_of(error)}")
        return False


def has_come() -> bool:
    return _has_come


@contextmanager
def delivering() -> Iterator[None]:
    """What ends a run is still delivered, which takes a bounded time."""
    global _closing, _is_due
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _closing += 1
    try:
        yield
    finally:
        _closing -= 1
        if _is_due and not _closing:
            _is_due = False
            _terminate()


def disarm() -> None:
    """The process ends by itself, so nothing is to be raised any more."""
    global _closing
    _closing += 1


def _on_sigterm(number: int, frame: Any) -> None:
    global _has_come, _is_due
    if os.getpid() != _owner:
        _as_before(number, frame)
        return
    is_first, _has_come = not _has_come, True
    if callable(_earlier):
        _earlier(number, frame)
    elif _closing == 0:
        _terminate()
    elif is_first:
        _is_due = True


def _as_before(number: int, frame: Any) -> None:
    if callable(_earlier):
        _earlier(number, frame)
    else:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def _terminate() -> NoReturn:
    raise Terminated(EXIT_CODE)
