"""Encoded reports on their way to the server: in memory, or first in a file that outlives the process."""

import json
import os
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

from .limits import MAX_MEMORY_BYTES, MAX_SPOOL_BYTES, TRIM_SPOOL_BYTES

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, sync only after the training
    fcntl = None  # type: ignore[assignment]

VERSION = 1
READ_BYTES = 256 * 1024
WIDTH = 20  # of the number of what is delivered, so that it can be written in place


@dataclass(frozen=True)
class Batch:
    """Consecutive reports of one member, or of the run itself."""

    first: int  # number of its first report in the run: 1, 2, 3 …
    count: int
    member: str | None
    reports: str  # a JSON array

    @property
    def last(self) -> int:
        return self.first + self.count - 1

    def after(self, number: int) -> "Batch":
        """What of it comes after a report."""
        if number < self.first:
            return self
        reports = json.loads(self.reports)[number + 1 - self.first :]
        return Batch(number + 1, len(reports), self.member, json.dumps(reports, separators=(",", ":")))


class SpoolInUse(Exception):
    """A training that still runs has the file."""


class SpoolFile:
    """
    One run's reports in a file: a line that says how many are delivered, of fixed width, written in place; a line with
    what the run is; then a line a batch. Batches are written whole before they are sent, so whatever ends the process,
    `sync` finds each report that was not confirmed. It is not flushed to the disk: a machine that loses power may lose
    the last seconds.

    Raises OSError where the disk is full or away; a line that was begun is taken back then.
    """

    def __init__(self, path: str, header: dict[str, Any] | None) -> None:
        """`header` is for a new file; None opens one that is there. Raises OSError, ValueError or SpoolInUse."""
        self.path = path
        flags = os.O_RDWR | getattr(os, "O_BINARY", 0) | (os.O_CREAT | os.O_EXCL if header is not None else 0)
        self._fd = os.open(path, flags, 0o600)
        try:
            if fcntl:
                try:
                    fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise SpoolInUse(path) from error
            self._size = 0
            if header is not None:
                self._write_line(f"{0:0{WIDTH}d}")
                self._write_line(json.dumps({"version": VERSION, **header}))
        except BaseException:
            os.close(self._fd)
            if header is not None:
                os.unlink(path)  # nothing is in it
            raise
        # Read by hand: a file object would have a lock, and a fork could leave it locked.
        self._read_at, self._chunk, self._chunk_at = 0, b"", 0
        self._last_read = 0  # number of the last report that was read
        try:
            self.delivered = int(self._line() or "")
            self.header: dict[str, Any] = json.loads(self._line() or "")
            if self.header["version"] != VERSION:
                raise ValueError(f"version {self.header['version']} of spool files is not known")
        except (ValueError, KeyError, TypeError) as error:
            self.close()
            raise ValueError(f"{path} is no spool file: {error}") from error
        self._start = self._chunk_at
        self._size = os.fstat(self._fd).st_size

    def _line(self) -> str | None:
        """The next line; None where there is none, or one that a killed process did not finish."""
        while (end := self._chunk.find(b"\n", self._chunk_at)) < 0:
            os.lseek(self._fd, self._read_at, os.SEEK_SET)
            more = os.read(self._fd, READ_BYTES)
            if not more:
                return None
            self._chunk, self._chunk_at = self._chunk[self._chunk_at :] + more, 0
            self._read_at += len(more)
        line = self._chunk[self._chunk_at : end].decode("ascii")
        self._chunk_at = end + 1
        return line

    def append(self, batch: Batch) -> bool:
        """False where the file is as large as it may be. Raises OSError."""
        line = f"{batch.first} {batch.count} {json.dumps(batch.member)}\t{batch.reports}"
        if self._size + len(line) > MAX_SPOOL_BYTES:
            return False
        self._write_line(line)
        return True

    def _write_line(self, line: str) -> None:
        data = memoryview((line + "\n").encode("ascii"))
        written = 0
        try:
            os.lseek(self._fd, self._size, os.SEEK_SET)
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except OSError:
            os.ftruncate(self._fd, self._size)
            raise
        self._size += written

    def next(self) -> Batch | None:
        """The first batch that has not been read; a line that a killed process did not finish is none."""
        while (line := self._line()) is not None:
            place, reports = line.split("\t")
            first, count, member = place.split(" ", 2)
            batch = Batch(int(first), int(count), json.loads(member), reports)
            self._last_read = batch.last
            if batch.last > self.delivered:
                return batch.after(self.delivered)
        return None

    def confirm(self, number: int) -> None:
        """In place, so that it needs no room on a disk that is full. Raises OSError."""
        self.delivered = number
        os.lseek(self._fd, 0, os.SEEK_SET)
        os.write(self._fd, f"{number:0{WIDTH}d}".encode())
        is_read = self._read_at == self._size and self._chunk_at == len(self._chunk)
        if self._size > TRIM_SPOOL_BYTES and is_read and number >= self._last_read:
            os.ftruncate(self._fd, self._start)
            self._size = self._read_at = self._start
            self._chunk, self._chunk_at = b"", 0

    def close(self, *, remove: bool = False, aside: bool = False) -> None:
        """`aside` leaves it under another name, where `sync` does not look. Raises OSError."""
        try:
            if remove:
                os.unlink(self.path)
            elif aside:
                os.replace(self.path, f"{self.path}.refused")
        finally:
            os.close(self._fd)

    def abandon(self) -> None:
        """In a forked child, where the file is its parent's, and the lock, too."""
        try:
            os.close(self._fd)
        except OSError:
            pass


class Outbox:
    """
    Batches in their order: the older ones in the file, where there is one, then those in memory. Two threads share it: one
    appends, the other takes and confirms.
    """

    def __init__(self, spool: SpoolFile | None = None) -> None:
        self.spool = spool
        self._lock = threading.Lock()
        self._memory: deque[Batch] = deque()
        self._memory_bytes = 0
        self._memory_reports = 0
        self._taken: Batch | None = None  # the oldest, from the file or from memory, until it is confirmed
        self._is_taken_in_file = False
        self.delivered = spool.delivered if spool else 0
        self.spool_error: OSError | None = None

    def append(self, batch: Batch, *, force: bool = False) -> bool:
        """False where there is no room. `force` is for what tells how the run ended."""
        with self._lock:
            if self._to_file(batch):
                return True
            if not force and self._memory_bytes + len(batch.reports) > MAX_MEMORY_BYTES:
                return False
            self._memory.append(batch)
            self._memory_bytes += len(batch.reports)
            self._memory_reports += batch.count
            return True

    def _to_file(self, batch: Batch) -> bool:
        """Those in memory are older, so they go first."""
        if self.spool is None:
            return False
        try:
            while self._memory:
                if not self.spool.append(self._memory[0]):
                    return False
                self._pop()
            if not self.spool.append(batch):
                return False
        except OSError as error:
            self.spool_error = error
            return False
        self.spool_error = None
        return True

    def _pop(self) -> Batch:
        batch = self._memory.popleft()
        self._memory_bytes -= len(batch.reports)
        self._memory_reports -= batch.count
        return batch

    def oldest(self) -> Batch | None:
        """The next batch to send, until it is confirmed."""
        with self._lock:
            if self._taken is None and self.spool is not None:
                try:
                    self._taken = self.spool.next()
                except OSError as error:  # a disk that is away; what is there is for `sync`
                    self.spool_error = error
                self._is_taken_in_file = self._taken is not None
            if self._taken is None and self._memory:
                self._taken = self._pop()
                self._is_taken_in_file = False
            return self._taken

    def confirm(self, number: int) -> None:
        """All reports up to this one have been delivered, or refused for good."""
        with self._lock:
            self.delivered = number
            if self._taken is not None:
                self._taken = self._taken.after(number) if number < self._taken.last else None
            if self.spool is not None:
                try:
                    self.spool.confirm(number)
                except OSError as error:
                    self.spool_error = error

    @property
    def is_empty(self) -> bool:
        return self.oldest() is None

    def reports_in_memory(self) -> int:
        """Those that end with the process. It waits for no lock: whoever has it may hang on its disk."""
        taken = self._taken
        of_taken = taken.count if taken is not None and not self._is_taken_in_file else 0
        return of_taken + self._memory_reports
