"""Calls as reports of the GraphQL API, as JSON texts. Whatever was given, nothing here raises."""

import json
import time
from collections.abc import Callable
from typing import Any

from .limits import (
    MAX_ERROR_LENGTH,
    MAX_ERROR_TYPE_LENGTH,
    MAX_MESSAGE_LENGTH,
    MAX_NAME_LENGTH,
    MAX_REPORT_METRICS,
    MAX_RESULT_BYTES,
)
from .notice import Notices, words_of
from .values import count, fraction, json_of, json_text, line, metrics_of

ENDS = frozenset({"success", "failure", "end_status"})

Fields = dict[str, Any]


def reports(item: tuple[Any, ...], notices: Notices) -> list[str]:
    """The texts of one call: none where nothing of it can be said, several where it has many metrics."""
    kind, _member, at, *given = item
    try:
        return [json_text({_NAMES.get(kind, kind): fields}) for fields in _KINDS[kind](at, given, notices)]
    except BaseException as error:
        notices.say("unencodable", f"a {kind} was left out, {words_of(error)}")
        return []


def _progress(at: float, given: list[Any], notices: Notices) -> list[Fields]:
    current, total, step, epoch, loss, metrics, message, stage = given
    fields: Fields = {"current": count(current) or 0, "timestamp": timestamp(at)}
    if total is not None:
        fields["total"] = count(total)
    _add_place(fields, epoch, step)
    if message is not None:
        fields["message"] = text(message, MAX_MESSAGE_LENGTH)
    if stage is not None:
        fields["stage"] = line(str(stage), MAX_NAME_LENGTH)
    named = _metrics({**(metrics or {}), **({} if loss is None else {"loss": loss})}, notices)
    return [{**fields, **({"metrics": part} if part else {})} for part in _parts(named)]


def _epoch_start(at: float, given: list[Any], notices: Notices) -> list[Fields]:
    epoch, total = given
    fields: Fields = {"epoch": count(epoch) or 0, "timestamp": timestamp(at)}
    if total is not None:
        fields["totalEpochs"] = count(total)
    return [fields]


PHASES = {
    "train": "TRAIN",
    "training": "TRAIN",
    "fit": "TRAIN",
    "val": "VAL",
    "valid": "VAL",
    "validation": "VAL",
    "validate": "VAL",
    "eval": "VAL",
    "evaluation": "VAL",
    "test": "TEST",
    "testing": "TEST",
}


def _epoch_end(at: float, given: list[Any], notices: Notices) -> list[Fields]:
    epoch, phase, metrics, step = given
    named = PHASES.get(str(phase).lower())
    if named is None:
        notices.say(
            "phase", f"the phase of an epoch is {phase!r}; expected train, val or test, so train is taken"
        )
    fields: Fields = {"phase": named or "TRAIN", "timestamp": timestamp(at)}
    _add_place(fields, epoch, step)
    fields.setdefault("epoch", 0)
    return [{**fields, "metrics": part} for part in _parts(_metrics(metrics or {}, notices))]


def _round_end(at: float, given: list[Any], notices: Notices) -> list[Fields]:
    number, total, fit, evaluation, step = given
    fields: Fields = {"round": count(number) or 0, "timestamp": timestamp(at)}
    if total is not None:
        fields["totalRounds"] = count(total)
    _add_place(fields, None, step)
    fit_parts = _parts(_metrics(fit or {}, notices))
    eval_parts = _parts(_metrics(evaluation or {}, notices))
    return [
        {
            **fields,
            **({"fitMetrics": fit_parts[i]} if i < len(fit_parts) else {}),
            **({"evalMetrics": eval_parts[i]} if i < len(eval_parts) else {}),
        }
        for i in range(max(len(fit_parts), len(eval_parts)))
    ]


def _status(at: float, given: list[Any], notices: Notices) -> list[Fields]:
    status, message = given
    fields: Fields = {"status": text(status, 64), "timestamp": timestamp(at)}
    if message is not None:
        fields["message"] = text(message, MAX_MESSAGE_LENGTH)
    return [fields]


def _error(at: float, given: list[Any], notices: Notices) -> list[Fields]:
    words, kind = given
    fields: Fields = {"error": text(words, MAX_ERROR_LENGTH, keeps_end=True), "timestamp": timestamp(at)}
    if kind is not None:
        fields["errorType"] = line(str(kind), MAX_ERROR_TYPE_LENGTH)
    return [fields]


def _system(at: float, given: list[Any], notices: Notices) -> list[Fields]:
    (metrics,) = given
    return [{"metrics": _metrics(metrics, notices), "timestamp": timestamp(at)}]


def _success(at: float, given: list[Any], notices: Notices) -> list[Fields]:
    (result,) = given
    fields: Fields = {"timestamp": timestamp(at)}
    if result is not None:
        try:
            fields["result"] = json_of(result)
            size = len(
                json.dumps(fields["result"], separators=(",", ":"), ensure_ascii=False).encode(
                    errors="replace"
                )
            )
            if size > MAX_RESULT_BYTES:
                raise ValueError(f"it has {size} bytes of JSON; expected at most {MAX_RESULT_BYTES}")
        except BaseException as error:  # the end itself must arrive
            fields.pop("result", None)
            notices.say("result", f"the result was left out: {words_of(error)}")
    return [fields]


_KINDS: dict[str, Callable[[float, list[Any], Notices], list[Fields]]] = {
    "progress": _progress,
    "epochStart": _epoch_start,
    "epochEnd": _epoch_end,
    "roundEnd": _round_end,
    "status": _status,
    "end_status": _status,
    "error": _error,
    "system": _system,
    "success": _success,
    "failure": _error,
}
_NAMES = {"end_status": "status"}


def _add_place(fields: Fields, epoch: Any, step: Any) -> None:
    if epoch is not None and (at := fraction(epoch)) is not None:
        fields["epoch"] = at
    if step is not None and (at := count(step)) is not None:
        fields["step"] = at


def _metrics(values: Any, notices: Notices) -> Fields:
    left_out: dict[str, str] = {}
    named = metrics_of(values, left_out)
    for name, reason in left_out.items():
        notices.say("no-number", f"the metric {name[:100]!r} was left out: {reason}")
        break
    return named


def _parts(metrics: Fields) -> list[Fields]:
    """A report has 256 metrics at most."""
    if len(metrics) <= MAX_REPORT_METRICS:
        return [metrics]
    pairs = list(metrics.items())
    return [dict(pairs[i : i + MAX_REPORT_METRICS]) for i in range(0, len(pairs), MAX_REPORT_METRICS)]


def text(value: Any, most: int, *, keeps_end: bool = False) -> str:
    words = value if type(value) is str else str(value)
    if len(words) <= most:
        return words
    return words[-most:] if keeps_end else words[:most]


_last: tuple[int, str] = (0, "1970-01-01T00:00:00")


def timestamp(at: float) -> str:
    """RFC 3339, in UTC, with milliseconds."""
    global _last
    second, millis = divmod(int(at * 1000), 1000)
    known = _last
    if known[0] != second:
        known = _last = (second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)))
    return f"{known[1]}.{millis:03d}Z"
