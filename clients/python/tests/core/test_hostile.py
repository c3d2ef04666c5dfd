"""Nothing raises into a training, whatever it gives."""

import itertools
import math
from typing import Any

import pytest
from support.hostile import Hostile, HostileMapping, SystemExiting
from support.tasks import events, task

import epochcast

endless: dict[str, Any] = {}
endless["itself"] = endless

ODD: list[Any] = [
    None,
    "",
    "\ud800",
    b"bytes",
    object(),
    object,
    [],
    [1, 2],
    {},
    {"a": Hostile()},
    endless,
    Hostile(),
    SystemExiting(),
    HostileMapping(),
    -1,
    2**70,
    1e308 * 10,
    math.nan,
    1j,
    ValueError("x"),
    lambda: 1,
    itertools.count(),
]


@pytest.mark.parametrize("index", range(len(ODD)))
def test_nothing_raises_whatever_is_given_anywhere(url: str, index: int) -> None:
    odd: Any = ODD[index]
    run = epochcast.start(url=url)
    for scope in (run, run.member("m")):
        scope.log(odd)
        scope.log({"x": odd}, odd, epoch=odd)
        scope.progress(odd, odd, epoch=odd, step=odd, loss=odd, metrics=odd, message=odd, stage=odd)
        scope.epoch_end(odd, odd, odd, step=odd)
        scope.round_end(odd, odd, fit_metrics=odd, eval_metrics=odd)
        scope.error(odd, odd)
    run.member(odd).log({"x": 1})
    run.epoch_start(odd, odd)
    run.status(odd)
    run.log({"last": 1.0}, step=9)
    run.success(odd)
    assert run.task_id is not None
    found = task(url, run.task_id)
    assert (found["status"], found["metrics"]["last"]) == ("SUCCESS", 1.0)


@pytest.mark.parametrize("index", range(len(ODD)))
def test_no_start_raises_whatever_is_given(index: int) -> None:
    odd: Any = ODD[index]
    nowhere = "http://127.0.0.1:9/graphql"
    for run in (
        epochcast.start(odd, url=nowhere, key=odd, epochs=odd, params=odd, labels=odd, machine_id=odd),
        epochcast.start(url=odd, token=odd),
        epochcast.start(url=nowhere, token=odd, spool_dir=odd),
        epochcast.attach(odd, url=nowhere, member=odd, channel_prefix=odd),
    ):
        run.log({"loss": 1})
        run._pipeline, run._has_ended = None, True  # nobody waits for its end


@pytest.mark.parametrize(
    "url", ["localhost:4000", "ftp://x/", "http://", "http://[::1", "http://a b/", "ws://x"]
)
def test_a_url_that_is_none_is_said_and_nothing_is_reported(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    from epochcast import notice

    epochcast._notices = notice.Notices()
    run = epochcast.start(url=url)
    run.log({"loss": 1})
    run.success()
    assert "expected one such as http://localhost:4000/graphql" in caplog.text


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("a\x00b", "a_b"),
        ("a\x7fb\x80\x9f", "a_b__"),
        ("half \ud83d", "half _"),
        ("\U0001f600" * 200, "\U0001f600" * 64),
        ("x" + "\U0001f600" * 200, "x" + "\U0001f600" * 63),
        ("n" * 128, "n" * 128),
        ("n" * 129, "n" * 128),
        ("", "_"),
        ("__proto__", "_"),
    ],
    ids=range(9),
)
def test_any_text_is_a_name_that_the_server_takes(url: str, name: str, taken: str) -> None:
    with epochcast.start(name, url=url) as run:
        run.progress(1, metrics={name: 1.0}, stage=name)
        run.member(name).log({"loss": 2.0})
        run.error("x", name)
    assert run.task_id is not None
    told = events(url, run.task_id)
    (own, member) = [event for event in told if event["__typename"] == "ProgressUpdate"]
    assert own["metrics"] == {taken: 1}
    stage = "__proto__" if name == "__proto__" else taken
    assert (own["stage"], member["member"]) == (stage, stage)
    (error,) = [event for event in told if event["__typename"] == "ErrorReported"]
    assert error["errorType"].startswith(stage)
    assert task(url, run.task_id)["status"] == "SUCCESS"
