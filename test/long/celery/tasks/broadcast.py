"""How a team's workers tell their progress: JSON on a Redis channel a task. Nothing here knows of Epochcast."""

import json
import os
from datetime import datetime

import redis

client = redis.Redis.from_url(os.environ["REDIS_URL"])


def broadcast_progress(task_id, current, total, message="", **metadata):
    client.publish(
        f"gan:training:{task_id}",
        json.dumps(
            {
                "task_id": task_id,
                "timestamp": datetime.utcnow().isoformat(),
                "current": current,
                "total": total,
                "progress": round(100 * current / total, 2),
                "status": "PROGRESS",
                "stage": "training",
                "message": message,
                "metadata": metadata,
            }
        ),
    )


def broadcast_end(task_id, result=None, error=None):
    end = {"status": "SUCCESS", "progress": 100, "result": result} if error is None else {"status": "FAILURE", "error": error}
    client.publish(
        f"gan:training:{task_id}",
        json.dumps({"task_id": task_id, "timestamp": datetime.utcnow().isoformat(), **end}),
    )
