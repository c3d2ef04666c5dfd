#!/bin/sh
# Starts a finished task again, with another learning rate, and watches it:  sh examples/retry.sh TASK_ID
npx epochcast train --retry-of "$1" --param learning_rate=0.0005 --watch
