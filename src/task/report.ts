import { EpochcastError, quote } from './errors.ts'
import type { TaskEvent } from './event.ts'
import { LIMITS } from './limits.ts'
import { machineOf, systemMetrics } from './machines.ts'
import { percentage } from './progress.ts'
import type { Json, Metrics, MetricValue, Phase, TaskState, TaskStatus } from './task.ts'
import { isUpTo, lastCharacters } from './text.ts'

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
      readonly step?: Maybe<number>
      readonly loss?: Maybe<MetricValue>
      readonly metrics?: Maybe<Metrics>
      readonly message?: Maybe<string>
    }
  >
  readonly epochStart?: Maybe<Timed & { readonly epoch: number; readonly totalEpochs?: Maybe<number> }>
  readonly epochEnd?: Maybe<
    Timed & {
      readonly epoch: number
      readonly step?: Maybe<number>
      readonly phase: Phase
      readonly metrics: Metrics
    }
  >
  readonly roundEnd?: Maybe<
    Timed & {
      readonly round: number
      readonly step?: Maybe<number>
      readonly totalRounds?: Maybe<number>
      readonly fitMetrics?: Maybe<Metrics>
      readonly evalMetrics?: Maybe<Metrics>
    }
  >
  readonly status?: Maybe<Timed & { readonly status: TaskStatus; readonly message?: Maybe<string> }>
  readonly error?: Maybe<ErrorReport>
  readonly system?: Maybe<Timed & { readonly metrics: Metrics }>
  readonly success?: Maybe<Timed & { readonly result?: Maybe<Json> }>
  readonly failure?: Maybe<ErrorReport>
}

export type ReportKind = keyof Report
type ReportOf<Kind extends ReportKind> = NonNullable<Report[Kind]>

type Times = Pick<TaskEvent, 'timestamp' | 'recordedAt'>

/** What a report becomes an event from, beside itself. */
interface Setting {
  readonly state: TaskState
  readonly now: Times
  /** Of the report in its batch. */
  readonly index: number
  readonly member: string | null
}

const timesOf = ({ timestamp }: Timed, now: Times): Times =>
  timestamp == null ? now : { timestamp, recordedAt: now.recordedAt }

/** A total that was not given stays as it was; one that was given as null is unknown again. */
const effective = (total: Maybe<number>, before: number | null): number | null =>
  total === undefined ? before : total

/**
 * The event that each kind of report becomes, with the progress of whichever member reported it; that of the task is
 * known once its state is (`planReports`). A kind that is forgotten here does not compile. */
const EVENTS = {
  progress(report, { state, now, member }) {
    // What rounds had counted is of another kind.
    const known = member === null && state.countsProgress !== false ? state.total : null
    const total = effective(report.total, known)
    const loss = report.loss ?? report.metrics?.loss ?? null
    return {
      type: 'ProgressUpdate',
      // By far the most frequent, so it is written out.
      timestamp: report.timestamp ?? now.timestamp,
      recordedAt: now.recordedAt,
      current: report.current,
      total,
      progress: member === null ? null : percentage(report.current, total),
      status: 'RUNNING',
      machineId: state.spec.machineId,
      stage: report.stage ?? null,
      epoch: report.epoch ?? null,
      step: report.step ?? null,
      member,
      loss,
      metrics: loss === null ? (report.metrics ?? {}) : withLoss(report.metrics, loss),
      message: report.message ?? null,
    }
  },
  epochStart: (report, { state, now }) => ({
    type: 'EpochStarted',
    ...timesOf(report, now),
    epoch: report.epoch,
    totalEpochs: effective(report.totalEpochs, state.totalEpochs),
    progress: null,
  }),
  epochEnd: (report, { now, member }) => ({
    type: 'EpochEnded',
    ...timesOf(report, now),
    epoch: report.epoch,
    step: report.step ?? null,
    member,
    phase: report.phase,
    progress: null,
    metrics: report.metrics,
  }),
  roundEnd: (report, { state, now, member }) => ({
    type: 'RoundEnded',
    ...timesOf(report, now),
    round: report.round,
    totalRounds: effective(report.totalRounds, member === null ? state.totalRounds : null),
    progress: null,
    step: report.step ?? null,
    member,
    fitMetrics: report.fitMetrics ?? {},
    evalMetrics: report.evalMetrics ?? {},
  }),
  status: (report, setting) => statusEvent(report, setting),
  error: (report, { now, member }) => ({
    type: 'ErrorReported',
    ...timesOf(report, now),
    member,
    error: report.error,
    errorType: report.errorType ?? null,
  }),
  system: (report, { now, member, index }) => ({
    type: 'SystemSampled',
    ...timesOf(report, now),
    member: machineOf(member, index),
    metrics: systemMetrics(report.metrics, index),
  }),
  success: (report, { now }) => ({
    type: 'TrainingSucceeded',
    ...timesOf(report, now),
    result: report.result ?? null,
  }),
  failure: (report, { state, now }) => failed(report, state, timesOf(report, now)),
} satisfies { [Kind in ReportKind]: (report: ReportOf<Kind>, setting: Setting) => TaskEvent }

/** `loss` and `metrics.loss` are one thing, wherever it was given; `loss` wins. */
function withLoss(metrics: Maybe<Metrics>, loss: MetricValue): Metrics {
  if (metrics == null) return { loss }
  if (metrics.loss === loss) return metrics
  // A copy, since reports may share what came in one variable; a loop, since a spread with a further property takes
  // ten times as long.
  const all: Record<string, MetricValue> = {}
  for (const name in metrics) all[name] = metrics[name] as MetricValue
  all.loss = loss
  return all
}

export function eventOf(report: Report, setting: Setting): TaskEvent {
  for (const kind in report) {
    const given = report[kind as ReportKind]
    if (given == null) continue
    if (setting.member !== null && !IS_OF_MEMBERS[kind as ReportKind]) refuseOfMember(kind, setting)
    const make = EVENTS[kind as ReportKind] as (report: typeof given, setting: Setting) => TaskEvent
    return make(given, setting)
  }
  throw new EpochcastError(
    'BAD_INPUT',
    `reports[${setting.index}] is empty; expected exactly one kind of report`,
  )
}

/** What a member may report; when the task starts and ends an epoch or itself is for its trainer to say. */
const IS_OF_MEMBERS = {
  progress: true,
  epochStart: false,
  epochEnd: true,
  roundEnd: true,
  status: false,
  error: true,
  system: true,
  success: false,
  failure: false,
} satisfies { [Kind in ReportKind]: boolean }

function refuseOfMember(kind: string, { index, member }: Setting): never {
  throw new EpochcastError(
    'BAD_INPUT',
    `reports[${index}] is ${kind} of member ${quote(member)}; expected progress, epochEnd, roundEnd or error: starts and ends are not a member's to report`,
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
      return failed({ error: message ?? 'the trainer reported FAILURE' }, state, at)
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

/** Whoever was asked to stop fails because of that, as with a KeyboardInterrupt: it is cancelled. */
function failed({ error, errorType = null }: ErrorReport, state: TaskState, at: Times): TaskEvent {
  if (!state.stopRequested) return { type: 'TrainingFailed', ...at, error, errorType }
  const words = errorType === null ? error : `${errorType}: ${error}`
  return { type: 'TrainingCancelled', ...at, reason: joined(state.stopReason, endOf(words)) }
}

/** A traceback says the most at its end. */
const endOf = (text: string): string =>
  isUpTo(text, LIMITS.reasonLength) ? text : `…${lastCharacters(text, LIMITS.reasonLength)}`

const joined = (...parts: (string | null)[]): string | null => parts.filter(Boolean).join('; ') || null
