"""LightGBM: `lgb.train(…, callbacks=[epochcast_callback(run)])`."""

from collections.abc import Callable
from typing import Any

from lightgbm.callback import EarlyStopException

from .run import Run


def epochcast_callback(run: Run) -> Callable[[Any], None]:
    """
    Each iteration's evaluations as metrics `dataset/metric`, or only `metric` where there is one dataset; the training stops
    when somebody cancels it, as with early stopping.
    """

    def callback(env: Any) -> None:
        results = env.evaluation_result_list or []
        datasets = {result[0] for result in results}
        metrics = {
            (f"{dataset}/{name}" if len(datasets) > 1 else name): value
            for dataset, name, value, *_ in results
        }
        total = env.end_iteration - env.begin_iteration
        done = env.iteration - env.begin_iteration + 1
        run.progress(done, total, step=env.iteration + 1, metrics=metrics)
        if run.should_stop:
            raise EarlyStopException(env.iteration, results)

    callback.order = 20  # type: ignore[attr-defined]
    return callback
