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
  /**
   * The task as the server told it last. Its times are by the server's clock, where those of events may be the
   * trainer's; and the time left is the server's to tell.
   */
  readonly told: TaskSummaryFragment
  /** How far the server's clock is ahead of this computer's. */
  readonly clockAheadMs: number
  /** When the trainer was last heard, by the server's clock, as far as this viewer saw. */
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
    told: task,
    clockAheadMs: 0,
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

/** @param now milliseconds since the epoch, by this computer's clock */
export function afterEvent(state: WatchState, event: TrainingProgressEvent, now: number): WatchState {
  const loss = lossOf(event)
  const isOpening = event.__typename === 'StreamOpened'
  return {
    ...(isOpening ? afterTold(state, event.task) : state),
    task: foldEvent(state.task, event),
    clockAheadMs: isOpening ? Date.parse(event.timestamp) - now : state.clockAheadMs,
    losses: loss === null ? state.losses : [...state.losses, loss].slice(-MAX_LOSSES),
    skipped: state.skipped + (event.__typename === 'EventsSkipped' ? (event.count ?? 0) : 0),
    interruption: event.__typename === 'StreamInterrupted' ? event.error : null,
    cursor: event.cursor,
  }
}

/** What the server tells of the task beside its events. */
export function afterTold(state: WatchState, told: TaskSummaryFragment): WatchState {
  // The mark of its silence is an update of the task, too.
  const heardAt = told.status === 'STALLED' ? state.heardAt : told.updatedAt
  return { ...state, told, heardAt }
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
