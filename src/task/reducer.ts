import type { TaskEvent } from './event.ts'
import { LIMITS } from './limits.ts'
import type { Metrics, TaskState, TaskStatus } from './task.ts'

/** Folds one event into the state of its task. Pure: every engine and every feed gets the same state. */
export function reduce(state: TaskState, event: TaskEvent): TaskState {
  const next = { ...state, ...changes(state, event), updatedAt: event.recordedAt }
  if (event.producer === undefined || event.sequence === undefined) return next
  return {
    ...next,
    heardAt: event.recordedAt,
    producers: { ...next.producers, [event.producer]: event.sequence },
  }
}

export function reduceAll(state: TaskState, events: readonly TaskEvent[]): TaskState {
  return events.reduce(reduce, state)
}

function changes(state: TaskState, event: TaskEvent): Partial<TaskState> {
  switch (event.type) {
    case 'ProgressUpdate':
      return {
        heardAt: event.recordedAt,
        current: event.current,
        total: event.total ?? state.total,
        progress: event.progress ?? state.progress,
        stage: event.stage ?? state.stage,
        epoch: event.epoch ?? state.epoch,
        loss: event.loss ?? state.loss,
        metrics: merge(state.metrics, event.metrics, ''),
        message: event.message ?? state.message,
      }
    case 'EpochStarted':
      return {
        heardAt: event.recordedAt,
        epoch: event.epoch,
        totalEpochs: event.totalEpochs ?? state.totalEpochs,
      }
    case 'EpochEnded':
      return {
        heardAt: event.recordedAt,
        epoch: event.epoch,
        loss: event.phase === 'TRAIN' ? (event.metrics.loss ?? state.loss) : state.loss,
        metrics: merge(state.metrics, event.metrics, PHASE_PREFIX[event.phase]),
      }
    case 'RoundEnded':
      return {
        heardAt: event.recordedAt,
        round: event.round,
        totalRounds: event.totalRounds ?? state.totalRounds,
        loss: event.fitMetrics.loss ?? state.loss,
        metrics: merge(merge(state.metrics, event.fitMetrics, ''), event.evalMetrics, 'eval_'),
        ...roundProgress(event.round, event.totalRounds ?? state.totalRounds),
      }
    case 'StatusChanged':
      return statusChange(state, event)
    case 'ErrorReported':
      return { heardAt: event.recordedAt, error: { message: event.error, type: event.errorType } }
    case 'TrainingSucceeded':
      // An error that the trainer got over is history, and so is the way still to go.
      return { ...ended('SUCCESS', event.recordedAt), result: event.result, error: null, progress: 100 }
    case 'TrainingFailed':
      return {
        ...ended('FAILURE', event.recordedAt),
        error: { message: event.error, type: event.errorType },
      }
    case 'TrainingCancelled':
      return { ...ended('CANCELLED', event.recordedAt), stopReason: event.reason ?? state.stopReason }
  }
}

function statusChange(
  state: TaskState,
  event: Extract<TaskEvent, { type: 'StatusChanged' }>,
): Partial<TaskState> {
  const relaunched = event.attempt !== undefined && event.attempt > state.attempt
  const starts = event.status === 'RUNNING' && (state.startedAt === null || relaunched)
  return {
    status: event.status,
    message: event.message ?? state.message,
    ...(event.status === 'STALLED' || event.stopRequested ? {} : { heardAt: event.recordedAt }),
    ...(starts ? { startedAt: event.recordedAt } : {}),
    ...(relaunched ? { attempt: event.attempt, producers: {} } : {}),
    ...(event.stopRequested ? { stopRequested: true, stopReason: event.stopReason ?? null } : {}),
  }
}

const ended = (status: TaskStatus, at: number) => ({ status, finishedAt: at, heardAt: at })

/**
 * In the latest values, `loss` of the training phase must not be overwritten by that of validation,
 * so the other phases are prefixed, as Keras does with `val_`.
 */
const PHASE_PREFIX = { TRAIN: '', VAL: 'val_', TEST: 'test_' } as const

function merge(metrics: Metrics, added: Metrics, prefix: string): Metrics {
  const merged: Record<string, Metrics[string]> = { ...metrics }
  for (const name in added) {
    const value = added[name]
    if (value !== undefined) merged[name.startsWith(prefix) ? name : prefix + name] = value
  }
  return merged
}

/** Federated trainers count in rounds; one that reports nothing else still shows how far it is. */
function roundProgress(round: number, totalRounds: number | null): Partial<TaskState> {
  return { current: round, total: totalRounds, progress: percentage(round, totalRounds) }
}

export function percentage(current: number, total: number | null): number | null {
  return total === null || total <= 0 ? null : Math.min(100, Math.max(0, (100 * current) / total))
}

export const hasTooManyMetrics = (state: TaskState): boolean =>
  Object.keys(state.metrics).length > LIMITS.metricsPerTask
