/** What GraphiQL opens with: an example for each operation; the cursor in one of them runs that one. */
export const graphiqlExamples = /* GraphQL */ `# Epochcast: live training telemetry
#
# 1. Run StartTraining (the pink button lists all
#    operations) and copy the id of its task.
# 2. Open "Variables" below and put it in there:
#    {"taskId": "the id"}
# 3. Run WatchTraining and see it live.

mutation StartTraining {
  startTraining(input: { machineId: "motor_siemens_001", epochs: 20 }) {
    task {
      id
      status
      trainer
    }
  }
}

# Every event of one training, live and without loss;
# replays the newest 20 first.
subscription WatchTraining($taskId: ID!) {
  trainingProgress(taskId: $taskId, last: 20) {
    __typename
    timestamp
    cursor
    ... on StreamOpened {
      message
      task {
        status
        progress
      }
    }
    ... on ProgressUpdate {
      progress
      stage
      epoch
      step
      loss
      metrics
      message
    }
    ... on EpochStarted {
      epoch
      totalEpochs
    }
    ... on EpochEnded {
      epoch
      phase
      metrics
    }
    ... on RoundEnded {
      round
      fitMetrics
      evalMetrics
    }
    ... on StatusChanged {
      status
      attempt
      stopRequested
      message
    }
    ... on EventsSkipped {
      count
      skipReason
    }
    ... on TrainingSucceeded {
      result
    }
    ... on TrainingFailed {
      error
    }
    ... on TrainingCancelled {
      reason
    }
    ... on StreamClosing {
      reason
    }
  }
}

# The newest state of one task, at most twice a second.
subscription WatchProgress($taskId: ID!) {
  taskProgress(taskId: $taskId, minIntervalMs: 500) {
    status
    progress
    stage
    etaSeconds
    metrics
  }
}

# All tasks: one subscription for a whole monitor.
subscription WatchAllTasks {
  taskUpdates(minIntervalMs: 500) {
    id
    trainer
    machineId
    status
    progress
    loss
  }
}

subscription Heartbeat {
  heartbeat(intervalMs: 1000) {
    sequence
    uptimeSeconds
    engine {
      name
      connected
      latencyMs
    }
  }
}

query Tasks {
  tasks(first: 10) {
    edges {
      node {
        id
        trainer
        machineId
        status
        progress
        loss
        createdAt
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}

# All conditions must hold; texts and labels are
# found at once among 100,000 tasks.
query FindTasks {
  tasks(filter: { text: "motor", statuses: [RUNNING, SUCCESS] }, orderBy: UPDATED_DESC, first: 10) {
    edges {
      node {
        id
        name
        status
        labels
        updatedAt
      }
    }
  }
}

# The whole life of a task; go on live with
# trainingProgress(after: …) and this cursor.
query TaskWithCurve($taskId: ID!) {
  task(id: $taskId) {
    status
    progress
    cursor
    series(names: ["loss"], maxPoints: 100) {
      name
      phase
      axis
      points {
        step
        epoch
        value
      }
    }
  }
}

query Server {
  server {
    version
    channelPrefixes
    engine {
      name
      connected
    }
    trainers {
      name
      launcher
      description
    }
  }
}

# A run that trains elsewhere: register it, then
# report to it.
mutation RegisterExternalRun {
  startTraining(input: { trainer: "external", labels: { run: "by hand" } }) {
    task {
      id
      status
    }
  }
}

mutation ReportMetrics($taskId: ID!) {
  reportMetrics(
    input: {
      taskId: $taskId
      reports: [{ progress: { current: 1, total: 10, loss: 0.9, metrics: { accuracy: 0.5 } } }]
    }
  ) {
    accepted
    stopRequested
  }
}

# The same once more, with what is given here replaced.
mutation RetryTraining($taskId: ID!) {
  startTraining(input: { retryOf: $taskId, epochs: 40 }) {
    task {
      id
      retryOf
      params
    }
  }
}

mutation RenameTask($taskId: ID!) {
  updateTask(input: { taskId: $taskId, name: "baseline", labels: { team: "vision" } }) {
    task {
      name
      labels
    }
  }
}

# Only a task that has ended.
mutation DeleteTask($taskId: ID!) {
  deleteTask(input: { taskId: $taskId }) {
    taskId
  }
}

mutation CancelTraining($taskId: ID!) {
  cancelTraining(input: { taskId: $taskId, reason: "changed my mind" }) {
    task {
      status
      stopRequested
    }
  }
}
`
