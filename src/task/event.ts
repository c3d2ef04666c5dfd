import type { Json, Metrics, MetricValue, Phase, TaskStatus } from './task.ts'

/**
 * What every event of a log carries. The last two events of a call say which trainer process made it, how far that has
 * counted and what the call was; the reducer keeps it (`producers.ts`), and no client sees it.
 */
interface EventBase {
  /** RFC 3339 in UTC; the trainer's own clock where its report gave a time. */
  readonly timestamp: string
  /** Milliseconds since the epoch by the server's clock. */
  readonly recordedAt: number
  readonly producer?: string
  readonly sequence?: number
  /** Of a piece of the call. Absent in logs of version 0.1, where every event has producer and sequence. */
  readonly digest?: number
}

/** What events of a member tell beside, so that its series are apart from the task's own. */
interface OfMember {
  /** The rank, client or node that reported it; null for the task's own. Absent in logs of version 0.1. */
  readonly member: string | null
}

/** What stands at a step of the training. */
interface AtStep extends OfMember {
  /** The trainer's global step, where it gave one. Absent in logs of version 0.1. */
  readonly step: number | null
}

/** What tells how far the task is after it. */
interface OfProgress {
  /** 0 to 100. That of the member, where one reported it. In logs of version 0.1 only ProgressUpdate has it. */
  readonly progress: number | null
}

export interface ProgressUpdate extends EventBase, AtStep, OfProgress {
  readonly type: 'ProgressUpdate'
  readonly current: number
  /** As it is after the event, so that one that was not given again is here, too. */
  readonly total: number | null
  readonly status: TaskStatus
  readonly machineId: string | null
  readonly stage: string | null
  readonly epoch: number | null
  readonly loss: MetricValue | null
  readonly metrics: Metrics
  readonly message: string | null
}

export interface EpochStarted extends EventBase, OfProgress {
  readonly type: 'EpochStarted'
  readonly epoch: number
  /** As it is after the event. */
  readonly totalEpochs: number | null
}

export interface EpochEnded extends EventBase, AtStep, OfProgress {
  readonly type: 'EpochEnded'
  readonly epoch: number
  readonly phase: Phase
  readonly metrics: Metrics
}

export interface RoundEnded extends EventBase, AtStep, OfProgress {
  readonly type: 'RoundEnded'
  readonly round: number
  /** As it is after the event. */
  readonly totalRounds: number | null
  readonly fitMetrics: Metrics
  readonly evalMetrics: Metrics
}

export interface StatusChanged extends EventBase {
  readonly type: 'StatusChanged'
  readonly status: TaskStatus
  readonly message: string | null
  /** The launch that the task is in after it; higher than before where the change is a launch. */
  readonly attempt: number
  /** Whether the trainer has been asked to stop by then; turns true where the change is that wish. */
  readonly stopRequested: boolean
  /** Present where the change is the wish. */
  readonly stopReason?: string | null
}

export interface ErrorReported extends EventBase, OfMember {
  readonly type: 'ErrorReported'
  readonly error: string
  readonly errorType: string | null
}

export interface TrainingSucceeded extends EventBase {
  readonly type: 'TrainingSucceeded'
  readonly result: Json
}

export interface TrainingFailed extends EventBase {
  readonly type: 'TrainingFailed'
  readonly error: string
  readonly errorType: string | null
  /** Present where nobody said so, and its trainer was only not heard for too long. */
  readonly givenUp?: true
}

export interface TrainingCancelled extends EventBase {
  readonly type: 'TrainingCancelled'
  readonly reason: string | null
}

/** How a machine stood that a trainer runs on. No sign of life of the trainer, and nothing of its progress. */
export interface SystemSampled extends EventBase, OfMember {
  readonly type: 'SystemSampled'
  /** Names begin with `system/`. */
  readonly metrics: Metrics
}

/** An event of the log. `type` is its GraphQL type name. */
export type TaskEvent =
  | ProgressUpdate
  | EpochStarted
  | EpochEnded
  | RoundEnded
  | StatusChanged
  | ErrorReported
  | SystemSampled
  | TrainingSucceeded
  | TrainingFailed
  | TrainingCancelled

export type EventKind = TaskEvent['type']
export type EventOf<Kind extends EventKind> = Extract<TaskEvent, { readonly type: Kind }>

/** Whether nothing follows an event of this kind, but the return of a task that was given up. */
const IS_FINAL = {
  ProgressUpdate: false,
  EpochStarted: false,
  EpochEnded: false,
  RoundEnded: false,
  StatusChanged: false,
  ErrorReported: false,
  SystemSampled: false,
  TrainingSucceeded: true,
  TrainingFailed: true,
  TrainingCancelled: true,
} satisfies { [Kind in EventKind]: boolean }

type FinalKind = { [Kind in EventKind]: (typeof IS_FINAL)[Kind] extends true ? Kind : never }[EventKind]
export type FinalEvent = EventOf<FinalKind>

export const END_STATUS = {
  TrainingSucceeded: 'SUCCESS',
  TrainingFailed: 'FAILURE',
  TrainingCancelled: 'CANCELLED',
} as const satisfies { [Kind in FinalKind]: TaskStatus }

export function isFinalEvent(event: TaskEvent): event is FinalEvent {
  return IS_FINAL[event.type]
}

type Times = Pick<EventBase, 'timestamp' | 'recordedAt'>

/** What many events of one millisecond have in common, so that its text is made once. */
let latest: Times = { timestamp: new Date(0).toISOString(), recordedAt: 0 }

/** The times of an event that the server itself brings about. */
export function happenedAt(now: number): Times {
  if (latest.recordedAt !== now) latest = { timestamp: new Date(now).toISOString(), recordedAt: now }
  return latest
}
