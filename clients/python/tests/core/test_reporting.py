import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from support.processes import until
from support.tasks import cancel, ended, events, kinds, new_task, steps, task, task_named

import epochcast
from epochcast import sender


def test_two_lines_are_a_task_with_its_metrics(url: str) -> None:
    run = epochcast.start("two lines", url=url, machine_id="press-7", epochs=3, labels={"team": "vision"})
    run.log({"loss": 0.5, "accuracy": 0.9}, step=10)
    assert run.flush()
    assert run.task_id == task_named(url, "two lines")
    found = task(url, run.task_id)
    assert found["status"] == "RUNNING"
    assert (found["current"], found["step"], found["loss"]) == (10, 10, 0.5)
    assert found["metrics"] == {"loss": 0.5, "accuracy": 0.9}
    assert (found["machineId"], found["labels"]) == ("press-7", {"team": "vision"})
    run.success({"best": 0.5})
    found = task(url, run.task_id)
    assert (found["status"], found["result"]) == ("SUCCESS", {"best": 0.5})


def test_each_kind_of_report_arrives_in_its_order(url: str) -> None:
    task_id = new_task(url)
    run = epochcast.attach(task_id, url=url)
    run.status("loading data")
    run.epoch_start(1, 2)
    run.progress(5, 20, epoch=0.5, loss=2, message="warm", stage="fit", metrics={"lr": 0.1})
    run.log({"loss": 1.5}, step=6)
    run.epoch_end(1, "val", {"loss": 1.25})
    run.round_end(1, 3, fit_metrics={"loss": 1}, eval_metrics={"loss": 2})
    run.error("a sensor was away", "SensorError")
    run.member("client-3").log({"loss": 9.0}, step=1)
    run.success()
    found = events(url, task_id)
    assert [event["__typename"] for event in found] == [
        "StatusChanged",
        "StatusChanged",
        "StatusChanged",
        "EpochStarted",
        "ProgressUpdate",
        "ProgressUpdate",
        "EpochEnded",
        "RoundEnded",
        "ErrorReported",
        "ProgressUpdate",
        "TrainingSucceeded",
    ]
    warm, logged, epoch, round_, error, member = found[4:10]
    assert warm == {
        "__typename": "ProgressUpdate",
        "current": 5,
        "total": 20,
        "step": None,
        "epoch": 0.5,
        "loss": 2,
        "message": "warm",
        "metrics": {"lr": 0.1, "loss": 2},
        "member": None,
        "stage": "fit",
    }
    # What progress() counts stays what it was; a step is a step.
    assert (logged["current"], logged["step"]) == (5, 6)
    assert (epoch["phase"], epoch["step"], epoch["metrics"]) == ("VAL", 6, {"loss": 1.25})
    assert (round_["round"], round_["totalRounds"], round_["evalMetrics"]) == (1, 3, {"loss": 2})
    assert (error["error"], error["errorType"]) == ("a sensor was away", "SensorError")
    assert (member["member"], member["loss"]) == ("client-3", 9.0)


class Half:
    def __float__(self) -> float:
        return 0.5


class Item:
    """As the scalars of NumPy, torch and TensorFlow."""

    def item(self) -> Any:
        return 0.25


def test_every_kind_of_number_is_taken(url: str) -> None:
    run = epochcast.start(url=url)
    values = {
        "int": 3,
        "bool": True,
        "decimal": Decimal("0.5"),
        "fraction": Fraction(1, 4),
        "nan": math.nan,
        "infinity": math.inf,
        "minus": -math.inf,
        "decimal nan": Decimal("NaN"),
        "huge": 10**400,
        "minus huge": -(10**400),
        "float": Half(),
        "item": Item(),
        "text": "0.75",
        "within": {"a": 1, "deeper": {"b": 2}},
        "none": None,
    }
    run.log(values)
    assert run.flush()
    assert run.task_id is not None
    assert task(url, run.task_id)["metrics"] == {
        "int": 3,
        "bool": 1,
        "decimal": 0.5,
        "fraction": 0.25,
        "nan": "NaN",
        "infinity": "Infinity",
        "minus": "-Infinity",
        "decimal nan": "NaN",
        "huge": "Infinity",
        "minus huge": "-Infinity",
        "float": 0.5,
        "item": 0.25,
        "text": 0.75,
        "within/a": 1,
        "within/deeper/b": 2,
    }
    run.success()


def test_values_are_those_of_the_call(url: str) -> None:
    class Mutable:
        value = 1.0

        def item(self) -> float:
            return self.value

    loss, metrics = Mutable(), {"kept": 1.0}
    run = epochcast.start(url=url)
    run.log({"loss": loss})
    run.log(metrics)
    loss.value, metrics["kept"] = 2.0, 2.0
    run.success()
    assert run.task_id is not None
    assert task(url, run.task_id)["metrics"] == {"loss": 1.0, "kept": 1.0}


@pytest.mark.parametrize("count", [256, 257, 600])
def test_more_metrics_than_a_report_takes_are_several_reports(url: str, count: int) -> None:
    run = epochcast.start(url=url)
    run.log({f"m{i}": i for i in range(count)}, step=1)
    run.success()
    assert run.task_id is not None
    assert len(task(url, run.task_id)["metrics"]) == count
    assert len(steps(url, run.task_id)) == -(-count // 256)


def test_names_are_made_such_as_a_server_takes(url: str) -> None:
    run = epochcast.start(url=url)
    run.log({"": 1, "a\nb": 2, "x" * 129: 3, "😀" * 65: 4, "__proto__": 5, 7: 6})
    run.success()
    assert run.task_id is not None
    names = set(task(url, run.task_id)["metrics"])
    assert names == {"_", "a_b", "x" * 128, "😀" * 64, "7"}


def test_a_block_that_ends_well_is_a_success(url: str) -> None:
    with epochcast.start(url=url) as run:
        for step in range(2500):
            run.log({"loss": 1 / (step + 1)}, step=step)
    assert run.task_id is not None
    assert task(url, run.task_id)["status"] == "SUCCESS"
    assert steps(url, run.task_id) == list(range(2500))


def test_a_block_that_raises_is_a_failure_with_the_end_of_its_traceback(url: str) -> None:
    with pytest.raises(ValueError), epochcast.start(url=url) as run:
        run.log({"loss": 1})
        raise ValueError("the sensor is broken " + "x" * 20_000 + " at the end")
    assert run.task_id is not None
    found = task(url, run.task_id)
    assert (found["status"], found["error"]["type"]) == ("FAILURE", "ValueError")
    assert found["error"]["message"].endswith(" at the end\n")


@pytest.mark.parametrize(
    ("code", "status"), [(None, "SUCCESS"), (0, "SUCCESS"), (3, "FAILURE"), ("no", "FAILURE")]
)
def test_a_block_that_exits_is_judged_by_the_code(url: str, code: Any, status: str) -> None:
    with pytest.raises(SystemExit), epochcast.start(url=url) as run:
        raise SystemExit(code)
    assert run.task_id is not None
    assert task(url, run.task_id)["status"] == status


def test_a_block_that_is_interrupted_is_cancelled(url: str) -> None:
    with pytest.raises(KeyboardInterrupt), epochcast.start(url=url) as run:
        raise KeyboardInterrupt
    assert run.task_id is not None
    assert task(url, run.task_id)["status"] == "CANCELLED"


def test_a_training_learns_that_it_is_to_stop_and_ends_as_cancelled(url: str) -> None:
    with epochcast.start(url=url) as run:
        run.log({"loss": 1})
        assert run.flush()
        assert not run.should_stop
        assert run.task_id is not None
        cancel(url, run.task_id)

        def stops() -> bool:
            run.log({"loss": 1})
            return run.should_stop

        until("the request to stop", stops)
    assert task(url, run.task_id)["status"] == "CANCELLED"


def test_a_training_that_reports_nothing_learns_it_too(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "STOP_POLL_SECONDS", 0.05)
    task_id = new_task(url)
    run = epochcast.attach(task_id, url=url)
    cancel(url, task_id)
    until("the request to stop", lambda: run.should_stop)
    run.success()


def test_what_comes_after_the_end_is_left_out(url: str) -> None:
    run = epochcast.start(url=url)
    run.success()
    run.log({"loss": 1})
    run.failure("late")
    assert run.task_id is not None
    assert kinds(url, run.task_id)[-1] == "TrainingSucceeded"


def test_a_result_that_is_too_large_does_not_cost_the_end(url: str) -> None:
    for result in ("x" * 65_534, "x" * 65_535, "é" * 40_000):
        run = epochcast.start(url=url)
        run.success(result)
        assert run.task_id is not None
        found = task(url, run.task_id)
        assert found["status"] == "SUCCESS"
        assert found["result"] == (result if len(result) == 65_534 else None)


def test_a_launched_process_reports_to_its_task(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = new_task(url, channelPrefix="ml:training")
    monkeypatch.setenv("EPOCHCAST_URL", url)
    monkeypatch.setenv("EPOCHCAST_TASK_ID", task_id)
    monkeypatch.setenv("EPOCHCAST_CHANNEL_PREFIX", "ml:training")
    monkeypatch.setenv("EPOCHCAST_ATTEMPT", "1")
    with epochcast.start("not another one") as run:
        run.log({"loss": 1})
    assert run.task_id == task_id
    assert ended(url, task_id)["status"] == "SUCCESS"


def test_of_many_ranks_zero_speaks(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = new_task(url)
    for rank in ("1", "0"):
        monkeypatch.setenv("RANK", rank)
        with epochcast.attach(task_id, url=url) as run:
            run.log({"rank": int(rank)})
    assert len(steps(url, task_id)) == 1
    assert task(url, task_id)["metrics"] == {"rank": 0}


def test_every_rank_is_a_member_where_that_is_wanted(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for rank in ("2", "1", "0"):
        monkeypatch.setenv("RANK", rank)
        with epochcast.start("ranks", url=url, key="of all ranks", every_rank=True) as run:
            run.log({"rank": int(rank)}, step=int(rank))
    task_id = task_named(url, "ranks")
    assert steps(url, task_id) == [0]
    assert steps(url, task_id, "rank-1") == [1]
    assert steps(url, task_id, "rank-2") == [2]
    assert task(url, task_id)["status"] == "SUCCESS"


def test_the_failure_of_any_rank_is_that_of_the_training(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    for every_rank in (False, True):
        task_id = new_task(url)
        with pytest.raises(ValueError), epochcast.attach(task_id, url=url, every_rank=every_rank):
            raise ValueError("out of memory")
        assert task(url, task_id)["error"]["type"] == "ValueError"


def test_a_member_leaves_the_end_to_the_run(url: str) -> None:
    task_id = new_task(url)
    with pytest.raises(ValueError), epochcast.attach(task_id, url=url, member="client-1") as run:
        raise ValueError("no data")
    with epochcast.attach(task_id, url=url, member="client-2") as run:
        run.log({"loss": 1})
    found = events(url, task_id)
    assert [event.get("member") for event in found if event["__typename"] == "ErrorReported"] == ["client-1"]
    assert task(url, task_id)["status"] == "RUNNING"
