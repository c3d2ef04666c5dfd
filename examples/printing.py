"""A script that knows nothing of Epochcast: it prints a report a line, and whatever else it likes."""

import json

for epoch in range(1, 11):
    loss = 0.5**epoch
    print(json.dumps({"progress": {"current": epoch, "total": 10, "loss": loss}}), flush=True)
print("the model is in model.bin")
print(json.dumps({"success": {"result": {"loss": loss}}}))
