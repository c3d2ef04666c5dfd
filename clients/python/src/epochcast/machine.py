"""The machine that a training runs on, looked at every few seconds: what the process and all that it has started take of it."""

import math
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from .limits import MAX_NAME_LENGTH
from .notice import logger
from .sender import start_thread
from .values import line

if TYPE_CHECKING:
    from .run import Run

EVERY_SECONDS = 10.0
"""Time between two looks, where EPOCHCAST_SYSTEM_METRICS_SECONDS says nothing else."""
STEP_SECONDS = 0.5
"""How soon the end of a run is noticed."""
CARD_SECONDS = 5.0
"""Longest wait for nvidia-smi."""
MAX_PROCESSES = 32_768

_PROC = "/proc"
_CLOCK_TICKS = 100.0
_MIB = 1024**2

Metrics = dict[str, float]


def interval(env: Mapping[str, str] = os.environ) -> float | None:
    """
    Seconds between two looks; None for never. A launcher looks at what it has launched itself, so there it takes
    EPOCHCAST_SYSTEM_METRICS=1 to do so from within.
    """
    switch = env.get("EPOCHCAST_SYSTEM_METRICS", "")
    if switch == "0" or (switch != "1" and env.get("EPOCHCAST_TASK_ID")):
        return None
    try:
        seconds = float(env.get("EPOCHCAST_SYSTEM_METRICS_SECONDS") or EVERY_SECONDS)
    except ValueError:
        return EVERY_SECONDS
    if not math.isfinite(seconds) or seconds <= 0:
        return None
    return max(seconds, 0.1)


def watch(run: "Run", member: str | None) -> None:
    """Looks at this process's machine as long as the run lasts. Raises RuntimeError where no thread can be started."""
    seconds = interval()
    if seconds is None or not os.path.exists(f"{_PROC}/self/stat"):
        return
    every = seconds
    node = socket.gethostname() or "localhost"
    # Each rank looks at its own processes.
    name = line(node if member is None else f"{node}/{member}", MAX_NAME_LENGTH)
    sampler = Sampler(os.getpid())

    def look() -> None:
        due = time.monotonic()
        while run._is_open():
            if time.monotonic() >= due:
                due = time.monotonic() + every
                try:
                    metrics = sampler.sample()
                    if metrics and run._is_open():
                        run._sampled(name, metrics)
                except Exception as error:  # such as too many open files, for a while
                    logger.debug("the machine cannot be looked at: %r", error)
            time.sleep(min(STEP_SECONDS, every))

    start_thread(look, "machine")


class Sampler:
    """Rates take two looks, so the first finds nothing."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._smi = shutil.which("nvidia-smi")
        self._before: tuple[float, dict[str, Metrics], tuple[float, float] | None] | None = None

    def sample(self) -> Metrics:
        tree = _tree(self._pid)
        at = time.monotonic()
        counts = {key: _counts(pid, ticks) for key, (pid, ticks) in tree.items()}
        network = _network(self._pid)
        before, self._before = self._before, (at, counts, network)
        if before is None or not tree:
            return {}
        seconds = max(at - before[0], 1e-3)
        metrics: Metrics = {
            "system/cpu_percent": 100 * _grown(before[1], counts, "ticks") / _CLOCK_TICKS / seconds,
            "system/processes": len(tree),
        }
        resident = [count["resident"] for count in counts.values() if "resident" in count]
        if resident:
            metrics["system/memory_bytes"] = sum(resident)
        if any("read" in count for count in counts.values()):
            metrics["system/disk_read_bytes_per_second"] = _grown(before[1], counts, "read") / seconds
            metrics["system/disk_written_bytes_per_second"] = _grown(before[1], counts, "written") / seconds
        if network is not None and before[2] is not None:
            metrics["system/network_received_bytes_per_second"] = (network[0] - before[2][0]) / seconds
            metrics["system/network_sent_bytes_per_second"] = (network[1] - before[2][1]) / seconds
        metrics.update(self._cards({pid for pid, _ in tree.values()}))
        return metrics

    def _cards(self, pids: set[int]) -> Metrics:
        """The graphics cards that these processes use."""
        if self._smi is None:
            return {}
        users = self._ask("--query-compute-apps=gpu_uuid,pid")
        used = {row[0] for row in users if len(row) == 2 and row[1].isdecimal() and int(row[1]) in pids}
        metrics: Metrics = {}
        if not used:
            return metrics
        query = "--query-gpu=index,uuid,utilization.gpu,memory.used,temperature.gpu,power.draw"
        for index, uuid, percent, mebibytes, celsius, watts in (
            row for row in self._ask(query) if len(row) == 6
        ):
            if uuid not in used:
                continue
            for name, text, factor in (
                ("percent", percent, 1),
                ("memory_bytes", mebibytes, _MIB),
                ("temperature_celsius", celsius, 1),
                ("power_watts", watts, 1),
            ):
                try:
                    metrics[f"system/gpu{int(index)}_{name}"] = float(text) * factor
                except ValueError:
                    continue  # a card says "[N/A]" of what it does not know
        return metrics

    def _ask(self, query: str) -> list[list[str]]:
        try:
            done = subprocess.run(
                [self._smi or "", query, "--format=csv,noheader,nounits"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=CARD_SECONDS,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return []
        return [[value.strip() for value in row.split(",")] for row in done.stdout.splitlines() if row]


def _tree(root: int) -> dict[str, tuple[int, float]]:
    """The processes that descend from one: pid and CPU ticks, by what names this very process."""
    children: dict[int, list[int]] = {}
    facts: dict[int, tuple[str, float]] = {}
    for name in os.listdir(_PROC)[:MAX_PROCESSES]:
        text = _text(f"{name}/stat") if name.isdecimal() else None
        if text is None:
            continue
        # The name in parentheses may hold anything.
        fields = text[text.rfind(")") + 2 :].split()
        if len(fields) < 20:
            continue
        children.setdefault(int(fields[1]), []).append(int(name))
        facts[int(name)] = (f"{name} {fields[19]}", float(fields[11]) + float(fields[12]))
    found: dict[str, tuple[int, float]] = {}
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        if pid in facts and facts[pid][0] not in found:
            found[facts[pid][0]] = (pid, facts[pid][1])
            waiting.extend(children.get(pid, []))
    return found


def _counts(pid: int, ticks: float) -> Metrics:
    """What the kernel does not tell, as of another user's process, is not there."""
    counts: Metrics = {"ticks": ticks}
    for row in (_text(f"{pid}/status") or "").splitlines():
        if row.startswith("VmRSS:"):
            counts["resident"] = float(row.split()[1]) * 1024
    for row in (_text(f"{pid}/io") or "").splitlines():
        name, _, value = row.partition(": ")
        if name in ("read_bytes", "write_bytes"):
            counts["read" if name == "read_bytes" else "written"] = float(value)
    return counts


def _network(pid: int) -> tuple[float, float] | None:
    """Bytes that came and went by all interfaces but the loopback."""
    text = _text(f"{pid}/net/dev")
    if text is None:
        return None
    rows: Iterable[tuple[str, list[str]]] = (
        (name.strip(), values.split())
        for name, colon, values in (row.partition(":") for row in text.splitlines())
        if colon
    )
    columns = [values for name, values in rows if name != "lo" and len(values) >= 9]
    return sum(float(values[0]) for values in columns), sum(float(values[8]) for values in columns)


def _grown(before: dict[str, Metrics], now: dict[str, Metrics], name: str) -> float:
    """All of what is new, and nothing of what is gone."""
    return sum(
        max(0.0, count.get(name, 0.0) - before.get(key, {}).get(name, 0.0)) for key, count in now.items()
    )


def _text(file: str) -> str | None:
    try:
        with open(f"{_PROC}/{file}", encoding="utf-8", errors="replace") as opened:
            return opened.read()
    except OSError:
        return None
