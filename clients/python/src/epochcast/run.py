"""A run as a training sees it."""

import os
import sys
import time
from types import TracebackType
from typing import Any

from . import machine, process, sigterm
from .limits import MAX_NAME_LENGTH
from .notice import Notices, words_of
from .pipeline import Pipeline
from .scope import Scope, told
from .settings import Settings, launched_task
from .values import line


class Run(Scope):
    """
    One training. As a context manager it reports how the block ended: success, failure with the end of the traceback, or
    cancelled, where it was asked to stop or interrupted at the keyboard.
    """

    def __init__(
        self,
        settings: Settings | None,
        target: dict[str, Any],
        *,
        member: str | None = None,
        is_rank: bool = False,
        is_quiet: bool = False,
        is_copy: bool = False,
    ) -> None:
        """
        Without settings nothing is reported. A quiet run reports failures only: rank zero speaks for the others. The
        failure of a member that is a rank is that of the run. A copy, in another process, ends with it and not the run.
        """
        super().__init__(self, member)
        self._settings = settings
        self._target = target
        self._notices = Notices()
        self._owner = 0 if is_copy else os.getpid()
        self._is_rank = is_rank
        self._is_quiet = is_quiet
        self._is_reporting = settings is not None and not is_quiet
        self._has_ended = False
        self._pipeline: Pipeline | None = None
        if self._is_reporting:
            self._pipe()
            process.watch(self)
            if not is_copy:
                machine.watch(self, member)

    def member(self, name: Any) -> Scope:
        """A rank, client or node of this run: its values are in curves of its own."""
        try:
            named = line(str(name), MAX_NAME_LENGTH)
        except Exception:
            named = type(name).__name__
        return Scope(self, named)

    def epoch_start(self, epoch: Any, total_epochs: Any = None) -> None:
        try:
            if self._may("epoch_start"):
                self._put("epochStart", epoch, total_epochs)
        except Exception as error:
            self._say("call", f"a call of epoch_start was left out, {words_of(error)}")

    def status(self, message: Any) -> None:
        """What the training is doing, in words."""
        try:
            if self._may("status"):
                self._put("status", "RUNNING", message)
        except Exception as error:
            self._say("call", f"a call of status was left out, {words_of(error)}")

    def success(self, result: Any = None) -> None:
        """The training has ended well; `result` is at most 64 KiB of JSON. Waits for what has yet to be sent, for a bounded time."""
        self._end("success", result)

    def failure(self, error: BaseException | str, error_type: str | None = None) -> None:
        """The training has failed. Waits as `success` does."""
        try:
            words = told(error, error_type)
        except Exception:
            words = (type(error).__name__, None)
        self._end("failure", *words)

    def cancelled(self, message: str | None = None) -> None:
        """The training has stopped because it was to. Waits as `success` does."""
        self._end("end_status", "CANCELLED", message)

    @property
    def should_stop(self) -> bool:
        """Whether somebody cancelled the training. Known from the last reply of the server, so it costs nothing to ask."""
        pipeline = self._pipeline
        return pipeline is not None and pipeline.sender.stop_requested

    @property
    def task_id(self) -> str | None:
        """The id of the task; None until the server has registered the run."""
        task = self._pipeline.sender.task if self._pipeline is not None else self._target.get("task")
        return None if task is None else task["taskId"]

    def flush(self, timeout: float = 10.0) -> bool:
        """
        Waits until all that was reported is at the server, also after the end of the run; whether it is. False where the time
        is over before, and where something was left out, refused or left to `sync`.
        """
        try:
            pipeline = self._pipeline
            if pipeline is None:  # a fork that has reported nothing yet has nothing to wait for
                return self._settings is not None and not self._is_quiet
            return pipeline.flush(timeout)
        except Exception as error:
            self._say("call", f"a call of flush was left out, {words_of(error)}")
            return False

    def __enter__(self) -> "Run":
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if os.getpid() != self._owner:
            self._close()  # a forked child leaves the block; it is the parent's
        elif isinstance(error, KeyboardInterrupt):
            self.cancelled("stopped" if self.should_stop else "interrupted at the keyboard")
        elif sigterm.has_come() and (error is None or isinstance(error, SystemExit)):
            self._end_by_sigterm()
        elif error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
            self._end_well()
        else:
            self.failure(error)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Run":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        task = None if self.task_id is None else {**self._target.get("task", {}), "taskId": self.task_id}
        target = self._target if task is None else {"task": task}
        return _copy_of, (self._settings, target, self._member, self._is_rank, self._is_quiet)

    def _end_well(self) -> None:
        if self.should_stop:
            self.cancelled("stopped")
        else:
            self.success()

    def _end_by_sigterm(self) -> None:
        """Of a task that was launched, the launcher tells the end: where it reports none, a queue may launch it again."""
        launched, task = launched_task(), self._target.get("task")
        if self.should_stop:
            self.cancelled("stopped")
        elif launched is not None and task is not None and task["taskId"] == launched["taskId"]:
            self._close()
        else:
            self.cancelled("interrupted by SIGTERM")

    def _end(self, kind: str, *given: Any) -> None:
        """Once; what is reported afterwards is left out."""
        try:
            if self._has_ended or self._settings is None:
                return
            if self._member is not None and not (self._is_rank and kind == "failure"):
                if kind == "failure":
                    self._put("error", *given)  # of a member's own: the others may go on
                self._close()
                return
            self._has_ended = True
            if self._is_quiet and (kind != "failure" or "task" not in self._target):
                return
            self._is_reporting = True
            pipeline = self._pipe()
            self._is_reporting = False
            if pipeline is not None:
                pipeline.put_end((kind, None, time.time(), *given))
                pipeline.close()
            process.forget(self)
        except Exception as error:
            self._say("end", f"the end could not be reported, {words_of(error)}")

    def _exit(self, code: Any, error: BaseException | None, is_interactive: bool) -> None:
        """At the end of the process, of a run that nobody has ended."""
        if os.getpid() != self._owner or self._member is not None:
            self._close()
        elif isinstance(error, KeyboardInterrupt):
            self.cancelled("interrupted at the keyboard")
        elif sigterm.has_come() and error is None:
            self._end_by_sigterm()
        elif is_interactive:
            self.cancelled("the interactive session was closed")
        elif error is not None:
            self.failure(error)
        elif code not in (None, 0):
            self.failure(f"the training exited with {code}"[:1000], "SystemExit")
        else:
            self._end_well()

    def _close(self) -> None:
        """Delivers what there is, and reports no end."""
        self._has_ended, self._is_reporting = True, False
        if self._pipeline is not None:
            self._pipeline.close()
        process.forget(self)

    def _is_open(self) -> bool:
        return not self._has_ended and os.getpid() == self._owner

    def _sampled(self, node: str, metrics: dict[str, float]) -> None:
        """How the machine stands: no word of the training."""
        pipeline = self._pipeline
        if pipeline is not None:
            pipeline.put(("system", node, time.time(), metrics))

    def _forked(self) -> None:
        """In the child: threads, queue and file are the parent's, so it gets its own with its first report."""
        pipeline, self._pipeline = self._pipeline, None
        if pipeline is not None:
            if pipeline.sender.task is not None:
                self._target = {"task": pipeline.sender.task}
            pipeline.abandon()

    def _pipe(self) -> Pipeline | None:
        if not self._is_reporting or self._settings is None:
            return None
        if self._pipeline is None:
            self._pipeline = Pipeline(self._settings, self._target, self._notices)
            if os.getpid() != self._owner:
                process.flush_worker(self)
        return self._pipeline

    def _may(self, kind: str) -> bool:
        if self._member is not None:
            self._say("member", f"a member does not report {kind}; the run itself does")
        return self._member is None

    def _say(self, kind: str, words: str) -> None:
        self._notices.say(kind, words)


def _copy_of(
    settings: Settings | None, target: dict[str, Any], member: str | None, is_rank: bool, is_quiet: bool
) -> Run:
    return Run(settings, target, member=member, is_rank=is_rank, is_quiet=is_quiet, is_copy=True)


def is_interactive() -> bool:
    """A prompt or a notebook: the process goes on after each error, and after each training."""
    return hasattr(sys, "ps1") or bool(sys.flags.interactive)
