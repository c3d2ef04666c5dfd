"""Calls of the server over HTTP, each with a deadline, and what its replies mean for the caller."""

import encodings.idna  # noqa: F401 see below
import gzip
import http.client
import json
import socket
import time
import urllib.request
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.error import HTTPError, URLError

from .limits import (
    CALL_TIMEOUT_SECONDS,
    IO_TIMEOUT_SECONDS,
    MAX_REPLY_BYTES,
    MAX_RETRY_AFTER_SECONDS,
    MIN_GZIP_BYTES,
)
from .notice import words_of


@dataclass(frozen=True)
class Reply:
    """The call was taken."""

    data: Any


@dataclass(frozen=True)
class Refusal:
    """The server's own refusal of what the call says: it will never be taken."""

    code: str
    message: str


@dataclass(frozen=True)
class Unavailable:
    """Whether the call was taken is not known, or it may be later: to be repeated, after `wait` seconds where given."""

    reason: str
    wait: float | None = None


# The first address that is looked up imports encodings.idna; a process that is forked at that moment could never look up
# any, because the import's lock would stay taken. So it is imported here.

Outcome = Reply | Refusal | Unavailable


class Server:
    """One server, for one thread that calls and another that may watch over it (`abort_overdue`)."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = url
        self.token = token
        self._connections: list[http.client.HTTPConnection] = []
        self._deadline = 0.0
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            _Http(self._connections),
            _Https(self._connections),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.HTTPDefaultErrorHandler(),  # and no redirects: a POST would become a GET
        ):
            self._opener.add_handler(handler)

    def call(self, query: str, variables: str) -> Outcome:
        """@param variables a JSON object. Never raises."""
        body = f'{{"query":{json.dumps(query)},"variables":{variables}}}'.encode("ascii")
        headers = {
            "content-type": "application/json",
            "accept": "application/json",
            "user-agent": "epochcast-python",
        }
        if len(body) >= MIN_GZIP_BYTES:
            body = gzip.compress(body, compresslevel=1)
            headers["content-encoding"] = "gzip"
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        self._deadline = time.monotonic() + CALL_TIMEOUT_SECONDS
        try:
            request = urllib.request.Request(self._url, body, headers)
            with self._opener.open(request, timeout=IO_TIMEOUT_SECONDS) as response:
                return _outcome(response.status, response.headers, response.read(MAX_REPLY_BYTES))
        except HTTPError as error:
            try:
                with error:
                    return _outcome(error.code, error.headers, error.read(MAX_REPLY_BYTES))
            except Exception as broken:
                return Unavailable(words_of(broken))
        except URLError as error:
            reason = error.reason  # what it was is within, such as a ConnectionRefusedError
            return Unavailable(words_of(reason) if isinstance(reason, Exception) else str(reason))
        except Exception as error:
            return Unavailable(words_of(error))
        finally:
            self._deadline = 0.0
            self._connections.clear()

    def abort_overdue(self) -> None:
        """Ends a call that has lasted too long, such as one whose reply comes a byte at a time."""
        if not self._deadline or time.monotonic() < self._deadline:
            return
        for connection in list(self._connections):
            try:
                if connection.sock is not None:
                    connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


# Not of what was reported: a token can be renewed, a server's settings mended, and what waits is still wanted then.
_OF_THE_SERVER = frozenset(
    {
        "UNAUTHENTICATED",
        "FORBIDDEN",
        "ORIGIN_NOT_ALLOWED",
        "NOT_FOUND",
        "DOCUMENT_NOT_TRUSTED",
        "DOCUMENT_TOO_LARGE",
        "PERSISTED_QUERY_NOT_SUPPORTED",
        "QUERY_TOO_COMPLEX",
        "GRAPHQL_PARSE_FAILED",
        "GRAPHQL_VALIDATION_FAILED",
        "HEADERS_TOO_LARGE",
    }
)


def _outcome(status: int, headers: Any, body: bytes) -> Outcome:
    try:
        reply = json.loads(body)
        errors = reply.get("errors")
        if not errors and isinstance(reply.get("data"), dict):
            return Reply(reply["data"])
        error = errors[0]
        message, details = str(error.get("message")), error.get("extensions")
        details = details if isinstance(details, dict) else {}
    except Exception:  # not GraphQL's: a proxy's, or another server's
        if status == 413:
            return Refusal("BODY_TOO_LARGE", "the body is larger than a proxy or the server takes")
        return Unavailable(f"the server responded with {status}", _retry_after(headers))
    code, retry_after = str(details.get("code")), details.get("retryAfterMs")
    is_refusal = details.get("retryable") is False and code not in _OF_THE_SERVER
    if not is_refusal or status in (401, 403):
        wait = (
            _bounded(retry_after / 1000) if isinstance(retry_after, (int, float)) else _retry_after(headers)
        )
        return Unavailable(f"{code}: {message}", wait)
    return Refusal(code, message)


def _retry_after(headers: Any) -> float | None:
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return _bounded(float(value))
    except ValueError:
        pass
    try:
        return _bounded(parsedate_to_datetime(value).timestamp() - time.time())
    except Exception:
        return None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS) if seconds == seconds else 0.0


class _Http(urllib.request.HTTPHandler):
    """Keeps the connections of the present call at hand, so that another thread can end it."""

    def __init__(self, connections: list[http.client.HTTPConnection]) -> None:
        super().__init__()
        self._connections = connections

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        def connect(host: str, **options: Any) -> http.client.HTTPConnection:
            connection = http.client.HTTPConnection(host, **options)
            self._connections.append(connection)
            return connection

        return self.do_open(connect, req)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, connections: list[http.client.HTTPConnection]) -> None:
        super().__init__()
        self._connections = connections

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        def connect(host: str, **options: Any) -> http.client.HTTPSConnection:
            connection = http.client.HTTPSConnection(host, **options)
            self._connections.append(connection)
            return connection

        return self.do_open(connect, req)
