"""What a `log()` of ten metrics costs the training's thread, here and in other packages:

    python -m venv bench && bench/bin/pip install -r clients/python/bench/requirements.txt
    bench/bin/python clients/python/bench/compare.py URL

Each candidate is a process of its own, and they take turns for some rounds. Between two calls the thread computes for 200
microseconds, as a training does. Prints a table in Markdown, of microseconds a call: its time by the clock, in which other work
on the machine has a part, and the processor time of the thread, in which it has none.
"""

import contextlib
import http.server
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

METRICS = {f"metric{i}": i * 1.5 for i in range(10)}
ROUNDS = 5
WARM_UP_CALLS = 50
CALLS = 2000
MAX_SECONDS = 10.0  # of one candidate in one round; one that is slow has fewer calls
PAUSE_NS = 200_000
SUSTAINED = 100_000
PER_SECOND = 25_000  # at which they come

Log = Callable[[int], Any]


def copied(_url: str) -> Log:
    """What the machine makes of anything at all that touches ten metrics."""
    return lambda _step: {name: float(value) for name, value in METRICS.items()}


def epochcast_log(url: str | None) -> Log:
    import epochcast

    run = epochcast.start(url=url)
    return lambda step: run.log(METRICS, step=step)


def wandb_log(_url: str) -> Log:
    os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true")
    import wandb

    wandb.init(project="bench", dir=os.getcwd())
    return lambda step: wandb.log(METRICS, step=step)


def mlflow_log(_url: str) -> Log:
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    import mlflow

    mlflow.set_tracking_uri(Path("mlruns").absolute().as_uri())
    mlflow.start_run()
    return lambda step: mlflow.log_metrics(METRICS, step=step)


def tensorboard_log(_url: str) -> Log:
    from tensorboardX import SummaryWriter

    writer = SummaryWriter("runs")

    def log(step: int) -> None:
        for name, value in METRICS.items():
            writer.add_scalar(name, value, step)

    return log


def trackio_log(_url: str) -> Log:
    os.environ["TRACKIO_DIR"] = os.getcwd()
    import trackio

    trackio.init(project="bench")
    return lambda step: trackio.log(METRICS, step=step)


CANDIDATES: dict[str, tuple[str | None, Callable[[Any], Log]]] = {
    "epochcast": ("there", epochcast_log),
    "epochcast, a server that never replies": ("hangs", epochcast_log),
    "epochcast, a server that answers 500": ("500", epochcast_log),
    "epochcast, no server": ("absent", epochcast_log),
    "epochcast, none configured": (None, epochcast_log),
    "control: a copy of the ten metrics": (None, copied),
    "wandb (offline)": (None, wandb_log),
    "mlflow (file store)": (None, mlflow_log),
    "tensorboardX": (None, tensorboard_log),
    "trackio": (None, trackio_log),
}


def measure(log: Log) -> dict[str, float]:
    for step in range(WARM_UP_CALLS):
        log(step)
    clock, own, calls = time.perf_counter_ns, time.thread_time_ns, []
    until = clock() + MAX_SECONDS * 1e9
    for step in range(WARM_UP_CALLS, WARM_UP_CALLS + CALLS):
        busy_until = clock() + PAUSE_NS
        while clock() < busy_until:
            pass
        cpu, began = own(), clock()
        log(step)
        ended = clock()
        calls.append((ended - began, own() - cpu))
        if ended > until:
            break
    walls, cpus = sorted(wall for wall, _cpu in calls), sorted(cpu for _wall, cpu in calls)
    return {
        "calls": len(calls),
        "mean": statistics.mean(walls) / 1000,
        "median": walls[len(walls) // 2] / 1000,
        "p99": walls[len(walls) * 99 // 100] / 1000,
        "cpu mean": statistics.mean(cpus) / 1000,
        "cpu p99": cpus[len(cpus) * 99 // 100] / 1000,
    }


def in_process(name: str, url: str) -> dict[str, float] | str:
    """Its figures, or why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "HOME": folder}
        command = [sys.executable, str(Path(__file__).absolute()), "--one", name, url]
        try:
            done = subprocess.run(
                command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False
            )
        except subprocess.TimeoutExpired:
            return "it did not end within two minutes"
        for line in reversed(done.stdout.splitlines()):
            if line.startswith("{"):
                return dict(json.loads(line))
        return (done.stderr.strip().splitlines() or ["no output"])[-1][:100]


def sustained(url: str) -> str:
    """Whether reports that come at a rate arrive at it, none left out."""
    import epochcast

    run = epochcast.start(url=url)
    run.flush(30)
    cpu, began = time.process_time(), time.perf_counter()
    for step in range(SUSTAINED):
        run.log(METRICS, step=step)
        while (ahead := began + step / PER_SECOND - time.perf_counter()) > 0.002:
            time.sleep(ahead)
    put = time.perf_counter() - began
    delivered = run.flush(300)
    took = time.perf_counter() - began
    used = (time.process_time() - cpu) / SUSTAINED * 1e6
    left_out = run._pipeline._left_out if run._pipeline is not None else SUSTAINED
    run.success()
    what = "all" if delivered and not left_out else f"all but {left_out:,}" if delivered else "NOT ALL"
    return (
        f"{SUSTAINED:,} reports, put at {SUSTAINED / put:,.0f} a second, {what} delivered at {(SUSTAINED - left_out) / took:,.0f} a second, "
        f"for {used:.1f} µs of this process's processor time each (load {os.getloadavg()[0]:.1f})"
    )


class Always500(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(500)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        pass


@contextlib.contextmanager
def servers(url: str) -> Iterator[dict[str | None, str]]:
    with socket.socket() as hole, http.server.ThreadingHTTPServer(("127.0.0.1", 0), Always500) as broken:
        hole.bind(("127.0.0.1", 0))
        hole.listen()
        threading.Thread(target=broken.serve_forever, daemon=True).start()
        yield {
            None: "",
            "there": url,
            "hangs": f"http://127.0.0.1:{hole.getsockname()[1]}/graphql",
            "500": f"http://127.0.0.1:{broken.server_port}/graphql",
            "absent": "http://127.0.0.1:9/graphql",
        }
        broken.shutdown()


def versions() -> str:
    return ", ".join(f"{name} {version(name)}" for name in ("wandb", "mlflow", "tensorboardX", "trackio"))


def main(url: str) -> None:
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in CANDIDATES}
    failed: dict[str, str] = {}
    loads = []
    with servers(url) as urls:
        for _ in range(ROUNDS):
            for name, (server, _make) in CANDIDATES.items():
                if name in failed:
                    continue
                loads.append(os.getloadavg()[0])
                found = in_process(name, urls[server])
                if isinstance(found, str):
                    failed[name] = found
                else:
                    rounds[name].append(found)
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {min(loads):.1f} to {max(loads):.1f}, "
        f"{ROUNDS} rounds; {versions()}\n"
    )
    columns = ("mean", "median", "p99", "cpu mean", "cpu p99")
    print(f"| candidate | {' | '.join(columns)} | mean, of epochcast's in the round |")
    print("|---" * (len(columns) + 2) + "|")
    for name, found in rounds.items():
        if name in failed:
            print(f"| {name} | not measured: {failed[name]} |")
            continue
        cells = [f"{statistics.median(one[column] for one in found):,.1f}" for column in columns]
        ratios = [one["mean"] / ours["mean"] for one, ours in zip(found, rounds["epochcast"], strict=True)]
        print(f"| {name} | {' | '.join(cells)} | {statistics.median(ratios):.1f} |")
    print()
    for _ in range(3):
        print(f"- {sustained(url)}")


def one(name: str, url: str) -> None:
    import logging

    logging.disable(logging.WARNING)
    _server, make = CANDIDATES[name]
    print(json.dumps(measure(make(url or None))), flush=True)
    os._exit(0)  # what has yet to be sent is not what is measured


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        one(*sys.argv[2:])
    else:
        main(sys.argv[1])
