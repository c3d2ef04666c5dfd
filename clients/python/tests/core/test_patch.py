"""`patch` where there is nothing to patch."""

import importlib.util
from typing import Any

import pytest

import epochcast
import epochcast.tensorboard as reporting_tensorboard
from epochcast.notice import Notices


@pytest.mark.parametrize("library", ["unknown", "", None, 7])
def test_a_library_that_is_not_known_is_said_and_nothing_raises(
    library: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochcast, "_notices", Notices())
    assert [epochcast.patch(library) for _ in range(3)] == [False] * 3
    said = f"epochcast: there is nothing to patch {str(library)!r} with; expected 'tensorboard'"
    assert [record.message for record in caplog.records] == [said]


def test_a_writer_that_is_not_installed_is_said_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting_tensorboard, "WRITERS", ("absent_writer", "json"))
    monkeypatch.setattr(reporting_tensorboard, "_notices", Notices())
    assert importlib.util.find_spec("absent_writer") is None
    assert not epochcast.patch("tensorboard")
    assert not epochcast.patch("tensorboard")
    assert [record.message for record in caplog.records] == [
        "epochcast: json.SummaryWriter cannot be patched, AttributeError: module 'json' has no attribute 'SummaryWriter'",
        "epochcast: there is no SummaryWriter to patch; looked for absent_writer and json",
    ]
