"""Real servers for the tests: Epochcast as it is built (`npm run build`), and a gate that stands in front of it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from support.gate import Gate
from support.processes import RedisProcess, ServerProcess


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "TOKEN", "TASK_ID", "ATTEMPT", "CHANNEL_PREFIX", "SPOOL_DIR"):
        monkeypatch.delenv(f"EPOCHCAST_{name}", raising=False)
    for name in ("SYSTEM_METRICS", "SYSTEM_METRICS_SECONDS"):
        monkeypatch.delenv(f"EPOCHCAST_{name}", raising=False)
    for name in ("RANK", "LOCAL_RANK", "NODE_RANK"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """One for all tests, each of which has tasks of its own."""
    with ServerProcess() as process:
        yield process


@pytest.fixture
def url(server: ServerProcess) -> str:
    return server.url


@pytest.fixture
def gate(server: ServerProcess) -> Iterator[Gate]:
    with Gate(server.port) as gate:
        yield gate


@pytest.fixture
def durable_server() -> Iterator[ServerProcess]:
    """One whose tasks outlive it."""
    with RedisProcess() as redis, ServerProcess({"REDIS_URL": redis.url}) as process:
        yield process


@pytest.fixture
def run_python(tmp_path: Path) -> Iterator[Callable[..., "object"]]:
    from support.processes import Trainer

    trainers: list[Trainer] = []

    def start(code: str, **env: str) -> Trainer:
        trainers.append(Trainer(code, env))
        return trainers[-1]

    yield start
    for trainer in trainers:
        trainer.kill()
