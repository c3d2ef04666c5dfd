import { LIMITS } from './limits.ts'
import type { Pace } from './pace.ts'

/** What identifies a task. Its channel is `channelPrefix:id`. */
export interface TaskKey {
  readonly channelPrefix: string
  readonly id: string
}

const TASK_ID = /^[A-Za-z0-9_.-]+$/

/**
 * Whether a text can be the id of a task. Servers draw them, or hash them from an idempotencyKey. None has a colon, so
 * that no other prefix with another id makes the same channel; nor braces, or half a character, which Redis reads otherwise.
 */
export const isTaskId = (text: string): boolean => text.length <= LIMITS.taskIdLength && TASK_ID.test(text)

export const channelOf = ({ channelPrefix, id }: TaskKey): string => `${channelPrefix}:${id}`

export const TASK_STATUSES = ['QUEUED', 'RUNNING', 'STALLED', 'SUCCESS', 'FAILURE', 'CANCELLED'] as const
/** Those that a trainer may report; the others are up to the server. */
export const REPORTED_STATUSES = [
  'RUNNING',
  'SUCCESS',
  'FAILURE',
  'CANCELLED',
] as const satisfies readonly TaskStatus[]

export type TaskStatus = (typeof TASK_STATUSES)[number]

const FINAL_STATUSES: ReadonlySet<TaskStatus> = new Set(['SUCCESS', 'FAILURE', 'CANCELLED'])
export const isFinalStatus = (status: TaskStatus): boolean => FINAL_STATUSES.has(status)

export const PHASES = ['TRAIN', 'VAL', 'TEST'] as const
export type Phase = (typeof PHASES)[number]

/**
 * A measured number in its JSON form. JSON has no NaN or infinities, so those three travel and are
 * stored as strings, as ProtoJSON does (https://protobuf.dev/programming-guides/json/).
 */
export type MetricValue = number | 'NaN' | 'Infinity' | '-Infinity'

/** Metric name to value. */
export type Metrics = Readonly<Record<string, MetricValue>>

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export interface TaskError {
  readonly message: string
  readonly type: string | null
}

/** One start of a task: once it was deleted, another may have its key, while a process of the first still ends. */
export interface TaskStart extends TaskKey {
  /** Drawn for each call of startTraining, by which it knows the task that it created itself. */
  readonly startId: string
}

/** What a task was started as. */
export interface TaskSpec extends TaskStart {
  /** Name in the server's configuration; `external` for a run that trains elsewhere. */
  readonly trainer: string
  readonly machineId: string | null
  /** For people. Absent in states that were stored before there were names. */
  readonly name?: string | null
  readonly labels: Json
  /** Id of the finished task that this one repeats. Absent in tasks of version 0.1. */
  readonly retryOf: string | null
  /** Parameters after the trainer's defaults were filled in. */
  readonly params: Readonly<Record<string, Json>>
  /** Milliseconds since the epoch, by the server's clock. */
  readonly createdAt: number
  /** The subject that started it, or without a token the address: what it takes is counted for it. Absent in older states. */
  readonly owner?: string | null
  /** The subject of the token by which it was started; null without one, absent in states of before. */
  readonly startedBy?: string | null
  /** The server whose child process the trainer is, so that it ends with it; null for any other launcher. */
  readonly holder: string | null
  /** Digest of the start's input where an idempotencyKey was given, to notice its reuse for another. */
  readonly inputDigest: string | null
  /** The same of what its caller had said, before anything was filled in. Absent in older states. */
  readonly givenDigest?: string | null
}

/**
 * Of a producer: its last sequence number; then, of each piece of its last calls, newest first, the digest and the sequence
 * number before it, in base 36 with dots between (`producers.ts`). A number alone in states that were stored before there
 * were digests.
 */
export type Heard = number | string

/** The state of a task: a pure fold of its events (`reducer.ts`), stored beside its log. */
export interface TaskState {
  readonly spec: TaskSpec
  readonly status: TaskStatus
  /** Launches so far: 1 for the first. */
  readonly attempt: number
  readonly stage: string | null
  readonly current: number | null
  /**
   * Whether this attempt's trainer counts by ProgressUpdate; then rounds leave `current`, `total` and `progress`
   * alone. Absent in states that were stored before it was known.
   */
  readonly countsProgress?: boolean
  readonly total: number | null
  /** 0 to 100, of the finest unit that has a total (`progress.ts`). */
  readonly progress: number | null
  /** As it was reported last: begun, ended, or a fraction. */
  readonly epoch: number | null
  /** Of the newest EpochStarted of the present attempt. Absent in states of version 0.1, as `step`. */
  readonly startedEpoch: number | null
  /** Epochs that the present attempt has done, null while it reported none. Absent in older states, as the two below. */
  readonly doneEpochs?: number | null
  /** Number of the trainer's first epoch: 0 where it has reported an epoch 0. */
  readonly firstEpoch?: 0 | 1
  /** Whether the trainer has reported a fraction of an epoch; then a whole number is one that is done. */
  readonly countsFractions?: boolean
  readonly totalEpochs: number | null
  readonly round: number | null
  readonly totalRounds: number | null
  /** By which the time left is told (`pace.ts`). Absent in older states. */
  readonly pace?: Pace | null
  /** The highest global step that the present attempt reported. */
  readonly step: number | null
  readonly loss: MetricValue | null
  /** Latest value of every metric; those of validation, test and evaluation are prefixed (`reducer.ts`). */
  readonly metrics: Metrics
  readonly message: string | null
  readonly result: Json
  readonly error: TaskError | null
  /** Milliseconds since the epoch, by the server's clock, as all times of the state. */
  readonly startedAt: number | null
  readonly updatedAt: number
  readonly finishedAt: number | null
  /** When a trainer was last heard. Liveness is counted from here, so a STALLED mark does not reset it. */
  readonly heardAt: number
  /** Somebody asked the trainer to stop, and it has yet to. */
  readonly stopRequested: boolean
  readonly stopReason: string | null
  /** What each producer of the present attempt has reported, as far as a repeat of it must be known. */
  readonly producers: Readonly<Record<string, Heard>>
  /** Names of members and of the metrics that any of them reported, oldest first (`members.ts`); absent where there is none. */
  readonly members?: readonly string[]
  readonly memberMetrics?: readonly string[]
  /** Machines that were sampled, and what of them (`machines.ts`); absent where none was. */
  readonly machines?: { readonly names: readonly string[]; readonly metrics: readonly string[] }
  /** It failed only in that its trainer was not heard for too long: a report brings it back. Absent in states of version 0.1. */
  readonly givenUp?: boolean
}

export function initialState(spec: TaskSpec): TaskState {
  return {
    spec,
    status: 'QUEUED',
    attempt: 1,
    stage: null,
    current: null,
    countsProgress: false,
    total: null,
    progress: null,
    epoch: null,
    startedEpoch: null,
    doneEpochs: null,
    firstEpoch: 1,
    countsFractions: false,
    totalEpochs: typeof spec.params.epochs === 'number' ? spec.params.epochs : null,
    round: null,
    totalRounds: null,
    pace: null,
    step: null,
    loss: null,
    metrics: {},
    message: null,
    result: null,
    error: null,
    startedAt: null,
    updatedAt: spec.createdAt,
    finishedAt: null,
    heardAt: spec.createdAt,
    stopRequested: false,
    stopReason: null,
    producers: {},
    givenUp: false,
  }
}

/** Whether nothing can follow: it ended by somebody's word. A task that was only given up may come back. */
export const hasEnded = ({ status, givenUp }: Pick<TaskState, 'status' | 'givenUp'>): boolean =>
  isFinalStatus(status) && givenUp !== true
