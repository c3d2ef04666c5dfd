"""`epochcast.patch("tensorboard")`: what a `SummaryWriter` is given as scalars is reported, too."""

import functools
import importlib
import importlib.util
import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from .notice import Notices, words_of
from .run import Run

WRITERS = ("torch.utils.tensorboard", "tensorboardX")
MAX_FOLDERS = 1000  # of writers that are told apart

_notices = Notices()
_inside = threading.local()


class _Reporter:
    """Takes the scalars of all writers of this process to one run, which is started with the first of them."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self.begin: Callable[[], Run] | None = None
        self._folders: dict[str, str] = {}

    def report(self, writer: Any, scalars: Mapping[Any, Any], step: Any) -> None:
        try:
            if self.run is None and self.begin is not None:
                self.run = self.begin()
            if self.run is not None:
                prefix = self._prefix(writer)
                self.run.log({f"{prefix}{tag}": value for tag, value in scalars.items()}, step)
        except Exception as error:
            _notices.say("tensorboard", f"a scalar was left out, {words_of(error)}")

    def _prefix(self, writer: Any) -> str:
        """Nothing for the first folder that is written to: with a writer for train and one for val both have a `loss`."""
        folder = os.path.abspath(os.fspath(writer.file_writer.get_logdir()))
        if folder not in self._folders:
            if len(self._folders) >= MAX_FOLDERS:
                return f"{os.path.basename(folder)}/"
            self._folders[folder] = f"{os.path.basename(folder)}/" if self._folders else ""
        return self._folders[folder]


_reporter = _Reporter()


def patch(run: Run | None, begin: Callable[[], Run]) -> bool:
    """Patches each kind of writer that is installed; without a run, `begin` is called with the first scalar."""
    _reporter.run, _reporter.begin = run, begin
    patched = [name for name in WRITERS if _is_patched(name)]
    if not patched:
        _notices.say("tensorboard", f"there is no SummaryWriter to patch; looked for {' and '.join(WRITERS)}")
    return bool(patched)


def _is_patched(module: str) -> bool:
    try:
        if importlib.util.find_spec(module.partition(".")[0]) is None:
            return False
        writer = importlib.import_module(module).SummaryWriter
        _wrap(writer, "add_scalar", _of_scalar)
        _wrap(writer, "add_scalars", _of_scalars)
        _wrap(writer, "add_hparams", None)
    except ImportError:  # torch's, where tensorboard itself is missing
        return False
    except Exception as error:
        _notices.say(module, f"{module}.SummaryWriter cannot be patched, {words_of(error)}")
        return False
    return True


Scalars = tuple[Mapping[Any, Any], Any]
"""Values by tag, and their step."""


def _wrap(writer: Any, name: str, scalars_of: Callable[..., Scalars] | None) -> None:
    """
    The method does and returns what it did, and raises what it raised; what it was given is reported afterwards. A method
    that calls another of these for its own purposes (`add_hparams` has a writer of its own) is one call.
    """
    method = getattr(writer, name)
    if hasattr(method, "_epochcast_method"):
        return

    @functools.wraps(method)
    def reporting(self: Any, *args: Any, **kwargs: Any) -> Any:
        is_outermost = not getattr(_inside, "is_set", False)
        _inside.is_set = True
        try:
            returned = method(self, *args, **kwargs)
        finally:
            if is_outermost:
                _inside.is_set = False
        if is_outermost and scalars_of is not None:
            try:
                scalars, step = scalars_of(*args, **kwargs)
            except Exception as error:
                _notices.say(name, f"a call of {name} was left out, {words_of(error)}")
            else:
                _reporter.report(self, scalars, step)
        return returned

    reporting._epochcast_method = method  # type: ignore[attr-defined]
    setattr(writer, name, reporting)


def _of_scalar(tag: Any, scalar_value: Any, global_step: Any = None, *_args: Any, **_kwargs: Any) -> Scalars:
    return {tag: scalar_value}, global_step


def _of_scalars(
    main_tag: Any, tag_scalar_dict: Mapping[Any, Any], global_step: Any = None, *_args: Any, **_kwargs: Any
) -> Scalars:
    return {f"{main_tag}/{tag}": value for tag, value in tag_scalar_dict.items()}, global_step
