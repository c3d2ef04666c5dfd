import { EpochcastError, quote } from './errors.ts'
import { happenedAt, type StatusChanged, type TaskEvent } from './event.ts'
import { LIMITS } from './limits.ts'
import { channelOf, isFinalStatus, type Json, type Metrics, type TaskState, type TaskStatus } from './task.ts'
import { firstCharacters } from './text.ts'

/**
 * What the server itself may append to a task's log: each function returns the events for a state,
 * none where there is nothing (left) to do, so that a retried or late call is harmless.
 */

/** The first event of every log. */
export function queued(now: number): TaskEvent[] {
  return [statusChanged({ attempt: 1, stopRequested: false }, 'QUEUED', null, now)]
}

/**
 * A queued task is cancelled at once; of a running one the trainer is asked to stop.
 *
 * @throws EpochcastError TASK_ENDED where the task succeeded or failed before
 */
export function cancel(state: TaskState, reason: string | null, now: number): TaskEvent[] {
  if (state.status === 'CANCELLED' || state.stopRequested) return []
  if (isFinalStatus(state.status)) {
    throw new EpochcastError(
      'TASK_ENDED',
      `task ${quote(channelOf(state.spec))} ended with ${state.status}; there is nothing to cancel`,
      { details: { status: state.status } },
    )
  }
  if (state.status === 'QUEUED') return [{ type: 'TrainingCancelled', reason, ...happenedAt(now) }]
  const message = reason === null ? 'stop requested' : `stop requested: ${reason}`
  const wish = { attempt: state.attempt, stopRequested: true }
  return [{ ...statusChanged(wish, state.status, message, now), stopReason: reason }]
}

/** The launcher has started the trainer, for the attempt given. */
export function started(state: TaskState, attempt: number, now: number): TaskEvent[] {
  if (attempt > state.attempt) return nextAttempt(state, attempt, 'RUNNING', now)
  if (attempt < state.attempt || state.status !== 'QUEUED') return []
  return [statusChanged(state, 'RUNNING', null, now)]
}

/**
 * The launcher will start the trainer again, because its worker was lost or its queue retries. The new attempt is
 * given, not counted here, so that the same relaunch told twice (by two servers, say) is one.
 */
export function relaunched(state: TaskState, attempt: number, now: number, why?: string): TaskEvent[] {
  return attempt > state.attempt ? nextAttempt(state, attempt, 'QUEUED', now, why) : []
}

/** What was asked to stop has stopped with its last attempt. */
function nextAttempt(
  state: TaskState,
  attempt: number,
  status: 'QUEUED' | 'RUNNING',
  now: number,
  why?: string,
): TaskEvent[] {
  if (isFinalStatus(state.status)) return []
  if (state.stopRequested) {
    return [{ type: 'TrainingCancelled', reason: state.stopReason, ...happenedAt(now) }]
  }
  const message = why === undefined ? `attempt ${attempt}` : `attempt ${attempt}: ${why}`
  return [
    statusChanged(
      { attempt, stopRequested: false },
      status,
      firstCharacters(message, LIMITS.messageLength),
      now,
    ),
  ]
}

/** The first event of a log that the store lost, recreated from a state that was still known. */
export function recreated(state: TaskState, now: number): TaskEvent[] {
  const message = 'the event log was lost and recreated; earlier events are gone'
  return [statusChanged(state, state.status, message, now)]
}

/** How a trainer's process came to its end, as its launcher saw it. */
export interface ProcessEnd {
  /** Words for the failure's message, such as `the trainer exited with code 3`. */
  readonly message: string
  /** `ExitCode`, `Signal`, `SpawnFailed`, `NoResult` … */
  readonly type: string
  /** By what its trainer's configuration or its queue says, it has done its work. */
  readonly isSuccess?: boolean
  /** Of a success, as its queue has it. */
  readonly result?: Json
  /** Somebody has told its queue to drop it. */
  readonly isCancelled?: boolean
  /** Nobody has seen it end, but nobody has it any more: should its trainer be heard again, the task goes on. */
  readonly isPresumed?: boolean
}

/**
 * The trainer's process is gone. If it reported its own end, that stands; if somebody had asked it to
 * stop, it did; anything else is a failure, an exit with code 0 included, since nobody knows a result, unless that is
 * how its trainer ends.
 */
export function processEnded(state: TaskState, end: ProcessEnd, now: number): TaskEvent[] {
  if (isFinalStatus(state.status)) return []
  if (state.stopRequested) {
    return [{ type: 'TrainingCancelled', reason: state.stopReason, ...happenedAt(now) }]
  }
  if (end.isSuccess) return [{ type: 'TrainingSucceeded', result: end.result ?? null, ...happenedAt(now) }]
  if (end.isCancelled) return [{ type: 'TrainingCancelled', reason: end.message, ...happenedAt(now) }]
  const failed = { type: 'TrainingFailed', error: end.message, errorType: end.type } as const
  return [{ ...failed, ...(end.isPresumed ? { givenUp: true } : {}), ...happenedAt(now) }]
}

/** As `processEnded`, for a launcher's job: the end of an attempt that another has followed decides nothing. */
export function jobEnded(state: TaskState, attempt: number, end: ProcessEnd, now: number): TaskEvent[] {
  return attempt < state.attempt ? [] : processEnded(state, end, now)
}

export interface LivenessWindows {
  /** Silence after which a running task is marked STALLED. */
  readonly stallMs: number
  /** Silence after which a task that no living server holds is given up. */
  readonly abandonMs: number
}

/**
 * How the machine stood that runs an attempt. Nothing where that is over, or the task has as many machines as it may.
 *
 * @param metrics names begin with `system/`
 */
export function sampled(
  state: TaskState,
  attempt: number,
  member: string,
  metrics: Metrics,
  now: number,
): TaskEvent[] {
  if (isFinalStatus(state.status) || attempt !== state.attempt) return []
  const { names, metrics: known } = state.machines ?? { names: [], metrics: [] }
  const isNew = !names.includes(member)
  const added = Object.keys(metrics).filter((name) => !known.includes(name))
  if (isNew && names.length >= LIMITS.machinesPerTask) return []
  if (known.length + added.length > LIMITS.systemMetricsPerTask) return []
  return [{ type: 'SystemSampled', member, metrics, ...happenedAt(now) }]
}

/** What the silence of a task's trainer means. `isHeld` says that a living server holds its process. */
export function silence(
  state: TaskState,
  windows: LivenessWindows,
  isHeld: boolean,
  now: number,
): TaskEvent[] {
  if (isFinalStatus(state.status)) return []
  const silentMs = now - state.heardAt
  const silentFor = `${Math.round(silentMs / 1000)} s`
  if (state.stopRequested && !isHeld && silentMs >= windows.stallMs) {
    return [{ type: 'TrainingCancelled', reason: state.stopReason, ...happenedAt(now) }]
  }
  if (!isHeld && silentMs >= windows.abandonMs) {
    const error = `the trainer has been silent for ${silentFor}; the task is given up`
    return [{ type: 'TrainingFailed', error, errorType: 'Abandoned', givenUp: true, ...happenedAt(now) }]
  }
  if (state.status === 'RUNNING' && silentMs >= windows.stallMs) {
    const message = `no report for ${silentFor}`
    return [statusChanged(state, 'STALLED', message, now)]
  }
  return []
}

/** When `silence` may mean something at the earliest, unless the trainer is heard before. */
export function silenceDeadline(
  { status, stopRequested, heardAt }: Pick<TaskState, 'status' | 'stopRequested' | 'heardAt'>,
  { stallMs, abandonMs }: LivenessWindows,
): number {
  return heardAt + (status === 'RUNNING' || stopRequested ? Math.min(stallMs, abandonMs) : abandonMs)
}

/** A change of a task that is then in the attempt given, asked to stop or not. */
function statusChanged(
  { attempt, stopRequested }: Pick<TaskState, 'attempt' | 'stopRequested'>,
  status: TaskStatus,
  message: string | null,
  now: number,
): StatusChanged {
  return { type: 'StatusChanged', status, message, attempt, stopRequested, ...happenedAt(now) }
}
