"""For scripts written for wandb: `import epochcast.wandb as wandb`. What is not supported says so once, and does nothing."""

import os
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from . import start
from .notice import Notices, words_of
from .run import Run as EpochcastRun

_notices = Notices()


class Config(dict[str, Any]):
    """Also by attribute. What is set after `init` is for the script alone: a task's parameters are those of its start."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def update(self, *args: Any, allow_val_change: bool = True, **kwargs: Any) -> None:
        super().update(_settings_of(args[0] if args else None), **kwargs)

    def setdefaults(self, config: Any) -> None:
        self.update({**_settings_of(config), **self})

    def as_dict(self) -> dict[str, Any]:
        return dict(self)


def _settings_of(config: Any) -> dict[str, Any]:
    """A mapping, pairs, or what argparse has parsed; of anything else nothing, which is said."""
    try:
        return dict(vars(config) if isinstance(config, Namespace) else config or ())
    except Exception as error:
        _notices.say(
            "wandb-config", f"a config of type {type(config).__name__} was left out, {words_of(error)}"
        )
        return {}


class Unsupported:
    """
    Can be called and asked for anything, of which nothing comes: it is false, empty, and nothing is of its kind. It is no
    number, so a metric of it is left out.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *_args: Any, **_kwargs: Any) -> "Unsupported":
        _notices.say(f"wandb-{self._name[:40]}", f"wandb.{self._name} is not supported, and does nothing")
        return self

    def __getattr__(self, name: str) -> "Unsupported":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __enter__(self) -> "Unsupported":
        return self

    def __exit__(self, *_error: Any) -> None:
        pass

    def __bool__(self) -> bool:
        return False

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __getitem__(self, _key: Any) -> "Unsupported":
        return self

    def __setitem__(self, _key: Any, _value: Any) -> None:
        pass

    def __instancecheck__(self, _instance: Any) -> bool:
        return False

    def __repr__(self) -> str:
        return f"<wandb.{self._name} is not supported>"

    def __format__(self, _spec: str) -> str:
        return repr(self)


class Summary(MutableMapping[str, Any]):
    """The latest values, and what the script sets; it is the result of the run."""

    def __init__(self) -> None:
        self.values_by_name: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        return self.values_by_name[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.values_by_name[name] = value

    def __delitem__(self, name: str) -> None:
        del self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)


class Run:
    """What `init` returns."""

    resumed = False
    starting_step = 0

    def __init__(
        self, epochcast_run: EpochcastRun, settings: Mapping[str, Any], name: str | None, tags: Any
    ) -> None:
        self.epochcast = epochcast_run
        self.tags = tuple(tags) if isinstance(tags, (list, tuple)) else ()
        self._dir: str | None = None
        self.config = Config(settings)
        self.summary = Summary()
        self.name = name
        self.step = 0
        self._waiting: dict[Any, Any] = {}

    @property
    def id(self) -> str | None:
        return self.epochcast.task_id

    @property
    def dir(self) -> str:
        """A folder for what scripts save beside their metrics; it stays where it is."""
        if self._dir is None:
            try:
                self._dir = tempfile.mkdtemp(prefix="epochcast-wandb-")
            except OSError:
                self._dir = os.curdir
            _notices.say(
                "wandb-dir", f"what is saved in wandb.run.dir is not uploaded; it stays in {self._dir}"
            )
        return self._dir

    def log(
        self, data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, **_ignored: Any
    ) -> None:
        """As wandb's: calls of one step are one, which is sent with the first of another step or with `commit`."""
        try:
            if step is not None and step > self.step:
                self._commit()
                self.step = step
            elif step is not None and step < self.step:
                _notices.say("wandb-step", f"step {step} comes after step {self.step}, so it was left out")
                return
            self._waiting.update(data)
            told = {name: value for name, value in data.items() if not isinstance(value, Unsupported)}
            self.summary.values_by_name.update(told)
            if commit or (commit is None and step is None):
                self._commit()
                self.step += 1
        except Exception as error:
            _notices.say("wandb-log", f"a call of log was left out, {words_of(error)}")

    def _commit(self) -> None:
        if self._waiting:
            self.epochcast.log(self._waiting, step=self.step)
            self._waiting = {}

    def finish(self, exit_code: int | None = None, **_ignored: Any) -> None:
        self._commit()
        if exit_code:
            self.epochcast.failure(f"the script finished with {exit_code}")
        elif self.epochcast.should_stop:
            self.epochcast.cancelled("stopped")
        else:
            self.epochcast.success(self.summary.values_by_name or None)
        global run
        if run is self:
            run = None

    def alert(self, title: str, text: str = "", **_ignored: Any) -> None:
        self.epochcast.error(f"{title}: {text}", "Alert")

    def define_metric(self, *_args: Any, **_kwargs: Any) -> None:
        """Its curves are by the global step in any case."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return Unsupported(name)

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, error_type: Any, error: Any, trace: Any) -> None:
        self._commit()
        if error is None:
            self.finish()
        else:
            self.epochcast.__exit__(error_type, error, trace)


run: Run | None = None


def init(
    project: str | None = None,
    name: str | None = None,
    config: Any = None,
    tags: Any = None,
    group: str | None = None,
    mode: str | None = None,
    **_ignored: Any,
) -> Run:
    """
    A run named `name`, or else as its project; project, group and tags are labels. A run that is open is finished. Where wandb
    would be disabled (`mode` or WANDB_MODE), nothing is reported.
    """
    global run
    if run is not None:
        run.finish()
    labels = {"project": project, "group": group, "tags": tags or None}
    given = {field: value for field, value in labels.items() if value is not None}
    settings = _settings_of(config)
    if (mode or os.environ.get("WANDB_MODE")) == "disabled":
        started = EpochcastRun(None, {})
    else:
        started = start(name or project, labels=given or None, params=settings or None)
    run = Run(started, settings, name, tags)
    return run


def log(data: Mapping[str, Any], step: int | None = None, commit: bool | None = None, **kwargs: Any) -> None:
    if run is None:
        _notices.say("wandb-init", "wandb.log was called before wandb.init; nothing is reported")
    else:
        run.log(data, step, commit, **kwargs)


def finish(exit_code: int | None = None, **kwargs: Any) -> None:
    if run is not None:
        run.finish(exit_code, **kwargs)


def alert(title: str, text: str = "", **kwargs: Any) -> None:
    if run is not None:
        run.alert(title, text, **kwargs)


def define_metric(*_args: Any, **_kwargs: Any) -> None:
    """Its curves are by the global step in any case."""


def watch(*_args: Any, **_kwargs: Any) -> None:
    """Gradients are not reported."""


def __getattr__(name: str) -> Any:
    if name == "config":
        return run.config if run is not None else Config()
    if name == "summary":
        return run.summary if run is not None else Summary()
    if name.startswith("__"):
        raise AttributeError(name)
    return Unsupported(name)
