"""Whatever is logged: nothing raises, and what is accepted is on the server once, in order, and as it was."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.hostile import Hostile, SystemExiting
from support.tasks import kinds, steps, task

import epochcast

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.fractions(),
    st.text(max_size=5),
    st.binary(max_size=3),
    st.complex_numbers(),
    st.sampled_from([Hostile(), SystemExiting()]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=6,
)
names = st.one_of(st.text(max_size=200), st.integers(), st.none())
calls = st.lists(st.dictionaries(names, values, max_size=5), max_size=30)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls)
def test_whatever_is_logged_is_there_once_and_in_order(url: str, metrics: list[dict[Any, Any]]) -> None:
    with epochcast.start(url=url) as run:
        for step, values in enumerate(metrics):
            run.log(values, step=step)
    assert run.task_id is not None
    assert steps(url, run.task_id) == list(range(len(metrics)))
    found = kinds(url, run.task_id)
    assert "ErrorReported" not in found
    assert found[-1] == "TrainingSucceeded"


def test_a_finite_number_is_what_it_was(url: str) -> None:
    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
    def check(numbers: list[float]) -> None:
        run = epochcast.start(url=url)
        run.log({f"m{i}": number for i, number in enumerate(numbers)})
        run.success()
        assert run.task_id is not None
        found = task(url, run.task_id)["metrics"]
        assert [float(found[f"m{i}"]) for i in range(len(numbers))] == numbers

    check()
