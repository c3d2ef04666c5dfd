"""What `run.log` of ten metrics costs in the training's thread:  python clients/python/bench/log_calls.py URL

With a server, one that accepts connections and never replies, one that is absent, and none configured; one call after
the other, and one a millisecond, as a training has it. Prints microseconds a call, by the process's own clock.
"""

import os
import platform
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

import logging

import epochcast

METRICS = {f"metric{i}": i * 1.5 for i in range(10)}
RUNS = 3


@contextmanager
def black_hole() -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/graphql"


def measure(run: epochcast.Run, calls: int, pause: float) -> tuple[float, float, float, float]:
    """Mean, median, 99th percentile and maximum, in microseconds."""
    took = []
    for step in range(calls):
        began = time.perf_counter_ns()
        run.log(METRICS, step=step)
        took.append(time.perf_counter_ns() - began)
        if pause:
            time.sleep(pause)
    took.sort()
    return tuple(ns / 1000 for ns in (sum(took) / calls, took[calls // 2], took[calls * 99 // 100], took[-1]))


def main() -> None:
    logging.getLogger("epochcast").setLevel(logging.ERROR)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with black_hole() as hole:
        for name, url in {
            "server": sys.argv[1],
            "never replies": hole,
            "absent": "http://127.0.0.1:9/graphql",
            "none configured": None,
        }.items():
            for way, calls, pause in (
                ("one after the other", 20_000, 0.0),
                ("one a millisecond", 2_000, 0.001),
            ):
                best = min(measured(url, calls, pause) for _ in range(RUNS))
                words = "mean {:.2f}  median {:.2f}  p99 {:.2f}  max {:.0f}".format(*best)
                print(f"{name:16} {way:20} {words}")
    run = epochcast.start(url=sys.argv[1])
    began = time.perf_counter()
    for step in range(100_000):
        run.log(METRICS, step=step)
        if step % 200 == 0:
            time.sleep(0.01)  # 20,000 a second
    run.flush(120)
    print(f"sustained: 100,000 reports delivered in {time.perf_counter() - began:.1f} s")
    run.success()


def measured(url: str | None, calls: int, pause: float) -> tuple[float, float, float, float]:
    run = epochcast.start(url=url)
    try:
        return measure(run, calls, pause)
    finally:
        run._has_ended, run._is_reporting = True, False  # the next one is not to wait for its end


if __name__ == "__main__":
    main()
