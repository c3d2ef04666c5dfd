import type { IngestResult } from '../ingest/ingest.ts'
import { LIMITS } from '../task/limits.ts'
import { encodeCursor } from '../task/position.ts'
import type { Report, ReportKind } from '../task/report.ts'
import { builder } from './builder.ts'
import type { Context } from './context.ts'
import { PhaseEnum, TaskStatusEnum } from './enums.ts'
import {
  channelPrefix,
  line,
  lineOfAnyLength,
  listOf,
  numberFrom,
  taskId,
  wholeNumber,
} from './validation.ts'

const MAX_INT = 2 ** 31 - 1
const count = wholeNumber(0, MAX_INT)
const fraction = numberFrom(0, MAX_INT)
const epochDescription =
  'May be a fraction: 2.5 is half-way through the third epoch. A whole number is an epoch that has begun, or one that is done where fractions led to it.'
const totalDescription = 'Left as it was where not given; null makes it unknown again.'
const stepDescription = "The trainer's global step by then."
const cutAt = (max: number) => `Of more than ${max} characters only the beginning is kept.`
const timestampDescription =
  "When it happened, by the trainer's clock; the server's time where it is left out."

const ProgressReportInput = builder.inputType('ProgressReportInput', {
  fields: (t) => ({
    current: t.field({ type: 'Count', required: true }),
    total: t.field({
      type: 'Count',
      description: totalDescription,
      validate: wholeNumber(1, Number.MAX_SAFE_INTEGER),
    }),
    stage: t.string({ description: cutAt(LIMITS.stageLength), validate: lineOfAnyLength }),
    epoch: t.float({ description: epochDescription, validate: fraction }),
    step: t.field({ type: 'Count', description: 'Global step, where `current` counts something else.' }),
    loss: t.field({
      type: 'MetricValue',
      description: 'The same as `metrics.loss`: either is enough, and this one wins.',
    }),
    metrics: t.field({ type: 'Metrics' }),
    message: t.string({ description: cutAt(LIMITS.messageLength) }),
    timestamp: t.field({ type: 'DateTime', description: timestampDescription }),
  }),
})

const EpochStartReportInput = builder.inputType('EpochStartReportInput', {
  fields: (t) => ({
    epoch: t.int({ required: true, validate: count }),
    totalEpochs: t.int({ description: totalDescription, validate: count }),
    timestamp: t.field({ type: 'DateTime', description: timestampDescription }),
  }),
})

const EpochEndReportInput = builder.inputType('EpochEndReportInput', {
  fields: (t) => ({
    epoch: t.float({ required: true, description: epochDescription, validate: fraction }),
    step: t.field({ type: 'Count', description: stepDescription }),
    phase: t.field({ type: PhaseEnum, required: true }),
    metrics: t.field({ type: 'Metrics', required: true }),
    timestamp: t.field({ type: 'DateTime', description: timestampDescription }),
  }),
})

const RoundEndReportInput = builder.inputType('RoundEndReportInput', {
  fields: (t) => ({
    round: t.int({ required: true, validate: count }),
    step: t.field({ type: 'Count', description: stepDescription }),
    totalRounds: t.int({ description: totalDescription, validate: wholeNumber(1, LIMITS.rounds) }),
    fitMetrics: t.field({ type: 'Metrics' }),
    evalMetrics: t.field({ type: 'Metrics' }),
    timestamp: t.field({ type: 'DateTime', description: timestampDescription }),
  }),
})

const StatusReportInput = builder.inputType('StatusReportInput', {
  description: 'RUNNING, or a final status where the trainer has nothing more to say about its end.',
  fields: (t) => ({
    status: t.field({ type: TaskStatusEnum, required: true }),
    message: t.string({ description: cutAt(LIMITS.messageLength) }),
    timestamp: t.field({ type: 'DateTime', description: timestampDescription }),
  }),
})

const ErrorReportInput = builder.inputType('ErrorReportInput', {
  fields: (t) => ({
    error: t.string({
      required: true,
      description: `Of more than ${LIMITS.errorLength} characters only the end is kept, where a traceback says the most.`,
    }),
    errorType: t.string({ description: cutAt(LIMITS.errorTypeLength), validate: lineOfAnyLength }),
    timestamp: t.field({ type: 'DateTime', description: timestampDescription }),
  }),
})

const SystemReportInput = builder.inputType('SystemReportInput', {
  description: 'How the machine stands that a trainer runs on.',
  fields: (t) => ({
    metrics: t.field({
      type: 'Metrics',
      required: true,
      description: 'Names begin with `system/`, such as `system/cpu_percent`.',
    }),
    timestamp: t.field({ type: 'DateTime', description: timestampDescription }),
  }),
})

const SuccessReportInput = builder.inputType('SuccessReportInput', {
  fields: (t) => ({
    result: t.field({
      type: 'JSON',
      description: `At most ${LIMITS.resultBytes} bytes of JSON. A larger one is refused with RESULT_TOO_LARGE; report success without it then, or with where it is stored.`,
    }),
    timestamp: t.field({ type: 'DateTime', description: timestampDescription }),
  }),
})

const ReportInput = builder.inputType('ReportInput', {
  isOneOf: true,
  fields: (t) =>
    ({
      progress: t.field({ type: ProgressReportInput }),
      epochStart: t.field({ type: EpochStartReportInput }),
      epochEnd: t.field({ type: EpochEndReportInput }),
      roundEnd: t.field({ type: RoundEndReportInput }),
      status: t.field({ type: StatusReportInput }),
      error: t.field({ type: ErrorReportInput, description: 'The task goes on.' }),
      system: t.field({
        type: SystemReportInput,
        description:
          "Charted by time for the machine that `member` names. No sign of life, and nothing of the task's progress.",
      }),
      success: t.field({ type: SuccessReportInput, description: 'Final.' }),
      failure: t.field({
        type: ErrorReportInput,
        description:
          'Final. Of a task that was asked to stop it is the cancellation, with this error in its reason.',
      }),
    }) satisfies { [Kind in ReportKind]: unknown },
})

type Given = typeof ReportInput.$inferInput
type SchemaFields = { [Kind in ReportKind]: keyof Extract<Given, Record<Kind, object>>[Kind] }
type DomainFields = { [Kind in ReportKind]: keyof NonNullable<Report[Kind]> }
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
type Assert<Condition extends true> = Condition
/** Every field of a report that the schema takes is one that the domain knows, and the other way round. */
export type SchemaFitsDomain = Assert<Same<SchemaFields, DomainFields>>

const ReportMetricsInput = builder.inputType('ReportMetricsInput', {
  fields: (t) => ({
    taskId: t.id({ required: true, validate: taskId }),
    channelPrefix: t.string({ validate: channelPrefix }),
    reports: t.field({
      type: [ReportInput],
      required: true,
      description: `0 to ${LIMITS.reportsPerCall}, applied in order. None: only asks whether to stop.`,
      validate: listOf('reports', 0, LIMITS.reportsPerCall),
    }),
    member: t.string({
      description:
        "The rank, client or node that these reports come from. They keep series of their own and leave the task's progress and latest metrics to whoever reports without. A member reports progress, epochEnd, roundEnd, error and system; starts and ends are refused, they are not a member's to report. An end is one for all members: report it after the barrier, or what they have yet to report is refused with TASK_ENDED.",
      validate: line(LIMITS.memberLength),
    }),
    producer: t.string({
      description:
        'Names this trainer process; with firstSequence it makes a repeated call harmless. Each process needs a name of its own, with a random part: another that counts from 1 again is refused (SEQUENCE_CONFLICT).',
      validate: line(LIMITS.producerLength),
    }),
    firstSequence: t.int({
      description:
        "Position of reports[0] in the producer's own count: 1, 2, 3 … A call whose reply was lost is repeated with the same content, alone or with more reports after it; that is recognised for the last two calls of a producer, or the last four of one report each.",
      validate: wholeNumber(1, MAX_INT),
    }),
    attempt: t.int({
      description:
        'The attempt this trainer was launched as; reports of an older attempt are refused, one of a newer attempt begins that attempt.',
      validate: wholeNumber(1, LIMITS.epochs),
    }),
  }),
})

export type ReportMetricsInput = typeof ReportMetricsInput.$inferInput

const cursorOf = ({ key, top }: IngestResult): string => encodeCursor(key, top)

const ReportMetricsPayload = builder.objectRef<IngestResult>('ReportMetricsPayload').implement({
  fields: (t) => ({
    accepted: t.exposeInt('accepted', { description: 'Reports appended by this call.' }),
    duplicates: t.exposeInt('duplicates', {
      description: 'Reports that an earlier, repeated call had already appended.',
    }),
    cursor: t.field({
      type: 'Cursor',
      description: 'Position after the newest accepted report.',
      resolve: cursorOf,
    }),
    stopRequested: t.exposeBoolean('stopRequested', {
      description:
        'True once somebody cancelled the task: the trainer should stop. A call without reports also gets it for a task that has ended, whatever its end.',
    }),
    warnings: t.exposeStringList('warnings', {
      description: 'What was left out or cut, and why; empty where everything was taken as it came.',
    }),
  }),
})

/** The payload's fields by name, for the calls that `report-call.ts` runs. */
export const REPORT_PAYLOAD: ReadonlyMap<string, (result: IngestResult) => unknown> = new Map<
  string,
  (result: IngestResult) => unknown
>([
  ['__typename', () => 'ReportMetricsPayload'],
  ['accepted', ({ accepted }) => accepted],
  ['duplicates', ({ duplicates }) => duplicates],
  ['cursor', cursorOf],
  ['stopRequested', ({ stopRequested }) => stopRequested],
  ['warnings', ({ warnings }) => warnings],
])

/** The one way to report, whether graphql-js or `report-call.ts` runs the operation. */
export function reportMetrics(
  input: ReportMetricsInput,
  { caller, services }: Context,
): Promise<IngestResult> {
  return services.ingest.report(caller, input.taskId, input.channelPrefix ?? null, {
    reports: input.reports,
    member: input.member ?? null,
    producer: input.producer ?? null,
    firstSequence: input.firstSequence ?? null,
    attempt: input.attempt ?? null,
  })
}

builder.mutationField('reportMetrics', (t) =>
  t.field({
    type: ReportMetricsPayload,
    description: "Appends a trainer's reports to its task's log, in order, all or none.",
    args: { input: t.arg({ type: ReportMetricsInput, required: true }) },
    resolve: (_, { input }, context) => reportMetrics(input, context),
  }),
)
