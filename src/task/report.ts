import { EpochcastError, quote } from './errors.ts'
import { happenedAt, type TaskEvent } from './event.ts'
import { LIMITS } from './limits.ts'
import { apply, draftOf, hasTooManyMetrics, percentage } from './reducer.ts'
import type { TaskState, TaskStatus } from './task.ts'
import { channelOf, isFinalStatus, type Json, type Metrics, type MetricValue, type Phase } from './task.ts'

type Maybe<T> = T | null | undefined

interface Timed {
  /** RFC 3339 in UTC; the server's time where it is missing. */
  readonly timestamp?: Maybe<string>
}

interface ErrorReport extends Timed {
  readonly error: string
  readonly errorType?: Maybe<string>
}

/** One report of a trainer; exactly one of the kinds, which the schema's `@oneOf` has made sure of. */
export interface Report {
  readonly progress?: Maybe<
    Timed & {
      readonly current: number
      readonly total?: Maybe<number>
      readonly stage?: Maybe<string>
      readonly epoch?: Maybe<number>
      readonly loss?: Maybe<MetricValue>
      readonly metrics?: Maybe<Metrics>
      readonly message?: Maybe<string>
    }
  >
  readonly epochStart?: Maybe<Timed & { readonly epoch: number; readonly totalEpochs?: Maybe<number> }>
  readonly epochEnd?: Maybe<
    Timed & { readonly epoch: number; readonly phase: Phase; readonly metrics: Metrics }
  >
  readonly roundEnd?: Maybe<
    Timed & {
      readonly round: number
      readonly totalRounds?: Maybe<number>
      readonly fitMetrics?: Maybe<Metrics>
      readonly evalMetrics?: Maybe<Metrics>
    }
  >
  readonly status?: Maybe<Timed & { readonly status: TaskStatus; readonly message?: Maybe<string> }>
  readonly error?: Maybe<ErrorReport>
  readonly success?: Maybe<Timed & { readonly result?: Maybe<Json> }>
  readonly failure?: Maybe<ErrorReport>
}

export type ReportKind = keyof Report
type ReportOf<Kind extends ReportKind> = NonNullable<Report[Kind]>

export interface ReportBatch {
  readonly reports: readonly Report[]
  readonly producer: string | null
  /** Position of reports[0] in the producer's own count 1, 2, 3 …; given exactly where `producer` is. */
  readonly firstSequence: number | null
  /** The attempt the trainer was launched as; null means the present one. */
  readonly attempt: number | null
}

export interface ReportPlan {
  readonly events: readonly TaskEvent[]
  readonly state: TaskState
  readonly accepted: number
  readonly duplicates: number
}

/**
 * What a batch of reports means for a task: the events to append and the state after them. Repeats
 * of an earlier call are dropped first, so that a repeated final report is a repeat and not a
 * report after the end. Throws where any report of the batch is refused; then none of it counts.
 *
 * @throws EpochcastError STALE_ATTEMPT, TASK_ENDED, SEQUENCE_GAP, TOO_MANY_PRODUCERS, TOO_MANY_METRICS, BAD_INPUT
 */
export function planReports(before: TaskState, batch: ReportBatch, now: number): ReportPlan {
  const duplicates = countDuplicates(before, batch)
  const accepted = batch.reports.length - duplicates
  if (accepted === 0) return { events: [], state: before, accepted, duplicates }

  const events: TaskEvent[] = []
  const state = draftOf(before)
  const add = (event: TaskEvent) => {
    events.push(event)
    apply(state, event)
  }
  const times = happenedAt(now)

  refuseEnded(state)
  const relaunch = batch.attempt !== null && batch.attempt > state.attempt
  if (relaunch || state.status !== 'RUNNING') {
    add({
      type: 'StatusChanged',
      status: 'RUNNING',
      message: before.status === 'STALLED' ? 'the trainer reports again' : null,
      attempt: relaunch && batch.attempt !== null ? batch.attempt : state.attempt,
      stopRequested: state.stopRequested,
      ...times,
    })
  }
  for (let i = duplicates; i < batch.reports.length; i++) {
    refuseEnded(state)
    const event: Reported = eventOf(batch.reports[i] as Report, { state, now: times, index: i })
    if (batch.producer !== null && batch.firstSequence !== null) {
      event.producer = batch.producer
      event.sequence = batch.firstSequence + i
    }
    add(event)
  }
  if (hasTooManyMetrics(state)) {
    throw new EpochcastError(
      'TOO_MANY_METRICS',
      `${name(state)} would have ${Object.keys(state.metrics).length} different metrics; expected at most ${LIMITS.metricsPerTask}`,
    )
  }
  return { events, state, accepted, duplicates }
}

function countDuplicates(
  state: TaskState,
  { producer, firstSequence, attempt, reports }: ReportBatch,
): number {
  if ((producer === null) !== (firstSequence === null)) {
    throw new EpochcastError(
      'BAD_INPUT',
      `${producer === null ? 'firstSequence' : 'producer'} was given alone; expected producer and firstSequence together`,
    )
  }
  if (attempt !== null && attempt < state.attempt) {
    throw new EpochcastError(
      'STALE_ATTEMPT',
      `${name(state)} is at attempt ${state.attempt}; report of attempt ${attempt} rejected`,
      { details: { attempt: state.attempt } },
    )
  }
  if (producer === null || firstSequence === null) return 0

  const sameAttempt = attempt === null || attempt === state.attempt
  const known = sameAttempt && Object.hasOwn(state.producers, producer)
  const last = known ? (state.producers[producer] ?? 0) : 0
  if (firstSequence > last + 1) {
    throw new EpochcastError(
      'SEQUENCE_GAP',
      `firstSequence of producer ${quote(producer)} is ${firstSequence}; expected at most ${last + 1}, or reports would be missing`,
      { details: { expected: last + 1 } },
    )
  }
  if (!known && sameAttempt && Object.keys(state.producers).length >= LIMITS.producersPerAttempt) {
    throw new EpochcastError(
      'TOO_MANY_PRODUCERS',
      `${name(state)} already has ${LIMITS.producersPerAttempt} producers; ${quote(producer)} rejected`,
    )
  }
  return Math.min(reports.length, last - firstSequence + 1)
}

function refuseEnded(state: TaskState): void {
  if (!isFinalStatus(state.status)) return
  throw new EpochcastError('TASK_ENDED', `${name(state)} ended with ${state.status}; report rejected`, {
    details: { status: state.status },
  })
}

const name = (state: TaskState): string => `task ${quote(channelOf(state.spec))}`

/** An event that has yet to be told whose report it was. */
type Reported = TaskEvent & { producer?: string; sequence?: number }

type Times = Pick<TaskEvent, 'timestamp' | 'recordedAt'>

/** What a report becomes an event from, beside itself. */
interface Setting {
  readonly state: TaskState
  readonly now: Times
  /** Of the report in its batch. */
  readonly index: number
}

const timesOf = ({ timestamp }: Timed, now: Times): Times =>
  timestamp == null ? now : { timestamp, recordedAt: now.recordedAt }

/** The event that each kind of report becomes; a kind that is forgotten here does not compile. */
const EVENTS = {
  progress(report, { state, now }) {
    const total = report.total ?? null
    return {
      type: 'ProgressUpdate',
      // By far the most frequent, so it is written out.
      timestamp: report.timestamp ?? now.timestamp,
      recordedAt: now.recordedAt,
      current: report.current,
      total,
      progress: percentage(report.current, total ?? (state.countsProgress === false ? null : state.total)),
      status: 'RUNNING',
      machineId: state.spec.machineId,
      stage: report.stage ?? null,
      epoch: report.epoch ?? null,
      loss: report.loss ?? report.metrics?.loss ?? null,
      metrics: report.metrics ?? {},
      message: report.message ?? null,
    }
  },
  epochStart: (report, { now }) => ({
    type: 'EpochStarted',
    ...timesOf(report, now),
    epoch: report.epoch,
    totalEpochs: report.totalEpochs ?? null,
  }),
  epochEnd: (report, { now }) => ({
    type: 'EpochEnded',
    ...timesOf(report, now),
    epoch: report.epoch,
    phase: report.phase,
    metrics: report.metrics,
  }),
  roundEnd: (report, { now }) => ({
    type: 'RoundEnded',
    ...timesOf(report, now),
    round: report.round,
    totalRounds: report.totalRounds ?? null,
    fitMetrics: report.fitMetrics ?? {},
    evalMetrics: report.evalMetrics ?? {},
  }),
  status: (report, setting) => statusEvent(report, setting),
  error: (report, { now }) => ({
    type: 'ErrorReported',
    ...timesOf(report, now),
    error: report.error,
    errorType: report.errorType ?? null,
  }),
  success: (report, { now }) => ({
    type: 'TrainingSucceeded',
    ...timesOf(report, now),
    result: report.result ?? null,
  }),
  failure: (report, { now }) => ({
    type: 'TrainingFailed',
    ...timesOf(report, now),
    error: report.error,
    errorType: report.errorType ?? null,
  }),
} satisfies { [Kind in ReportKind]: (report: ReportOf<Kind>, setting: Setting) => TaskEvent }

function eventOf(report: Report, setting: Setting): TaskEvent {
  for (const kind in report) {
    const given = report[kind as ReportKind]
    if (given == null) continue
    const make = EVENTS[kind as ReportKind] as (report: typeof given, setting: Setting) => TaskEvent
    return make(given, setting)
  }
  throw new EpochcastError(
    'BAD_INPUT',
    `reports[${setting.index}] is empty; expected exactly one kind of report`,
  )
}

/** A trainer that can only say a status (a Celery signal, a curl) may end its task with one, too. */
function statusEvent(report: ReportOf<'status'>, { state, now, index }: Setting): TaskEvent {
  const { status, message = null } = report
  const at = timesOf(report, now)
  switch (status) {
    case 'RUNNING':
      return {
        type: 'StatusChanged',
        ...at,
        status,
        message,
        attempt: state.attempt,
        stopRequested: state.stopRequested,
      }
    case 'SUCCESS':
      return { type: 'TrainingSucceeded', ...at, result: null }
    case 'FAILURE':
      return {
        type: 'TrainingFailed',
        ...at,
        error: message ?? 'the trainer reported FAILURE',
        errorType: null,
      }
    case 'CANCELLED':
      // Why it was to stop, and what the trainer says of it.
      return { type: 'TrainingCancelled', ...at, reason: joined(state.stopReason, message) }
    case 'QUEUED':
    case 'STALLED':
      throw new EpochcastError(
        'BAD_INPUT',
        `reports[${index}].status.status is ${status}, which only the server can say; expected RUNNING, SUCCESS, FAILURE or CANCELLED`,
      )
  }
}

const joined = (...parts: (string | null)[]): string | null => parts.filter(Boolean).join('; ') || null
