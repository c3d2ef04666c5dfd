"""Flower: `strategy = epochcast_strategy(FedAvg())`, of `flwr.serverapp.strategy` or of the older `flwr.server.strategy`."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from . import start
from .notice import Notices, words_of
from .run import Run

Strategy = TypeVar("Strategy")
Names = Callable[[Any], str]

_notices = Notices()


class _Stopped(Exception):
    """Ends the rounds of a strategy whose training was cancelled; never seen outside of this module."""


def epochcast_strategy(
    strategy: Strategy,
    run: Run | None = None,
    *,
    rounds: int | None = None,
    client_name: Names = str,
    **starting: Any,
) -> Strategy:
    """
    The same strategy, which from now on reports each round's metrics, and those of each client, as a member named
    `client_name(node_id)` (or of its `cid`). No further round begins once somebody cancelled the training.

    Without a run one is started with `starting`, as `epochcast.start` takes it, and ends with `strategy.start`; that of an
    older strategy, whose number of `rounds` only its server knows, ends with the process.
    """
    reporter = _Reporter(run, rounds, client_name, {"name": type(strategy).__name__, **starting})
    try:
        if hasattr(strategy, "aggregate_train"):
            _wrap(strategy, "start", reporter.around_start)
            _wrap(strategy, "configure_train", reporter.around_configure_train)
            _wrap(strategy, "aggregate_train", reporter.around_aggregate_train)
            _wrap(strategy, "aggregate_evaluate", reporter.around_aggregate_evaluate)
        else:
            _wrap(strategy, "configure_fit", reporter.around_older_configure)
            _wrap(strategy, "configure_evaluate", reporter.around_older_configure)
            _wrap(strategy, "aggregate_fit", reporter.around_aggregate_fit)
            _wrap(strategy, "aggregate_evaluate", reporter.around_older_aggregate_evaluate)
            _wrap(strategy, "evaluate", reporter.around_older_evaluate)
    except AttributeError as error:
        _notices.say("flower", f"a {type(strategy).__name__} is no strategy of Flower, {words_of(error)}")
    return strategy


def _wrap(strategy: Any, name: str, around: Callable[..., Any]) -> None:
    """On this strategy alone, so that whatever it calls of its own, and whatever class it is of, stays as it was."""
    method = getattr(strategy, name)

    @wraps(method)
    def reporting(*args: Any, **kwargs: Any) -> Any:
        return around(method, *args, **kwargs)

    setattr(strategy, name, reporting)


class _Reporter:
    def __init__(
        self, run: Run | None, rounds: int | None, client_name: Names, starting: dict[str, Any]
    ) -> None:
        self._run, self._rounds, self._client_name, self._starting = run, rounds, client_name, starting
        self._is_given = run is not None
        self._result: Any = None
        self._fit: Any = None  # the metrics of the round's training, until those of its evaluation are there

    @property
    def run(self) -> Run:
        if self._run is None:
            self._run = start(**self._starting)
        return self._run

    # Strategies of messages, which have their rounds in `start`.

    def around_start(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        from flwr.serverapp.strategy.result import Result

        given = inspect.signature(method).bind(*args, **kwargs)
        given.apply_defaults()
        self._rounds, self._result = given.arguments.get("num_rounds"), Result()
        evaluate = given.arguments.get("evaluate_fn")
        if evaluate is not None:
            given.arguments["evaluate_fn"] = self._around_evaluate_fn(evaluate)
        run = self.run
        try:
            result = method(*given.args, **given.kwargs)
        except _Stopped:
            result = self._result
        except BaseException as error:
            if not self._is_given:
                run.__exit__(type(error), error, error.__traceback__)
            raise
        finally:
            if not self._is_given:
                self._run = None
        if not self._is_given:
            run.__exit__(None, None, None)
        return result

    def around_configure_train(self, method: Any, server_round: int, *args: Any, **kwargs: Any) -> Any:
        if self._result is not None and self.run.should_stop:
            raise _Stopped
        return method(server_round, *args, **kwargs)

    def around_aggregate_train(self, method: Any, server_round: int, replies: Any) -> Any:
        replies = list(replies)
        self._quietly(self._report_replies, server_round, replies, "fit_metrics")
        arrays, self._fit = aggregated = method(server_round, replies)
        if arrays is not None and self._result is not None:
            self._result.arrays = arrays
        if self._fit is not None and self._result is not None:
            self._result.train_metrics_clientapp[server_round] = self._fit
        return aggregated

    def around_aggregate_evaluate(self, method: Any, server_round: int, replies: Any) -> Any:
        replies = list(replies)
        self._quietly(self._report_replies, server_round, replies, "eval_metrics")
        metrics = method(server_round, replies)
        if metrics is not None and self._result is not None:
            self._result.evaluate_metrics_clientapp[server_round] = metrics
        self._quietly(self._report_round, server_round, metrics)
        return metrics

    def _around_evaluate_fn(self, evaluate: Any) -> Any:
        """The server's own evaluation, which comes after the clients' of the same round, and before the first."""

        def evaluating(server_round: int, arrays: Any) -> Any:
            metrics = evaluate(server_round, arrays)
            if metrics is not None:
                self._result.evaluate_metrics_serverapp[server_round] = metrics
                self._quietly(self._report_server, server_round, metrics)
            return metrics

        return evaluating

    def _report_replies(self, server_round: int, replies: list[Any], kind: str) -> None:
        for reply in replies:
            client = self.run.member(self._client_name(reply.metadata.src_node_id))
            if reply.has_error():
                client.error(reply.error.reason, f"Flower {reply.error.code}")
                continue
            records = reply.content.metric_records
            metrics = {
                (name if len(records) == 1 else f"{key}/{name}"): value
                for key, record in records.items()
                for name, value in record.items()
            }
            client.round_end(server_round, self._rounds, **{kind: _numbers(metrics)}, step=server_round)

    # Older strategies, whose server has the rounds.

    def around_older_configure(self, method: Any, server_round: int, *args: Any, **kwargs: Any) -> Any:
        """A round for which there are no clients is passed over, by every server of Flower's."""
        return [] if self.run.should_stop else method(server_round, *args, **kwargs)

    def around_aggregate_fit(self, method: Any, server_round: int, results: Any, failures: Any) -> Any:
        self._quietly(self._report_results, server_round, results, failures, "fit_metrics")
        aggregated = method(server_round, results, failures)
        self._fit = {} if aggregated is None else aggregated[1]
        return aggregated

    def around_older_aggregate_evaluate(
        self, method: Any, server_round: int, results: Any, failures: Any
    ) -> Any:
        self._quietly(self._report_results, server_round, results, failures, "eval_metrics")
        aggregated = method(server_round, results, failures)
        self._quietly(self._report_round, server_round, aggregated)
        return aggregated

    def around_older_evaluate(self, method: Any, server_round: int, *args: Any, **kwargs: Any) -> Any:
        evaluated = method(server_round, *args, **kwargs)
        if evaluated is not None:
            self._quietly(self._report_server, server_round, evaluated)
        return evaluated

    def _report_results(self, server_round: int, results: Any, failures: Any, kind: str) -> None:
        for client, result in results:
            metrics = dict(result.metrics)
            if kind == "eval_metrics":
                metrics["loss"] = result.loss
            metrics["num-examples"] = result.num_examples
            member = self.run.member(self._client_name(client.cid))
            member.round_end(server_round, self._rounds, **{kind: _numbers(metrics)}, step=server_round)
        for failure in failures:
            if isinstance(failure, BaseException):
                self.run.error(failure)
            else:
                client, result = failure
                self.run.member(self._client_name(client.cid)).error(str(result.status.message))

    def _report_round(self, server_round: int, evaluation: Any) -> None:
        fit, self._fit = self._fit, None
        self.run.round_end(
            server_round,
            self._rounds,
            fit_metrics=_numbers(fit or {}),
            eval_metrics=_numbers(_evaluation(evaluation)),
            step=server_round,
        )

    def _report_server(self, server_round: int, evaluation: Any) -> None:
        named = {f"server/{name}": value for name, value in _numbers(_evaluation(evaluation)).items()}
        self.run.round_end(server_round, self._rounds, eval_metrics=named, step=server_round)

    def _quietly(self, report: Callable[..., None], *given: Any) -> None:
        try:
            report(*given)
        except Exception as error:
            _notices.say("flower", f"a round's report was left out, {words_of(error)}")


def _evaluation(told: Any) -> Mapping[str, Any]:
    """Metrics; an older strategy has the loss beside them."""
    if isinstance(told, tuple):
        loss, metrics = told
        return {"loss": loss, **(metrics or {})}
    return told or {}


def _numbers(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Flower's metrics may be lists and texts, too, which have no curve."""
    return {
        name: value for name, value in metrics.items() if isinstance(value, (int, float)) or value is None
    }
