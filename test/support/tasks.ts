import { randomUUID } from 'node:crypto'
import type { EventLog, Watch, WatchSignal } from '../../src/event-log/event-log.ts'
import { listingOf } from '../../src/event-log/listing.ts'
import { happenedAt, type TaskEvent } from '../../src/task/event.ts'
import { queued } from '../../src/task/lifecycle.ts'
import { reduce, reduceAll } from '../../src/task/reducer.ts'
import {
  initialState,
  isFinalStatus,
  type TaskKey,
  type TaskSpec,
  type TaskState,
} from '../../src/task/task.ts'

export const NOW = Date.parse('2026-11-21T10:00:00.000Z')

export function specOf(overrides: Partial<TaskSpec> = {}): TaskSpec {
  return {
    channelPrefix: 'gan:training',
    id: randomUUID(),
    trainer: 'external',
    machineId: null,
    labels: null,
    retryOf: null,
    params: {},
    createdAt: NOW,
    holder: null,
    startId: 'test',
    inputDigest: null,
    ...overrides,
  }
}

export const newState = (overrides: Partial<TaskSpec> = {}): TaskState => initialState(specOf(overrides))

export function progress(current: number, loss: number | 'NaN' = 1 / current): TaskEvent {
  return {
    type: 'ProgressUpdate',
    ...happenedAt(NOW + current),
    current,
    total: 100,
    progress: current,
    status: 'RUNNING',
    machineId: null,
    stage: null,
    epoch: null,
    step: null,
    member: null,
    loss,
    metrics: {},
    message: null,
  }
}

export const succeeded = (result: number | null = null): TaskEvent => ({
  type: 'TrainingSucceeded',
  result,
  ...happenedAt(NOW + 1_000_000),
})

/** Its trainer was silent for too long. */
export const givenUp = (after = 2_000_000): TaskEvent => ({
  type: 'TrainingFailed',
  error: 'the task is given up',
  errorType: 'Abandoned',
  givenUp: true,
  ...happenedAt(NOW + after),
})

export const runningAgain = (after = 3_000_000): TaskEvent => ({
  type: 'StatusChanged',
  status: 'RUNNING',
  message: null,
  attempt: 1,
  stopRequested: false,
  ...happenedAt(NOW + after),
})

/** Creates the log of a new task with its QUEUED event. */
export async function createTask(log: EventLog, overrides: Partial<TaskSpec> = {}): Promise<TaskSpec> {
  const spec = specOf(overrides)
  const events = queued(spec.createdAt)
  await log.create(spec, events, reduceAll(initialState(spec), events))
  return spec
}

/** Watches a task that has just been created: in a cluster, the news of that may come only now, and is left out. */
export const watchCreated = (
  log: Pick<EventLog, 'watch'>,
  key: TaskKey,
  onSignal: (signal: WatchSignal) => void,
): Promise<Watch> =>
  log.watch(key, (signal) => {
    if (signal.kind !== 'appended' || signal.top.offset > 1) onSignal(signal)
  })

/** Appends events to a log, whatever its top is. They count as folded into curves, so that the log may trim them. */
export async function append(log: EventLog, key: TaskKey, ...events: TaskEvent[]): Promise<void> {
  const snapshot = await log.snapshot(key)
  if (!snapshot) throw new Error(`no task ${key.id}`)
  const state = events.reduce(reduce, snapshot.state)
  const top = { ...snapshot.top, offset: snapshot.top.offset + events.length }
  const result = await log.append(key, {
    expected: snapshot.top,
    revision: snapshot.revision,
    events,
    state,
    isFinal: isFinalStatus(state.status),
    isReturn: isFinalStatus(snapshot.state.status),
    curves: { through: snapshot.top.offset + events.length, index: '', put: [], drop: [] },
    listing: listingOf({ ...snapshot, state, top }),
  })
  if (result.kind !== 'appended') throw new Error(`append: ${result.kind}`)
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
