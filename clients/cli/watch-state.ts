import {
  type ConnectionChange,
  foldEvent,
  initialView,
  type TaskSummaryFragment,
  type TaskView,
  type TrainingProgressEvent,
} from '../typescript/index.ts'
import type { MetricValue } from './options.ts'

/** What a viewer knows of a training and of the stream that tells it. */
export interface WatchState {
  readonly task: TaskView
  /** When the trainer was last heard, as far as this viewer saw. */
  readonly heardAt: string
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
  return {
    task: initialView(task),
    heardAt: task.updatedAt,
    losses: [],
    skipped: 0,
    interruption: null,
    lost: null,
    cursor: task.cursor,
  }
}

export function afterConnectionChange(state: WatchState, change: ConnectionChange): WatchState {
  return { ...state, lost: change.kind === 'lost' ? change : null }
}

export function afterEvent(state: WatchState, event: TrainingProgressEvent): WatchState {
  const task = foldEvent(state.task, event)
  const loss = lossOf(event)
  return {
    ...state,
    task,
    // The mark of its silence is an update of the task, too.
    heardAt: task.status === 'STALLED' ? state.heardAt : task.updatedAt,
    losses: loss === null ? state.losses : [...state.losses, loss].slice(-MAX_LOSSES),
    skipped: state.skipped + (event.__typename === 'EventsSkipped' ? (event.count ?? 0) : 0),
    interruption: event.__typename === 'StreamInterrupted' ? event.error : null,
    cursor: event.cursor,
  }
}

export const isFinal = ({ task: { status } }: WatchState): boolean =>
  status === 'SUCCESS' || status === 'FAILURE' || status === 'CANCELLED'

/** A point of the loss's curve: of training, as the task's `loss`, which is not that of a member. */
function lossOf(event: TrainingProgressEvent): MetricValue | null {
  if ('member' in event && typeof event.member === 'string') return null
  switch (event.__typename) {
    case 'ProgressUpdate':
      return event.loss ?? null
    case 'EpochEnded':
      return event.phase === 'TRAIN' ? (event.metrics.loss ?? null) : null
    case 'RoundEnded':
      return event.fitMetrics.loss ?? null
    default:
      return null
  }
}
