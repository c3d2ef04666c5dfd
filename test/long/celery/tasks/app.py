import os

from celery import Celery

app = Celery(
    "team",
    broker=os.environ["CELERY_BROKER_URL"],
    backend=os.environ["CELERY_BROKER_URL"],
    include=["tasks.gan_tasks", "tasks.odd_tasks"],
)

# Should be longer than any training; short here, so that a test need not wait for an hour.
app.conf.broker_transport_options = {"visibility_timeout": int(os.environ.get("VISIBILITY_TIMEOUT", "3600"))}
