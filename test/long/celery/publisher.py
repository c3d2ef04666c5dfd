"""Publishes so many messages for one task: publisher.py TASK_ID COUNT PAUSE_SECONDS"""

import sys
import time

from tasks.broadcast import broadcast_end, broadcast_progress

task_id, count, pause = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
for number in range(1, count + 1):
    broadcast_progress(task_id, number, count, f"Epoch {number}/{count}", epoch=number, loss=1 / number)
    time.sleep(pause)
broadcast_end(task_id, {"published": count})
