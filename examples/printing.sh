#!/usr/bin/env bash
# Reports what a script prints:  bash examples/printing.sh TASK_ID
python3 examples/printing.py | npx epochcast report "$1" --json -
status=${PIPESTATUS[0]}
[ "$status" = 0 ] || npx epochcast report "$1" failure --error "printing.py exited with $status"
exit "$status"
