"""The server's part of a federated training with FedAvg, of two numbers that each client raises by one."""

from typing import Any

import numpy as np
from flwr.app import ArrayRecord, Context, MetricRecord
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg

from epochcast.flower import epochcast_strategy

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    def evaluate(_server_round: int, arrays: ArrayRecord) -> MetricRecord:
        return MetricRecord({"weight": float(arrays.to_numpy_ndarrays()[0][0])})

    name: Any = context.run_config["name"]
    rounds: Any = context.run_config["rounds"]
    result = epochcast_strategy(FedAvg(), client_name=lambda node: f"client-{node}", name=name).start(
        grid=grid, initial_arrays=ArrayRecord([np.zeros(2)]), num_rounds=rounds, evaluate_fn=evaluate
    )
    print(
        "RESULT",
        result.arrays.to_numpy_ndarrays()[0].tolist(),
        sorted(result.train_metrics_clientapp),
        sorted(result.evaluate_metrics_clientapp),
        sorted(result.evaluate_metrics_serverapp),
        flush=True,
    )
