"""A drop-in for tqdm that also reports: `from epochcast.tqdm import tqdm`."""

from typing import Any

from tqdm.auto import tqdm as _tqdm

from . import start
from .run import Run

_run: Run | None = None


class tqdm(_tqdm):  # type: ignore[misc,type-arg,unused-ignore]
    """
    The outermost bar is a run's progress, as often as it is drawn: its postfix are the metrics, its description the message.
    `run=` names the run; else one is started with the first bar, and ends with the process.
    """

    def __init__(self, *args: Any, run: Run | None = None, **kwargs: Any) -> None:
        self._epochcast_run = run
        self._postfix_values: dict[str, Any] = {}
        super().__init__(*args, **kwargs)

    def set_postfix(self, ordered_dict: Any = None, refresh: bool | None = True, **kwargs: Any) -> None:
        self._postfix_values = {**dict(ordered_dict or {}), **kwargs}
        super().set_postfix(ordered_dict, refresh, **kwargs)

    def display(self, *args: Any, **kwargs: Any) -> Any:
        if getattr(self, "pos", 0) == 0:
            self._report()
        return super().display(*args, **kwargs)

    def _report(self) -> None:
        run = self._epochcast_run or _default_run()
        metrics = {name: value for name, value in self._postfix_values.items() if not isinstance(value, str)}
        run.progress(self.n, self.total, metrics=metrics, message=(self.desc or "").rstrip(": ") or None)


def trange(*args: Any, **kwargs: Any) -> Any:
    return tqdm(range(*args), **kwargs)


def _default_run() -> Run:
    global _run
    if _run is None:
        _run = start()
    return _run
