"""XGBoost: `xgb.train(…, callbacks=[EpochcastCallback()])`, also of `xgb.cv` and of the estimators for scikit-learn."""

from typing import Any

from xgboost.callback import TrainingCallback
from xgboost.collective import broadcast, get_rank, is_distributed

from . import start
from .run import Run


class EpochcastCallback(TrainingCallback):  # type: ignore[misc,unused-ignore]
    """
    Each round's evaluations as metrics `dataset/metric`, or only `metric` where there is one dataset, those of `xgb.cv` with
    their `-std`; the best round where there is early stopping. The training stops when somebody cancels it; of a distributed
    one rank zero reports, and all ranks stop together. XGBoost tells no exceptions: the end of the process, or a block
    around the training, reports them.
    """

    def __init__(self, run: Run | None = None, *, rounds: int | None = None, **starting: Any) -> None:
        """
        Without a run, the training starts one with `starting`, as `epochcast.start` takes it. XGBoost does not tell callbacks
        how many `rounds` there will be.
        """
        super().__init__()
        self.run, self._starting, self._is_given = run, starting, run is not None
        self._rounds = rounds

    def before_training(self, model: Any) -> Any:
        if self.run is None and get_rank() == 0:
            self.run = start(**self._starting)
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        if self.run is not None and get_rank() == 0:
            self.run.progress(epoch + 1, self._rounds, step=epoch + 1, metrics=_latest(evals_log))
        stop = self.run is not None and self.run.should_stop
        # All ranks decide as one: those that went on would wait forever for one that stopped.
        return bool(broadcast(stop, 0) if is_distributed() else stop)

    def after_training(self, model: Any) -> Any:
        """A run that was given goes on: what comes after the training may be part of it."""
        if self.run is None or get_rank() != 0:
            return model
        best = model.attr("best_iteration")
        result = None if best is None else {"bestRound": int(best) + 1, "bestScore": model.attr("best_score")}
        if self._is_given:
            if result is not None:
                self.run.status("the best round is {bestRound}, its score {bestScore}".format(**result))
            return model
        run, self.run = self.run, None
        if run.should_stop:
            run.cancelled("stopped")
        else:
            run.success(result)
        return model


def _latest(evals_log: Any) -> dict[str, Any]:
    metrics = {}
    for dataset, by_metric in evals_log.items():
        for metric, values in by_metric.items():
            name = f"{dataset}/{metric}" if len(evals_log) > 1 else metric
            if isinstance(values[-1], tuple):
                metrics[name], metrics[f"{name}-std"] = values[-1]
            else:
                metrics[name] = values[-1]
    return metrics
