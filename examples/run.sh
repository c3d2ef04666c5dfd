#!/bin/sh
# Runs a training of your own as a task, whatever it is written in:  sh examples/run.sh python3 train.py
exec npx epochcast run --name "my training" --label team=vision -- "$@"
