import type { ConnectionChange, TaskSummaryFragment, TrainingProgressEvent } from '../typescript/index.ts'
import type { MetricValue } from './options.ts'

/** What a viewer knows of a training: a fold of its events. */
export interface WatchState {
  readonly task: TaskSummaryFragment
  /** The newest losses, oldest first. */
  readonly losses: readonly MetricValue[]
  /** Events that can no longer be delivered. */
  readonly skipped: number
  /** Why the server cannot deliver at present. */
  readonly interruption: string | null
  /** The connection, while there is none. */
  readonly lost: Extract<ConnectionChange, { kind: 'lost' }> | null
  /** Where to go on watching. */
  readonly cursor: string
}

const MAX_LOSSES = 500

export function initialState(task: TaskSummaryFragment): WatchState {
  return { task, losses: [], skipped: 0, interruption: null, lost: null, cursor: task.cursor }
}

export function afterConnectionChange(state: WatchState, change: ConnectionChange): WatchState {
  return { ...state, lost: change.kind === 'lost' ? change : null }
}

export function afterEvent(state: WatchState, event: TrainingProgressEvent): WatchState {
  const loss = lossOf(event)
  return {
    ...state,
    task: { ...state.task, ...taskChanges(state.task, event) },
    losses: loss === null ? state.losses : [...state.losses, loss].slice(-MAX_LOSSES),
    skipped: state.skipped + (event.__typename === 'EventsSkipped' ? (event.count ?? 0) : 0),
    interruption: event.__typename === 'StreamInterrupted' ? event.error : null,
    cursor: event.cursor,
  }
}

export const isFinal = ({ task: { status } }: WatchState): boolean =>
  status === 'SUCCESS' || status === 'FAILURE' || status === 'CANCELLED'

function lossOf(event: TrainingProgressEvent): MetricValue | null {
  switch (event.__typename) {
    case 'ProgressUpdate':
      return event.loss ?? null
    case 'EpochEnded':
      return (event.phase === 'TRAIN' ? event.metrics.loss : undefined) ?? null
    case 'RoundEnded':
      return event.fitMetrics.loss ?? event.evalMetrics.loss ?? null
    default:
      return null
  }
}

type TaskChanges = { readonly [Field in keyof TaskSummaryFragment]?: TaskSummaryFragment[Field] }

/** As the server folds them, so that a viewer needs no second look. */
function taskChanges(task: TaskSummaryFragment, event: TrainingProgressEvent): TaskChanges {
  switch (event.__typename) {
    case 'StreamOpened':
      return event.task
    case 'ProgressUpdate':
      return {
        status: event.status,
        current: event.current,
        total: event.total ?? task.total ?? null,
        progress: event.progress ?? task.progress ?? null,
        stage: event.stage ?? task.stage ?? null,
        epoch: event.atEpoch ?? task.epoch ?? null,
        loss: event.loss ?? task.loss ?? null,
        message: event.message ?? task.message ?? null,
        metrics: { ...task.metrics, ...event.metrics },
        updatedAt: event.timestamp,
      }
    case 'EpochStarted':
      return { epoch: event.epoch, totalEpochs: event.totalEpochs ?? task.totalEpochs ?? null }
    case 'EpochEnded':
      return {
        epoch: event.epoch,
        loss: (event.phase === 'TRAIN' ? event.metrics.loss : undefined) ?? task.loss ?? null,
        metrics: { ...task.metrics, ...prefixed(event.metrics, PHASE_PREFIX[event.phase]) },
        updatedAt: event.timestamp,
      }
    case 'RoundEnded': {
      const total = event.totalRounds ?? task.totalRounds ?? null
      return {
        round: event.round,
        totalRounds: total,
        progress: total ? Math.min(100, (100 * event.round) / total) : (task.progress ?? null),
        loss: event.fitMetrics.loss ?? task.loss ?? null,
        metrics: { ...task.metrics, ...event.fitMetrics, ...prefixed(event.evalMetrics, 'eval_') },
        updatedAt: event.timestamp,
      }
    }
    case 'StatusChanged':
      return {
        status: event.status,
        message: event.message ?? task.message ?? null,
        startedAt: task.startedAt ?? (event.status === 'RUNNING' ? event.timestamp : null),
      }
    case 'ErrorReported':
      return { error: { message: event.error, type: event.errorType ?? null } }
    case 'TrainingSucceeded':
      return { ...ended('SUCCESS', event.timestamp), progress: 100, result: event.result, error: null }
    case 'TrainingFailed':
      return {
        ...ended('FAILURE', event.timestamp),
        error: { message: event.error, type: event.errorType ?? null },
      }
    case 'TrainingCancelled':
      return { ...ended('CANCELLED', event.timestamp), message: event.reason ?? null }
    default:
      return {}
  }
}

const ended = (status: TaskSummaryFragment['status'], finishedAt: string) => ({ status, finishedAt })

const PHASE_PREFIX = { TRAIN: '', VAL: 'val_', TEST: 'test_' } as const

function prefixed(
  metrics: Readonly<Record<string, MetricValue>>,
  prefix: string,
): Record<string, MetricValue> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name.startsWith(prefix) ? name : prefix + name, value]),
  )
}
