"""From a call in the training's thread to the outbox: a queue, and a thread that encodes what comes."""

import os
import queue
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from . import encode
from .limits import (
    AWAKE_SECONDS,
    FLUSH_SECONDS,
    LINGER_SECONDS,
    MAX_BATCH_BYTES,
    MAX_BATCH_REPORTS,
    MAX_QUEUED_REPORTS,
    SPOOLED_FLUSH_SECONDS,
)
from .notice import Notices, words_of
from .outbox import Batch, Outbox, SpoolFile
from .sender import Sender, new_producer, start_thread
from .server import Server
from .settings import Settings
from .sigterm import delivering

Item = tuple[Any, ...]
"""kind, member, time, and what `encode` has for that kind."""

MARK = "mark"


class Pipeline:
    """
    One process's reports of one run. `put` is called in the training's thread (or in a signal handler within it), so it
    takes no lock, waits for nothing, and only a queue is behind it.
    """

    def __init__(self, settings: Settings, target: dict[str, Any], notices: Notices) -> None:
        self._settings = settings
        self._notices = notices
        self._target = {**target, "producer": new_producer()}
        self._queue: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._pid = os.getpid()
        self._left_out = 0
        self._left_out_told = 0
        self._next = 1
        self._closing = False
        self._is_encoded = False
        self._encoding = 0  # reports that are neither in the queue nor in the outbox
        self._has_end = False  # is encoded, after which the server takes nothing
        self._is_left = False
        self._is_broken = False  # reports were left out by an error of its own
        self._finishing = threading.Lock()
        self.outbox = Outbox()
        self.server = Server(settings.url, settings.token)
        self.sender = Sender(self.server, self.outbox, notices, self._target)
        start_thread(self._encode_all, "encoder")
        start_thread(self._send_all, "sender")
        start_thread(self._watch, "watch")

    def _open_spool(self) -> SpoolFile | None:
        folder = self._settings.spool_dir
        if folder is None:
            return None
        try:
            os.makedirs(folder, exist_ok=True)
            name = f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}-{uuid.uuid4().hex[:8]}.epochcast"
            return SpoolFile(os.path.join(folder, name), {"url": self._settings.url, **self._target})
        except Exception as error:
            self._notices.say(
                "spool", f"nothing can be kept in {folder!r} ({words_of(error)}); only memory is used"
            )
            return None

    def put(self, item: Item) -> None:
        """Of what comes faster than it can be encoded, the newest is left out; never what ends the run (`put_end`)."""
        if self._queue.qsize() < MAX_QUEUED_REPORTS:
            self._queue.put(item)
        else:
            self._left_out += 1

    def put_end(self, item: Item) -> None:
        self._queue.put(item)

    def flush(self, timeout: float) -> bool:
        """Waits until all that was put before is delivered; whether it is."""
        until = time.monotonic() + max(timeout, 0.0)
        if os.getpid() != self._pid:  # a fork of a process that had ended the run: its threads are not here
            return self._is_encoded and self._has_delivered(self._next - 1)
        numbers: list[int] = []
        self._queue.put((MARK, None, numbers))
        self._poll(lambda: bool(numbers) or self._is_encoded, until)
        if not numbers and not self._is_encoded:
            return False
        # After the end nobody reads the mark, and no report comes any more.
        last = numbers[0] if numbers else self._next - 1
        self._poll(lambda: self.sender.is_done or self._is_at_server(last), until)
        return self._has_delivered(last)

    def _has_delivered(self, last: int) -> bool:
        """Whether all that was reported up to this one is at the server: nothing was left out or refused."""
        is_whole = not (self._left_out or self._is_broken or self.sender.has_refused or self.sender.is_over)
        return is_whole and self._is_at_server(last)

    def _is_at_server(self, last: int) -> bool:
        return self.sender.task is not None and self.outbox.delivered >= last

    def close(self) -> None:
        """
        Waits until all is delivered, or, with a spool and a server that is away, is in the spool. It polls, because a lock
        could be held by the very thread that a signal handler interrupts.
        """
        with delivering():
            self._close()

    def _close(self) -> None:
        is_safe_soon = self.outbox.spool is not None and self.sender.is_away
        until = time.monotonic() + (SPOOLED_FLUSH_SECONDS if is_safe_soon else FLUSH_SECONDS)
        self._closing = True
        self._queue.put(None)
        self._poll(lambda: self._is_encoded, until)
        # A short training ends before its spool is open.
        spooled = self._is_encoded and self.outbox.spool is not None
        safe = spooled and self.outbox.reports_in_memory() == 0
        self.sender.close(gives_up=safe)
        self._poll(lambda: self.sender.is_done, until)
        self._tell_rest()

    def abandon(self) -> None:
        """In a forked child: the threads are the parent's, and so is the file."""
        if self.outbox.spool is not None:
            self.outbox.spool.abandon()

    def _poll(self, condition: Callable[[], bool], until: float) -> None:
        while not condition() and time.monotonic() < until:
            time.sleep(0.005)

    def _tell_rest(self) -> None:
        """What `close` can say; where the server is still being waited for, the thread that does so finishes later."""
        self._is_left = True
        folder = self._settings.spool_dir if self.outbox.spool is not None else None
        if self.sender.is_done and self._is_encoded:
            is_delivered = not self.sender.is_over and self.outbox.is_empty
            lost = 0 if self.sender.is_over else self.outbox.reports_in_memory()
            self._finish(is_delivered)
            if is_delivered or self.sender.is_over:
                return
        else:
            # The last in the queue is no report.
            queued = 0 if self._is_encoded else self._encoding + max(0, self._queue.qsize() - 1)
            lost = self.outbox.reports_in_memory() + queued
        if lost:
            self._notices.say(
                "lost-at-end", f"the training is over and {lost} reports could not be delivered"
            )
        if folder is not None:
            self._notices.say(
                "spooled", f"what could not be delivered is kept: python -m epochcast sync {folder}"
            )

    def _finish(self, is_delivered: bool) -> None:
        """Once, by whichever thread comes first: the file goes, or is left to `sync`."""
        spool = self.outbox.spool
        if spool is None or not self._finishing.acquire(blocking=False):
            return
        self.outbox.spool = None
        try:
            spool.close(remove=is_delivered, aside=self.sender.is_over)
            if self.sender.is_over:
                self._notices.say("aside", f"what was refused is kept in {spool.path}.refused")
        except OSError as error:
            self._notices.say("spool-end", f"the spool file cannot be closed: {words_of(error)}")

    def _send_all(self) -> None:
        self.sender.run()
        if self._is_left and self._is_encoded:
            self._finish(not self.sender.is_over and self.outbox.is_empty)

    def _watch(self) -> None:
        """Ends calls that last too long."""
        while not self.sender.is_done:
            self.server.abort_overdue()
            time.sleep(1.0)

    def _encode_all(self) -> None:
        try:
            # Not where the run begins, as its disk may hang.
            self.outbox.spool = self._open_spool()
            while not (self._closing and self._queue.empty()):
                items = self._some_items()
                self._encoding = len(items)
                try:
                    self._append(items)
                except Exception as error:
                    self._is_broken = True
                    self._notices.say("bug", f"{len(items)} reports were left out, {words_of(error)}")
                self._encoding = 0
        finally:
            self._is_encoded = True
            self.sender.wake()

    def _some_items(self) -> list[Item]:
        """Those that came since it looked last, and once nothing comes any more, the next one."""
        items: list[Item] = []
        until = time.monotonic() + AWAKE_SECONDS
        # It looks by itself, because a thread that sleeps in `get` would have to be woken by the training's own, which costs that
        # thread a system call and often its core.
        while self._queue.empty() and not self._closing:
            if time.monotonic() < until:
                time.sleep(LINGER_SECONDS)
                continue
            first = self._queue.get()
            if first is not None:
                items.append(first)
            break
        try:
            while len(items) < MAX_BATCH_REPORTS:
                item = self._queue.get_nowait()
                if item is not None:
                    items.append(item)
        except queue.Empty:
            pass
        return items

    def _append(self, items: list[Item]) -> None:
        """As batches, each of one member; what ends the run is alone, so that nothing beside it is refused with it."""
        texts: list[str] = []
        size, of = 0, None
        for item in items:
            kind, member = item[0], item[1]
            if self._has_end and kind != MARK:
                continue  # of a thread that was in a call when another one ended the run
            is_end = kind in encode.ENDS
            if kind == MARK or is_end:
                self._append_batch(of, texts)
                texts, size = [], 0
            if kind == MARK:
                item[2].append(self._next - 1)
                continue
            if is_end:
                self._has_end = True
                self._tell_left_out(force=True)
            for text in encode.reports(item, self._notices):
                if texts and (member != of or size + len(text) > MAX_BATCH_BYTES):
                    self._append_batch(of, texts)
                    texts, size = [], 0
                texts.append(text)
                size, of = size + len(text) + 1, member
                if is_end or len(texts) == MAX_BATCH_REPORTS:
                    self._append_batch(of, texts, force=is_end)
                    texts, size = [], 0
        self._append_batch(of, texts)
        if not self._has_end:
            self._tell_left_out(force=self._closing)
        self.sender.wake()

    def _append_batch(self, member: str | None, texts: list[str], *, force: bool = False) -> None:
        if texts and not self._append_texts(member, texts, force=force):
            self._left_out += len(texts)

    def _append_texts(self, member: str | None, texts: list[str], *, force: bool) -> bool:
        """False where there is no room."""
        if self.sender.is_over:
            return True  # nobody would take them
        batch = Batch(self._next, len(texts), member, f"[{','.join(texts)}]")
        is_appended = self.outbox.append(batch, force=force)
        if is_appended:
            self._next += batch.count
        error = self.outbox.spool_error
        if error is not None:
            self._notices.say("spool", f"the spool cannot be written ({words_of(error)}); memory is used")
        return is_appended

    def _tell_left_out(self, *, force: bool) -> None:
        """Loss is never silent: neither here nor on the server. A word for which there is no room waits for the next turn."""
        count = self._left_out - self._left_out_told
        if count == 0:
            return
        words = f"{count} reports were left out: more came than could be sent or kept"
        self._notices.say("left-out", words)
        note = encode.reports(("error", None, time.time(), words, "ReportsLeftOut"), self._notices)
        if self._append_texts(None, note, force=force):
            self._left_out_told += count
