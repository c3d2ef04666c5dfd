"""A client of the training, whose losses are its own number, set by `--node-config`."""

from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

app = ClientApp()


@app.train()
def train(message: Message, context: Context) -> Message:
    (weights,) = message.content["arrays"].to_numpy_ndarrays()
    metrics = MetricRecord({"loss": 1.0 * context.node_config["number"], "num-examples": 10})
    content = RecordDict({"arrays": ArrayRecord([weights + 1]), "metrics": metrics})
    return Message(content=content, reply_to=message)


@app.evaluate()
def evaluate(message: Message, context: Context) -> Message:
    metrics = MetricRecord({"loss": 2.0 * context.node_config["number"], "num-examples": 10})
    return Message(content=RecordDict({"metrics": metrics}), reply_to=message)
