"""XGBoost and scikit-learn, each real."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost as xgb
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from support.processes import Trainer
from support.tasks import cancel, ended, events, task, task_named

import epochcast
import epochcast.sklearn as reporting_sklearn
from epochcast.xgboost import EpochcastCallback

X = np.linspace(-1, 1, 64).reshape(64, 1)
Y = (X[:, 0] > 0.1).astype(int)
PARAMS = {"objective": "binary:logistic", "eval_metric": ["logloss", "error"], "nthread": 1}


def progress(url: str, name: str) -> list[Any]:
    return [event for event in events(url, task_named(url, name)) if event["__typename"] == "ProgressUpdate"]


def test_xgboost_reports_each_round(url: str) -> None:
    seen: dict[str, Any] = {}
    data = xgb.DMatrix(X, Y)
    callback = EpochcastCallback(url=url, name="xgb", rounds=7)
    xgb.train(
        PARAMS,
        data,
        7,
        evals=[(data, "train"), (data, "val")],
        evals_result=seen,
        verbose_eval=False,
        callbacks=[callback],
    )
    told = progress(url, "xgb")
    assert [(e["current"], e["total"], e["step"]) for e in told] == [(done, 7, done) for done in range(1, 8)]
    assert [e["metrics"] for e in told] == [
        {f"{part}/{name}": pytest.approx(seen[part][name][i]) for part in seen for name in seen[part]}
        for i in range(7)
    ]
    assert task(url, task_named(url, "xgb"))["status"] == "SUCCESS"


def test_xgboosts_early_stopping_tells_the_best_round(url: str) -> None:
    noise = xgb.DMatrix(X, np.roll(Y, 20))
    fit: Any = {"evals": [(noise, "val")], "early_stopping_rounds": 3, "verbose_eval": False}
    own = xgb.train(
        PARAMS, xgb.DMatrix(X, Y), 500, callbacks=[EpochcastCallback(url=url, name="early")], **fit
    )
    with epochcast.start("early in a run", url=url) as run:
        xgb.train(PARAMS, xgb.DMatrix(X, Y), 500, callbacks=[EpochcastCallback(run)], **fit)
    result = task(url, task_named(url, "early"))["result"]
    assert (result["bestRound"], float(result["bestScore"])) == (
        own.best_iteration + 1,
        pytest.approx(own.best_score),
    )
    said = [
        event["message"] for event in events(url, task_named(url, "early in a run")) if event.get("message")
    ]
    assert any(message.startswith(f"the best round is {own.best_iteration + 1}, ") for message in said)


def test_xgboosts_cross_validation_and_its_estimators_report(url: str) -> None:
    folds = xgb.cv(
        PARAMS, xgb.DMatrix(X, Y), 3, nfold=2, callbacks=[EpochcastCallback(url=url, name="xgb cv")]
    )
    last = progress(url, "xgb cv")[-1]["metrics"]
    assert last["test/logloss"] == pytest.approx(float(np.asarray(folds["test-logloss-mean"])[-1]))
    assert last["test/logloss-std"] == pytest.approx(float(np.asarray(folds["test-logloss-std"])[-1]))
    with epochcast.start("xgb estimator", url=url) as run:
        model = xgb.XGBClassifier(n_estimators=4, n_jobs=1, callbacks=[EpochcastCallback(run)])
        model.fit(X, Y, eval_set=[(X, Y)], verbose=False)
    losses = [event["metrics"]["logloss"] for event in progress(url, "xgb estimator")]
    assert losses == pytest.approx(model.evals_result()["validation_0"]["logloss"])


def test_xgboost_stops_when_it_is_cancelled(url: str) -> None:
    with epochcast.start("xgb to stop", url=url) as run:
        assert run.flush(60)
        cancel(url, task_named(url, "xgb to stop"))

        class Flushing(EpochcastCallback):
            def after_iteration(self, *args: Any, **kwargs: Any) -> bool:
                run.flush(60)
                return super().after_iteration(*args, **kwargs)

        data = xgb.DMatrix(X, Y)
        booster = xgb.train(
            PARAMS, data, 1000, evals=[(data, "train")], verbose_eval=False, callbacks=[Flushing(run)]
        )
    assert booster.num_boosted_rounds() < 1000
    assert task(url, task_named(url, "xgb to stop"))["status"] == "CANCELLED"


RANK = """
import sys
sys.path.insert(0, PATH)
from test_boosting import EpochcastCallback, PARAMS, X, Y, xgb
from xgboost import collective
with collective.CommunicatorContext(**ARGS):
    data = xgb.DMatrix(X, Y)
    rounds = xgb.train(PARAMS, data, ROUNDS, evals=[(data, "train")], verbose_eval=False,
        callbacks=[EpochcastCallback(name=NAME)]).num_boosted_rounds()
    print("rounds", rounds, flush=True)
"""


def two_ranks(run_python: Callable[..., Trainer], url: str, name: str, rounds: int) -> list[Trainer]:
    from xgboost.tracker import RabitTracker

    tracker = RabitTracker(host_ip="127.0.0.1", n_workers=2)
    tracker.start()
    code = RANK.replace("PATH", repr(str(Path(__file__).parent))).replace("ARGS", repr(tracker.worker_args()))
    code = code.replace("ROUNDS", str(rounds)).replace("NAME", repr(name))
    ranks = [run_python(code, EPOCHCAST_URL=url) for _ in range(2)]
    ranks[0].tracker = tracker  # type: ignore[attr-defined] # which ends when nobody holds it
    return ranks


def test_of_two_ranks_of_xgboost_each_round_is_told_once(
    url: str, run_python: Callable[..., Trainer]
) -> None:
    for rank in two_ranks(run_python, url, "xgb ranks", 5):
        code, out, err = rank.ended()
        assert (code, out.splitlines()[-1:]) == (0, ["rounds 5"]), err
    assert [event["current"] for event in progress(url, "xgb ranks")] == [1, 2, 3, 4, 5]


def test_both_ranks_of_xgboost_stop_when_it_is_cancelled(
    url: str, run_python: Callable[..., Trainer]
) -> None:
    ranks = two_ranks(run_python, url, "xgb ranks to stop", 100_000)
    cancel(url, task_named(url, "xgb ranks to stop"))
    printed = [rank.ended() for rank in ranks]
    assert [code for code, _out, _err in printed] == [0, 0], printed
    first, second = (out.splitlines()[-1] for _code, out, _err in printed)
    assert first == second and int(first.split()[1]) < 100_000
    assert ended(url, task_named(url, "xgb ranks to stop"))["status"] == "CANCELLED"


GRID = {"C": [0.01, 0.1, 1.0]}


def search(n_jobs: int | None = None, **more: Any) -> Any:
    return GridSearchCV(LogisticRegression(), GRID, cv=2, n_jobs=n_jobs, **more)


def test_a_search_of_scikit_learn_reports_its_fits_and_its_candidates(url: str) -> None:
    fitted = search().set_callbacks(reporting_sklearn.EpochcastCallback(url=url, name="search")).fit(X, Y)
    told = progress(url, "search")
    fits = [(e["current"], e["total"]) for e in told if e["stage"]]
    assert fits == [(done, 6) for done in range(1, 7)]
    candidates = [(e["step"], e["metrics"]["mean_test_score"]) for e in told if e["metrics"]]
    assert candidates == [
        (i + 1, pytest.approx(s)) for i, s in enumerate(fitted.cv_results_["mean_test_score"])
    ]
    found = task(url, task_named(url, "search"))
    assert (found["status"], found["result"]["best_params"]) == ("SUCCESS", fitted.best_params_)


def test_a_search_in_other_processes_reports_its_candidates_at_its_end(url: str) -> None:
    with epochcast.start("search in processes", url=url) as run:
        search(n_jobs=2).set_callbacks(reporting_sklearn.EpochcastCallback(run)).fit(X, Y)
    assert [e["step"] for e in progress(url, "search in processes") if e["metrics"]] == [1, 2, 3]
    assert task(url, task_named(url, "search in processes"))["status"] == "SUCCESS"


def test_the_iterations_of_an_estimator_and_the_steps_of_a_pipeline_are_progress(url: str) -> None:
    callback = reporting_sklearn.EpochcastCallback(url=url)
    model = LogisticRegression(max_iter=50).set_callbacks(callback).fit(X, Y)
    told = progress(url, "LogisticRegression")
    assert [e["current"] for e in told] == list(range(1, len(told) + 1))
    assert int(model.n_iter_[0]) <= len(told) <= int(model.n_iter_[0]) + 1
    make_pipeline(StandardScaler(), LogisticRegression()).set_callbacks(callback).fit(X, Y)
    assert progress(url, "Pipeline")[-1]["current"] == 2


def test_a_fit_of_scikit_learn_that_raises_is_a_failure(url: str) -> None:
    with pytest.raises(ValueError):
        search(error_score="raise").set_callbacks(
            reporting_sklearn.EpochcastCallback(url=url, name="bad search")
        ).fit(X, np.zeros(64))
    found = ended(url, task_named(url, "bad search"))
    assert (found["status"], found["error"]["type"]) == ("FAILURE", "ValueError")


def test_a_loop_of_partial_fit_needs_no_more_than_a_run(url: str) -> None:
    from sklearn.linear_model import SGDClassifier

    model = SGDClassifier(random_state=1)
    with epochcast.start("partial", url=url) as run:
        scores = []
        for epoch in range(1, 4):
            run.epoch_start(epoch, 3)
            model.partial_fit(X, Y, classes=[0, 1])
            scores.append(model.score(X, Y))
            run.epoch_end(epoch, "train", {"accuracy": scores[-1]})
    told = [e for e in events(url, task_named(url, "partial")) if e["__typename"] == "EpochEnded"]
    assert [e["metrics"]["accuracy"] for e in told] == pytest.approx(scores)


def test_the_module_for_scikit_learn_does_not_import_it(run_python: Callable[..., Trainer]) -> None:
    code = "import epochcast.sklearn, sys; print('sklearn' in sys.modules)"
    assert run_python(code).ended()[:2] == (0, "False\n"), sys.executable
