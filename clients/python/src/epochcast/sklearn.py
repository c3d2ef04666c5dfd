"""scikit-learn from 1.9: `GridSearchCV(…).set_callbacks(EpochcastCallback()).fit(X, y)`."""

import sys
from typing import Any

from . import start
from .notice import Notices, words_of
from .run import Run

MAX_CANDIDATES = 10_000  # of a search, that are reported

_notices = Notices()


class EpochcastCallback:
    """
    The progress of what an estimator does one after the other: the iterations of a LogisticRegression, the steps of a Pipeline,
    the fits of a search; and of a search that is over each candidate's mean scores, at the candidate's number. What estimators
    do in processes of their own (`n_jobs` of a search) is not seen, so there the progress comes with the end.

    scikit-learn 1.9 does not stop a fit for a callback, so one that is cancelled goes on to its end.
    """

    def __init__(self, run: Run | None = None, **starting: Any) -> None:
        """Without a run, `fit` starts one with `starting`, as `epochcast.start` takes it."""
        self.run, self._starting, self._is_given = run, starting, run is not None
        self._counted: Any = None
        self._done = 0

    def setup(self, estimator: Any, context: Any) -> None:
        self._counted, self._done = None, 0
        if self.run is None:
            self.run = start(**{"name": type(estimator).__name__, **self._starting})

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        pass

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
        if self.run is None:  # a copy in another process
            return False
        try:
            self._report(self.run, estimator, context)
        except Exception as error:
            _notices.say("sklearn", f"a task's end was left out, {words_of(error)}")
        return self.run.should_stop

    def teardown(self, estimator: Any, context: Any) -> None:
        """A run that was given goes on: what comes after the fit may be part of it."""
        if self.run is None or self._is_given:
            return
        run, self.run = self.run, None
        error = sys.exc_info()[1]  # scikit-learn calls this from its `finally`
        if error is not None:
            run.__exit__(type(error), error, error.__traceback__)
        elif run.should_stop:
            run.cancelled("stopped")
        else:
            run.success(_result(estimator))

    def _report(self, run: Run, estimator: Any, context: Any) -> None:
        parent = context.parent
        if parent is None:
            self._report_search(run, estimator)
        elif context.max_subtasks == 0 and self._counted in (None, parent.task_name):
            # One level counts: the fits of a search, and not beside them that it is fitted again with the best of them.
            self._counted = parent.task_name
            self._done += 1
            run.progress(self._done, parent.max_subtasks, stage=context.task_name)

    def _report_search(self, run: Run, estimator: Any) -> None:
        results = getattr(estimator, "cv_results_", None)
        if results is None:
            return
        count = len(results["params"])
        names = [name for name in results if name.startswith(("mean_", "std_"))]
        for candidate in range(min(count, MAX_CANDIDATES)):
            run.log({name: results[name][candidate] for name in names}, step=candidate + 1)
        if count > MAX_CANDIDATES:
            _notices.say("candidates", f"{count} candidates; only the first {MAX_CANDIDATES} are reported")

    def __getstate__(self) -> dict[str, Any]:
        """Of a copy for another process: it would count what it sees, and nobody sees all."""
        return {**self.__dict__, "run": None}

    def __deepcopy__(self, memo: dict[int, Any]) -> "EpochcastCallback":
        return self


def _result(estimator: Any) -> Any:
    best = {
        name: getattr(estimator, f"{name}_", None) for name in ("best_params", "best_score", "best_index")
    }
    return {name: value for name, value in best.items() if value is not None} or None
