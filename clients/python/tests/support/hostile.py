"""Values that no training should give, and some will."""

from collections.abc import Mapping
from typing import Any


class Hostile:
    """Raises from whatever is asked of it."""

    def __init__(self, error: type[BaseException] = RuntimeError) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        if name not in ("item", "detach", "device"):  # the tests themselves ask for others
            raise AttributeError(name)
        return self.raises()

    def __repr__(self) -> str:
        return "Hostile()"

    def raises(self, *_args: object) -> Any:
        raise self._error("no")

    __float__ = __int__ = __index__ = __str__ = __len__ = __iter__ = __bool__ = raises
    __lt__ = __getitem__ = raises  # type: ignore[assignment]
    __hash__ = object.__hash__


class HostileMapping(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        raise LookupError("no")

    def __iter__(self) -> Any:
        raise RuntimeError("no")

    def __len__(self) -> int:
        return 1


class SystemExiting:
    def item(self) -> float:
        raise SystemExit(3)
