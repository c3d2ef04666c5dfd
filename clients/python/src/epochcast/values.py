"""What trainings measure, as what JSON can carry. Whatever is given, nothing here raises but `NotANumber`."""

import json
import math
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from .limits import MAX_COUNT, MAX_NAME_LENGTH, MAX_NESTING
from .sigterm import Terminated

Json = Any


class NotANumber(Exception):
    """A value that is no single number; the message says what it is."""


_IMMUTABLE = frozenset({float, int, bool, str, type(None), Decimal, Fraction})
# Arrays of these libraries never change, and reading one may have to wait for a device.
_IMMUTABLE_LIBRARIES = frozenset({"jax", "jaxlib"})


def snapshot(value: Any) -> Any:
    """
    The value as it is now, taken in the training's thread: what is only to be converted stays as it is, what could
    change is read. A tensor of a GPU is copied there, because reading it would wait for all that the GPU has to do.
    """
    if type(value) in _IMMUTABLE:
        return value
    library = type(value).__module__.partition(".")[0]
    if library in _IMMUTABLE_LIBRARIES or (library == "numpy" and not hasattr(value, "__setitem__")):
        return value
    if isinstance(value, Mapping):
        return {name: snapshot(part) for name, part in value.items()}
    if library == "torch" and getattr(getattr(value, "device", None), "type", "cpu") != "cpu":
        return value.detach().clone()
    try:
        return number(value)
    except NotANumber as error:
        return error


def number(value: Any) -> float | int | str:
    """
    A finite number, or "NaN", "Infinity" or "-Infinity", which JSON numbers cannot say.

    Raises NotANumber.
    """
    if type(value) is float:
        read = value
    elif isinstance(value, NotANumber):
        raise value
    elif isinstance(value, bool):
        return int(value)
    elif isinstance(value, int):
        if -MAX_COUNT <= value <= MAX_COUNT:
            return int(value)
        read = math.inf if value > 0 else -math.inf
        try:
            read = float(value)
        except OverflowError:
            pass
    else:
        read = _read(value)
    if math.isfinite(read):
        return read
    return "NaN" if math.isnan(read) else "Infinity" if read > 0 else "-Infinity"


def _read(value: Any) -> float:
    try:
        item = getattr(value, "item", None)  # arrays and tensors, also those of one element
        read: Any = item() if callable(item) else value
        return float(read)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except Terminated:  # which may have waited for a device
        raise
    except BaseException as error:  # of code that is not ours
        raise NotANumber(f"a {type(value).__name__} is not a single number") from error


def count(value: Any) -> int | None:
    """A whole number from 0 to 2^53 - 1, or None where the value is none."""
    try:
        read = int(value.item() if hasattr(value, "item") else value)
    except Terminated:
        raise
    except BaseException:
        return None
    return min(max(read, 0), MAX_COUNT)


def fraction(value: Any) -> float | int | None:
    """A finite number that is not negative, or None."""
    try:
        read = number(value)
    except NotANumber:
        return None
    return None if isinstance(read, str) or read < 0 else read


def metric_name(name: Any) -> str:
    """A name that a server takes."""
    text = name if type(name) is str else str(name)
    if text.isascii() and text.isprintable() and 0 < len(text) <= MAX_NAME_LENGTH and text != "__proto__":
        return text
    text = line(text, MAX_NAME_LENGTH)
    return "_" if text == "__proto__" else text


def line(text: str, most: int) -> str:
    """What a server takes as a name of any kind: 1 to `most` UTF-16 code units, no control characters, no half of one."""
    if text.isascii() and text.isprintable() and 0 < len(text) <= most:
        return text
    # No character has more than two units, so what is cut here is not needed.
    text = "".join("_" if unicodedata.category(char) in ("Cc", "Cs") else char for char in text[:most])
    while len(text.encode("utf-16-le")) > 2 * most:
        text = text[: -max((len(text.encode("utf-16-le")) // 2 - most) // 2, 1)]
    return text or "_"


def metrics_of(
    values: Mapping[Any, Any], left_out: dict[str, str], prefix: str = "", depth: int = 0
) -> dict[str, Json]:
    """Metrics by name; those in maps within are named a/b. What is no number goes to `left_out`, with the reason."""
    metrics: dict[str, Json] = {}
    for key, value in values.items():
        if type(value) is float and type(key) is str and math.isfinite(value) and not prefix:
            metrics[metric_name(key)] = value
            continue
        if value is None:
            continue
        try:
            name = metric_name(f"{prefix}{key}")
        except BaseException:
            left_out["?"] = f"the name is a {type(key).__name__} that cannot be written"
            continue
        try:
            if isinstance(value, Mapping):
                if depth >= MAX_NESTING:
                    raise NotANumber(f"it is nested deeper than {MAX_NESTING}")
                metrics.update(metrics_of(value, left_out, f"{name}/", depth + 1))
            else:
                metrics[name] = number(value)
        except NotANumber as error:
            left_out[name] = str(error)
    return metrics


def json_of(value: Any, depth: int = 0) -> Json:
    """Any value as JSON: numbers as metrics are, and what JSON does not know by its words."""
    if value is None or isinstance(value, bool):
        return value
    if type(value) is str:
        return value
    if isinstance(value, (int, float)):
        return number(value)
    if depth < MAX_NESTING:
        if isinstance(value, Mapping):
            return {_words(key): json_of(part, depth + 1) for key, part in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [json_of(part, depth + 1) for part in value]
    try:
        return number(value)
    except NotANumber:
        return _words(value)


def _words(value: Any) -> str:
    if type(value) is str:
        return value
    try:
        return str(value)[:1000]
    except BaseException:
        return f"<{type(value).__name__}>"


def json_text(value: Json) -> str:
    """ASCII, so that every text can be encoded. Raises ValueError, TypeError or RecursionError for what is no JSON."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False, check_circular=False)
