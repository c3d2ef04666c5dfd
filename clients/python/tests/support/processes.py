"""Processes that tests start, and end: by their own pid, whatever happens."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).parents[4]
PACKAGE = Path(__file__).parents[2] / "src"
T = TypeVar("T")


def until(what: str, condition: Callable[[], T], seconds: float = 60.0) -> T:
    """What a condition comes to, once it holds."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


class Process:
    """Ended when its test is over."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[Any] | None = None

    def start(self) -> None:
        raise NotImplementedError

    def kill(self) -> None:
        """SIGKILL, to this process alone."""
        if self.child is not None:
            self.child.kill()
            self.child.wait()
            self.child = None

    def __enter__(self) -> Any:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.kill()


class ServerProcess(Process):
    def __init__(self, env: dict[str, str] | None = None) -> None:
        super().__init__()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/graphql"
        self.env = {
            "PATH": os.environ["PATH"],
            "EPOCHCAST_DATA": "none",
            "PORT": str(self.port),
            "EPOCHCAST_LOG_LEVEL": "error",
            "EPOCHCAST_RETAIN_EVENTS": "1000000",
            **(env or {}),
        }

    def start(self) -> None:
        main = ROOT / "bin/epochcast.js"
        assert (ROOT / "dist").exists(), "there is no dist/; run npm run build"
        self.child = subprocess.Popen(["node", str(main), "serve"], env=self.env, cwd=tempfile.gettempdir())
        until("the server", self.is_ready)

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False


class RedisProcess(Process):
    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        program = os.environ.get("REDIS_SERVER_PATH", "redis-server")
        args = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", tempfile.gettempdir()]
        self.child = subprocess.Popen([program, *args], stdout=subprocess.DEVNULL)
        until("Redis", lambda: is_listening(self.port))


class Trainer:
    """A training: a Python of the kind that runs the tests, with the package at hand."""

    def __init__(self, code: str, env: dict[str, str], stdin: int = subprocess.DEVNULL) -> None:
        base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        path = os.pathsep.join([str(PACKAGE), str(Path(__file__).parents[1])])
        self.child = subprocess.Popen(
            [sys.executable, "-u", "-c", code],
            env={**base, "PYTHONPATH": path, **env},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for_line(self, line: str) -> None:
        """Reads what it prints, up to a line that begins so."""
        assert self.child.stdout is not None
        for printed in self.child.stdout:
            if printed.startswith(line):
                return
        raise AssertionError(f"it ended without {line!r}: {self.child.stderr and self.child.stderr.read()}")

    def ended(self, typed: str | None = None) -> tuple[int, str, str]:
        """Its exit code, and what it printed to stdout and stderr."""
        out, err = self.child.communicate(typed, timeout=120)
        return self.child.returncode, out, err

    def signal(self, number: int) -> None:
        self.child.send_signal(number)

    def kill(self) -> None:
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGKILL)
        self.child.communicate()
