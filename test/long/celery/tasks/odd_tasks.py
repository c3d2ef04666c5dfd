"""What goes wrong in workers."""

import os
import time

from tasks.app import app


@app.task
def raising_task(machine_id):
    raise ValueError(f"no readings of {machine_id}")


@app.task
def exiting_task(machine_id):
    os._exit(3)


@app.task
def silent_task(machine_id, epochs):
    """Tells nothing, but what it returns."""
    time.sleep(epochs)
    return {"slept": epochs}


@app.task
def shape_task(*args, **kwargs):
    """Returns what it is called with."""
    return {"args": list(args), "kwargs": kwargs}
