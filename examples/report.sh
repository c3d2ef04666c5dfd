#!/bin/sh
# Reports one step of a training:  sh examples/report.sh TASK_ID
curl -sS "${EPOCHCAST_URL:-http://localhost:4000/graphql}" -H 'content-type: application/json' -d '{
  "query": "mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted stopRequested } }",
  "variables": { "input": { "taskId": "'"$1"'", "reports": [
    { "progress": { "current": 3, "total": 50, "loss": 0.42, "metrics": { "accuracy": 0.81 } } }
  ] } }
}'
