import type { EventKind, EventOf, TaskEvent } from './event.ts'
import { noteMachine } from './machines.ts'
import { noteMember } from './members.ts'
import type { DraftPace } from './pace.ts'
import { heardAfter } from './producers.ts'
import { beginAttempt, beginEpoch, endEpoch, reachEpoch, tellProgress } from './progress.ts'
import type { Heard, Metrics, MetricValue, TaskState, TaskStatus } from './task.ts'

/** Folds one event into the state of its task. Pure: every engine and every feed gets the same state. */
export function reduce(state: TaskState, event: TaskEvent): TaskState {
  return reduceAll(state, [event])
}

export function reduceAll(state: TaskState, events: readonly TaskEvent[]): TaskState {
  const draft = draftOf(state)
  for (const event of events) apply(draft, event)
  return draft
}

/** A state that nobody else has seen yet, to fold many events into without a copy for each. */
export type DraftState = { -readonly [K in keyof TaskState]: TaskState[K] } & {
  metrics: Record<string, MetricValue>
  producers: Record<string, Heard>
  pace?: DraftPace | null
}

export function draftOf(state: TaskState): DraftState {
  // Plain spreads: one with further properties takes twice as long, and Object.assign has no own `__proto__`.
  const draft = { ...state } as DraftState
  draft.metrics = { ...state.metrics }
  draft.producers = { ...state.producers }
  if (state.pace) draft.pace = { ...state.pace }
  return draft
}

/** Folds one event into a draft, in place. */
export function apply(draft: DraftState, event: TaskEvent): void {
  change(draft, event)
  const { producer, sequence, digest } = event
  if (event.type === 'SystemSampled') noteMachine(draft, event)
  else {
    draft.updatedAt = event.recordedAt
    noteMember(draft, event)
    if (producer !== undefined) draft.heardAt = event.recordedAt
  }
  if (producer === undefined || sequence === undefined) return
  const before = Object.hasOwn(draft.producers, producer) ? draft.producers[producer] : undefined
  put(draft.producers, producer, heardAfter(before, sequence, digest))
}

/**
 * What each kind of event changes; a kind that is forgotten here does not compile. What a member reports is heard,
 * and changes nothing else.
 */
const CHANGES = {
  ProgressUpdate(draft, event) {
    draft.heardAt = event.recordedAt
    if (event.member != null) return
    draft.current = event.current
    draft.total = event.total
    draft.countsProgress = true
    if (event.epoch !== null) reachEpoch(draft, event.epoch)
    tellProgress(draft, event.recordedAt)
    draft.stage = event.stage ?? draft.stage
    draft.loss = event.loss ?? draft.loss
    merge(draft.metrics, event.metrics, '')
    draft.message = event.message ?? draft.message
    reach(draft, event.step)
  },
  EpochStarted(draft, event) {
    draft.heardAt = event.recordedAt
    draft.totalEpochs = event.totalEpochs
    beginEpoch(draft, event.epoch)
    tellProgress(draft, event.recordedAt)
  },
  EpochEnded(draft, event) {
    draft.heardAt = event.recordedAt
    if (event.member != null) return
    endEpoch(draft, event.epoch)
    tellProgress(draft, event.recordedAt)
    reach(draft, event.step)
    if (event.phase === 'TRAIN') draft.loss = event.metrics.loss ?? draft.loss
    merge(draft.metrics, event.metrics, PHASE_PREFIX[event.phase])
  },
  RoundEnded(draft, event) {
    draft.heardAt = event.recordedAt
    if (event.member != null) return
    reach(draft, event.step)
    draft.round = event.round
    draft.totalRounds = event.totalRounds
    // Federated trainers count in rounds; one that reports nothing else still shows how far it is.
    if (!draft.countsProgress) {
      draft.current = event.round
      draft.total = event.totalRounds
    }
    tellProgress(draft, event.recordedAt)
    draft.loss = event.fitMetrics.loss ?? draft.loss
    merge(draft.metrics, event.fitMetrics, PHASE_PREFIX.TRAIN)
    merge(draft.metrics, event.evalMetrics, PHASE_PREFIX.EVAL)
  },
  StatusChanged: changeStatus,
  ErrorReported(draft, event) {
    draft.heardAt = event.recordedAt
    if (event.member == null) draft.error = { message: event.error, type: event.errorType }
  },
  // No sign of life of the trainer.
  SystemSampled() {},
  TrainingSucceeded(draft, event) {
    end(draft, 'SUCCESS', event.recordedAt)
    draft.result = event.result
    // An error that the trainer got over is history, and so is the way still to go.
    draft.error = null
    draft.progress = 100
  },
  TrainingFailed(draft, event) {
    end(draft, 'FAILURE', event.recordedAt)
    draft.error = { message: event.error, type: event.errorType }
    draft.givenUp = event.givenUp === true
  },
  TrainingCancelled(draft, event) {
    end(draft, 'CANCELLED', event.recordedAt)
    draft.stopReason = event.reason ?? draft.stopReason
  },
} satisfies { [Kind in EventKind]: (draft: DraftState, event: EventOf<Kind>) => void }

function change<Kind extends EventKind>(draft: DraftState, event: EventOf<Kind>): void {
  const apply = CHANGES[event.type as Kind] as (draft: DraftState, event: EventOf<Kind>) => void
  apply(draft, event)
}

function changeStatus(draft: DraftState, event: EventOf<'StatusChanged'>): void {
  const { attempt, recordedAt } = event
  const relaunched = attempt > draft.attempt
  const isWish = event.stopRequested && !draft.stopRequested
  // What the server says of a change is for viewers of the event; only where nothing else changes it is the trainer's.
  const isTrainers = event.status === 'RUNNING' && draft.status === 'RUNNING' && !relaunched && !isWish
  if (isTrainers) draft.message = event.message ?? draft.message
  // It had been given up.
  if (event.status === 'RUNNING' && draft.finishedAt !== null) {
    draft.finishedAt = null
    draft.error = null
    draft.givenUp = false
  }
  // An attempt that waits for its start has not started, whatever the one before it did.
  if (relaunched) draft.startedAt = null
  if (event.status === 'RUNNING') draft.startedAt ??= recordedAt
  draft.status = event.status
  if (event.status !== 'STALLED' && !isWish) draft.heardAt = recordedAt
  if (relaunched) {
    draft.attempt = attempt
    draft.producers = {}
    // What the attempt before said is history.
    draft.message = null
    draft.error = null
    beginAttempt(draft)
  }
  if (isWish) {
    draft.stopRequested = true
    draft.stopReason = event.stopReason ?? null
  }
}

function reach(draft: DraftState, step: number | null | undefined): void {
  if (step != null && step > (draft.step ?? -1)) draft.step = step
}

function end(draft: DraftState, status: TaskStatus, at: number): void {
  draft.status = status
  draft.finishedAt = at
  draft.heardAt = at
  // Whoever was asked to stop has.
  draft.stopRequested = false
}

/**
 * In the latest values, `loss` of the training phase must not be overwritten by that of validation,
 * so the other phases are prefixed, as Keras does with `val_`.
 */
const PHASE_PREFIX = { TRAIN: '', VAL: 'val_', TEST: 'test_', EVAL: 'eval_' } as const

/** Under which name a metric of a phase, or of a round's evaluation, stands among the latest values. */
export const latestName = (name: string, phase: keyof typeof PHASE_PREFIX): string =>
  prefixed(name, PHASE_PREFIX[phase])

const prefixed = (name: string, prefix: string): string => (name.startsWith(prefix) ? name : prefix + name)

function merge(metrics: Record<string, MetricValue>, added: Metrics, prefix: string): void {
  for (const name in added) {
    const value = added[name]
    if (value !== undefined) metrics[prefixed(name, prefix)] = value
  }
}

/** An assignment to `__proto__` would be none. */
function put<Value>(record: Record<string, Value>, name: string, value: Value): void {
  if (name !== '__proto__') record[name] = value
  else Object.defineProperty(record, name, { value, writable: true, enumerable: true, configurable: true })
}
