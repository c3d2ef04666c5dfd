"""Real federated trainings by Flower: its SuperLink and two SuperNodes, and its older server and two clients, all processes."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.processes import PACKAGE, Process, ServerProcess, Trainer, free_port, is_listening, until
from support.tasks import cancel, ended, events, task, task_named

from epochcast.flower import epochcast_strategy
from epochcast.notice import Notices

APP = Path(__file__).parents[1] / "support/flower_app"


class FlowerProcess(Process):
    """A program of Flower's, from the environment of the Python that runs the tests, that listens on a port."""

    def __init__(self, program: str, args: list[str], env: dict[str, str], log: Path) -> None:
        super().__init__()
        self.port = free_port()
        address = ["--host", "127.0.0.1", "--port", str(self.port)]
        self.command = [str(Path(sys.executable).parent / program), "--insecure", *address, *args]
        self.env, self.log = env, log

    def start(self) -> None:
        with self.log.open("w") as log:
            self.child = subprocess.Popen(self.command, env=self.env, stdout=log, stderr=log)
        until(self.command[0], lambda: is_listening(self.port))


@pytest.fixture(scope="module")
def flower(
    server: ServerProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, int], subprocess.Popen[str]]]:
    """Runs the app for so many rounds; Flower's processes stay for the next."""
    home = tmp_path_factory.mktemp("flower")
    programs = str(Path(sys.executable).parent)
    env = {
        "PATH": os.pathsep.join([programs, os.environ["PATH"]]),
        "HOME": str(home),
        "FLWR_HOME": str(home),
        "FLWR_DISABLE_UPDATE_CHECK": "1",
        "FLWR_TELEMETRY_ENABLED": "0",
        "PYTHONPATH": str(PACKAGE),
        "EPOCHCAST_URL": server.url,
    }
    link = FlowerProcess(
        "flower-superlink", ["--disable-runtime-dependency-installation"], env, home / "link.log"
    )
    nodes = [
        FlowerProcess(
            "flower-supernode",
            ["--superlink", f"127.0.0.1:{link.port}", "--node-config", f"number={number}"],
            env,
            home / f"node-{number}.log",
        )
        for number in (1, 2)
    ]
    (home / "config.toml").write_text(
        f'[superlink.test]\naddress = "127.0.0.1:{link.port}"\ninsecure = true\n'
    )
    runs: list[subprocess.Popen[str]] = []

    def run_app(name: str, rounds: int) -> subprocess.Popen[str]:
        config = ["--run-config", f"rounds={rounds} name='{name}'"]
        command = [f"{programs}/flwr", "run", str(APP), "test", "--stream", *config]
        runs.append(
            subprocess.Popen(
                command, env=env, cwd=home, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        )
        return runs[-1]

    with link, nodes[0], nodes[1]:
        yield run_app
        for run in runs:
            if run.poll() is None:
                run.kill()
            run.communicate()


def rounds_of(url: str, name: str, members: bool) -> list[tuple[Any, ...]]:
    found = [event for event in events(url, task_named(url, name)) if event["__typename"] == "RoundEnded"]
    return [
        (event["round"], event["totalRounds"], event["fitMetrics"] or {}, event["evalMetrics"] or {})
        for event in found
        if (event["member"] is not None) == members
    ]


def test_rounds_and_clients_of_flower_are_reported_and_the_end(
    url: str, flower: Callable[[str, int], subprocess.Popen[str]]
) -> None:
    printed, _ = flower("federated", 1).communicate(timeout=400)
    assert "RESULT [1.0, 1.0] [1] [1] [0, 1]" in printed, printed
    assert rounds_of(url, "federated", members=False) == [
        (0, 1, {}, {"server/weight": 0}),
        (1, 1, {"loss": 1.5}, {"loss": 3}),
        (1, 1, {}, {"server/weight": 1}),
    ]
    by_client = rounds_of(url, "federated", members=True)
    fits = sorted(fit["loss"] for _round, _total, fit, _eval in by_client if fit)
    evaluations = sorted(evaluation["loss"] for _round, _total, _fit, evaluation in by_client if evaluation)
    assert (fits, evaluations) == ([1, 2], [2, 4])
    # The machine's samples have its name.
    told = (one for one in events(url, task_named(url, "federated")) if one["__typename"] != "SystemSampled")
    members = {event["member"] for event in told if event.get("member")}
    assert len(members) == 2 and all(member.startswith("client-") for member in members)
    found = task(url, task_named(url, "federated"))
    assert (found["status"], found["totalRounds"]) == ("SUCCESS", 1)


def test_no_round_of_flower_begins_once_it_is_cancelled(
    url: str, flower: Callable[[str, int], subprocess.Popen[str]]
) -> None:
    run = flower("federated to stop", 1000)
    task_id = until("the task", lambda: task_named(url, "federated to stop"), 120)
    cancel(url, task_id)
    printed, _ = run.communicate(timeout=400)
    assert "RESULT" in printed and "exception" not in printed.lower(), printed
    found = ended(url, task_id)
    assert (found["status"], found["error"]) == ("CANCELLED", None)
    rounds = [told for told in rounds_of(url, "federated to stop", members=False) if told[2]]
    assert len(rounds) <= 2  # one that had begun, and one whose begin crossed the cancellation


OLDER_SERVER = """
import sys
from flwr.server import ServerConfig, start_server
from flwr.server.strategy import FedAvg
from epochcast.flower import epochcast_strategy

def mean(metrics):
    return {"accuracy": sum(values["accuracy"] for _examples, values in metrics) / len(metrics)}

strategy = FedAvg(fit_metrics_aggregation_fn=mean, evaluate_metrics_aggregation_fn=mean)
history = start_server(
    server_address="127.0.0.1:PORT", config=ServerConfig(num_rounds=ROUNDS),
    strategy=epochcast_strategy(strategy, rounds=ROUNDS, name=NAME),
)
print("RESULT", history.losses_distributed, flush=True)
"""

OLDER_CLIENT = """
import numpy as np
from flwr.client import NumPyClient, start_client

class Client(NumPyClient):
    def get_parameters(self, config): return [np.zeros(2)]
    def fit(self, parameters, config): return [parameters[0] + 1], 10, {"accuracy": NUMBER / 4}
    def evaluate(self, parameters, config):
        if FAILS and NUMBER == 2 and parameters[0][0] == 2: raise ValueError("the sensor is broken")
        return 1.0 * NUMBER, 10, {"accuracy": NUMBER / 8, "name": "site"}

start_client(server_address="127.0.0.1:PORT", client=Client().to_client(), insecure=True, max_retries=100)
"""


def start_older(
    run_python: Callable[..., Trainer], url: str, name: str, rounds: int, fails: bool
) -> list[Trainer]:
    port = str(free_port())
    server = OLDER_SERVER.replace("PORT", port).replace("ROUNDS", str(rounds)).replace("NAME", repr(name))
    client = OLDER_CLIENT.replace("PORT", port).replace("FAILS", str(fails))
    clients = [client.replace("NUMBER", str(number)) for number in (1, 2)]
    quiet = {"FLWR_TELEMETRY_ENABLED": "0"}
    return [run_python(server, EPOCHCAST_URL=url, **quiet), *(run_python(code, **quiet) for code in clients)]


def test_an_older_strategy_reports_the_same_and_a_clients_failure(
    url: str, run_python: Callable[..., Trainer]
) -> None:
    server, *_clients = start_older(run_python, url, "older", 2, fails=True)
    code, out, err = server.ended()
    assert code == 0 and "RESULT" in out, err
    own = rounds_of(url, "older", members=False)
    assert own == [
        (1, 2, {"accuracy": 0.375}, {"loss": 1.5, "accuracy": 0.1875}),
        (2, 2, {"accuracy": 0.375}, {"loss": 1, "accuracy": 0.125}),
    ]
    assert len(rounds_of(url, "older", members=True)) == 7
    errors = [e for e in events(url, task_named(url, "older")) if e["__typename"] == "ErrorReported"]
    assert len(errors) == 1
    assert ended(url, task_named(url, "older"))["status"] == "SUCCESS"


def test_an_older_strategy_passes_over_the_rounds_after_it_is_cancelled(
    url: str, run_python: Callable[..., Trainer]
) -> None:
    server, *_clients = start_older(run_python, url, "older to stop", 5000, fails=False)
    cancel(url, until("the task", lambda: task_named(url, "older to stop"), 120))
    code, out, err = server.ended()
    assert code == 0 and "RESULT" in out, err
    assert ended(url, task_named(url, "older to stop"))["status"] == "CANCELLED"
    assert len(rounds_of(url, "older to stop", members=False)) < 5000


def test_what_is_no_strategy_is_said_and_stays_as_it_was(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("epochcast.flower._notices", Notices())
    something = object()
    assert epochcast_strategy(something) is something
    assert "a object is no strategy of Flower" in caplog.text
