"""What the environment says: where to report, to which task, and where to keep what cannot be sent."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit


class BadSetting(Exception):
    """A setting that cannot be used; the message names it, what was found and what is expected."""


@dataclass(frozen=True)
class Settings:
    url: str
    token: str | None
    spool_dir: str | None


def read_settings(
    url: str | None = None,
    token: str | None = None,
    spool_dir: str | os.PathLike[str] | None = None,
    env: Mapping[str, str] = os.environ,
) -> Settings | None:
    """None where no server is named: then nothing is reported. Raises BadSetting."""
    named = url or env.get("EPOCHCAST_URL")
    if not named:
        return None
    spool = os.fspath(spool_dir) if spool_dir is not None else env.get("EPOCHCAST_SPOOL_DIR")
    secret = token or env.get("EPOCHCAST_TOKEN") or None
    if secret is not None and not (isinstance(secret, str) and secret.isascii() and secret.isprintable()):
        raise BadSetting("the token has characters that no header can carry; expected ASCII")
    return Settings(endpoint(named), secret, spool or None)


def endpoint(url: Any) -> str:
    """The address of the GraphQL endpoint: that of a server without a path is completed. Raises BadSetting."""
    expected = "expected one such as http://localhost:4000/graphql"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except (ValueError, TypeError, AttributeError) as error:
        raise BadSetting(f"the URL {url!r} is none; {expected}") from error
    if not usable or any(char.isspace() or ord(char) < 32 for char in url):
        raise BadSetting(f"the URL {url!r} is not one of http or https; {expected}")
    path = "/graphql" if parts.path in ("", "/") else parts.path
    return str(urlunsplit((parts.scheme, parts.netloc, path, parts.query, "")))


def launched_task(env: Mapping[str, str] = os.environ) -> dict[str, Any] | None:
    """The task that a launcher started this process for, as `reportMetrics` names it."""
    task_id = env.get("EPOCHCAST_TASK_ID")
    if not task_id:
        return None
    task: dict[str, Any] = {"taskId": task_id}
    if env.get("EPOCHCAST_CHANNEL_PREFIX"):
        task["channelPrefix"] = env["EPOCHCAST_CHANNEL_PREFIX"]
    if env.get("EPOCHCAST_ATTEMPT", "").isdecimal():
        task["attempt"] = int(env["EPOCHCAST_ATTEMPT"])
    return task


def rank_of_process(env: Mapping[str, str] = os.environ) -> int:
    """This process's rank in a distributed training, 0 where there is none. Lightning gives local ranks only."""
    numbers = {name: int(env[name]) for name in _RANKS if env.get(name, "").isdecimal()}
    if "RANK" in numbers:
        return numbers["RANK"]
    return numbers.get("LOCAL_RANK", 0) or numbers.get("NODE_RANK", 0)


_RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK")
