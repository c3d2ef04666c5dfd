import { textSize } from '../bounds/text-size.ts'
import { beforeNewest, readOutputPage } from '../feed/output-history.ts'
import type { DeliveredLine } from '../feed/output-stream.ts'
import type { OutputIngestResult } from '../ingest/output-ingest.ts'
import { EpochcastError } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import { OUTPUT_STREAMS, type SentLine, skippedText } from '../task/output.ts'
import { decodeCursor, encodeCursor } from '../task/position.ts'
import { channelOf } from '../task/task.ts'
import { builder } from './builder.ts'
import { pageConnection } from './page.ts'
import { TaskObject } from './task.ts'
import { channelPrefix, line, listOf, outputText, taskId, wholeNumber } from './validation.ts'

const MAX_INT = 2 ** 31 - 1

const OutputStreamEnum = builder.enumType('OutputStream', { values: OUTPUT_STREAMS })

const OutputSkipReasonEnum = builder.enumType('OutputSkipReason', {
  values: {
    FLOOD: { description: 'The trainer printed more than is taken of it; the newest lines were kept.' },
    TRIMMED: { description: 'They are older than what is kept of one task.' },
    LOG_RESET: { description: 'The store lost them: the cursor is from before.' },
  } satisfies Record<NonNullable<DeliveredLine['skip']>['reason'], unknown>,
})

const OutputSkipObject = builder.objectRef<NonNullable<DeliveredLine['skip']>>('OutputSkip').implement({
  fields: (t) => ({
    lines: t.expose('lines', {
      type: 'Count',
      nullable: true,
      description: 'How many are missing; null where that is not known.',
    }),
    reason: t.expose('reason', { type: OutputSkipReasonEnum }),
  }),
})

export const OutputLineObject = builder.objectRef<DeliveredLine>('OutputLine').implement({
  description:
    'A line that a trainer printed; or, where `skip` is given, a note in the place of lines that are missing.',
  fields: (t) => ({
    taskId: t.exposeID('taskId'),
    cursor: t.expose('cursor', {
      type: 'Cursor',
      description:
        "Where the output is read on after it; one of `taskOutput` and `Task.output`, not of the task's events.",
    }),
    timestamp: t.expose('timestamp', { type: 'DateTime' }),
    stream: t.expose('stream', { type: OutputStreamEnum, nullable: true, description: 'Null for a note.' }),
    text: t.exposeString('text', {
      description:
        'Without its line end; what is no UTF-8 is U+FFFD. Escape codes are left as they are: whoever shows them decides what they may do. Of a progress bar that is drawn over itself the last state. A note says in words what `skip` says.',
    }),
    member: t.exposeString('member', {
      nullable: true,
      description: 'The rank, client or node that printed it.',
    }),
    isCut: t.exposeBoolean('isCut', {
      description: `Whether more of the same line follows, or a newer state of it: it was longer than ${LIMITS.outputLineBytes} bytes, or had no end for a while.`,
    }),
    skip: t.expose('skip', { type: OutputSkipObject, nullable: true }),
  }),
})

/** Of a line, and its edge. */
const LINE_FIELDS = 10

const OutputLineConnection = pageConnection('OutputLine', OutputLineObject, LINE_FIELDS)

builder.objectField(TaskObject, 'output', (t) =>
  t.field({
    type: OutputLineConnection,
    description:
      'What is kept of what its trainers printed, oldest first. Where lines after `after` are no longer kept, the first edge is a note.',
    args: {
      first: t.arg.int({ validate: wholeNumber(0, LIMITS.outputPage.max) }),
      after: t.arg({ type: 'Cursor' }),
      last: t.arg.int({
        description: 'Begins this many lines before the end, instead of `after`.',
        validate: wholeNumber(0, LIMITS.last),
      }),
    },
    complexity: ({ first }) => ({ field: 10, multiplier: (first ?? LIMITS.outputPage.default) / 10 }),
    resolve: async ({ state: { spec } }, { first, after, last }, { services, answer }) => {
      if (after != null && last != null)
        throw new EpochcastError('BAD_INPUT', 'after and last were both given; expected one of them')
      const { log } = services.output
      const limit = first ?? LIMITS.outputPage.default
      const read = async () => {
        const from = last == null ? null : await beforeNewest(log, spec, last)
        return readOutputPage(log, spec, after == null ? from : decodeCursor(spec, after), limit)
      }
      const key = JSON.stringify(['output', channelOf(spec), after, last, limit])
      const size = (page: { lines: readonly unknown[] }) => textSize(page.lines, LIMITS.answerReads)
      const { lines, hasMore, hasPrevious } = await (answer?.read(key, read, size) ?? read())
      return { nodes: lines, hasMore, hasPrevious }
    },
  }),
)

const OutputLineInput = builder.inputType('OutputLineInput', {
  fields: (t) => ({
    stream: t.field({ type: OutputStreamEnum, description: 'STDOUT where it is left out.' }),
    text: t.string({
      required: true,
      description: `Without its line end; of more than ${LIMITS.outputLineBytes} bytes of UTF-8 only the beginning is kept, and marked.`,
      validate: outputText,
    }),
    timestamp: t.field({
      type: 'DateTime',
      description: "When it was printed, by the trainer's clock; the server's time where it is left out.",
    }),
    member: t.string({ validate: line(LIMITS.memberLength) }),
    isCut: t.boolean({ description: 'Whether more of the same line follows.' }),
    skipped: t.int({
      description: 'Lines that the sender left out here; `text` and `stream` are then of no meaning.',
      validate: wholeNumber(1, MAX_INT),
    }),
  }),
})

const ReportOutputInput = builder.inputType('ReportOutputInput', {
  fields: (t) => ({
    taskId: t.id({ required: true, validate: taskId }),
    channelPrefix: t.string({ validate: channelPrefix }),
    lines: t.field({
      type: [OutputLineInput],
      required: true,
      validate: listOf('lines', 1, LIMITS.outputLinesPerCall),
    }),
    producer: t.string({
      description:
        'Names the process that sends; another than any before it, with a random part. With firstSequence, a call may be repeated without harm.',
      validate: line(LIMITS.producerLength),
    }),
    firstSequence: t.int({
      description:
        "Position of lines[0] in the producer's own count: 1, 2, 3 … A call whose reply was lost is repeated with the same content.",
      validate: wholeNumber(1, MAX_INT),
    }),
    attempt: t.int({
      description: 'The attempt that printed them; output of an older attempt is refused.',
      validate: wholeNumber(1, LIMITS.epochs),
    }),
  }),
})

const sentLine = ({
  stream,
  text,
  timestamp,
  member,
  isCut,
  skipped,
}: typeof OutputLineInput.$inferInput): SentLine =>
  skipped == null
    ? {
        ...{ stream: stream ?? 'STDOUT', text, member: member ?? null, isCut: isCut ?? false },
        ...{ timestamp: timestamp ?? null, skipped: null },
      }
    : {
        ...{ stream: null, text: skippedText(skipped, 'there were too many at once'), isCut: false },
        ...{ member: member ?? null, timestamp: timestamp ?? null, skipped },
      }

const ReportOutputPayload = builder.objectRef<OutputIngestResult>('ReportOutputPayload').implement({
  fields: (t) => ({
    accepted: t.exposeInt('accepted', { description: 'Lines appended by this call.' }),
    duplicates: t.exposeInt('duplicates', {
      description: 'Lines that an earlier, repeated call had already appended.',
    }),
    cursor: t.field({
      type: 'Cursor',
      nullable: true,
      description: 'Where the output ends now.',
      resolve: ({ key, top }) => top && encodeCursor(key, top),
    }),
    stopRequested: t.exposeBoolean('stopRequested', {
      description: 'True once somebody cancelled the task, and after its end: the trainer should stop.',
    }),
  }),
})

builder.mutationField('reportOutput', (t) =>
  t.field({
    type: ReportOutputPayload,
    description:
      "Appends lines that a trainer printed to its task's output, in order, all or none. No sign of life, and taken for ten minutes after the task's end, too.",
    args: { input: t.arg({ type: ReportOutputInput, required: true }) },
    resolve: (_, { input }, { caller, services }) =>
      services.output.ingest.report(caller, input.taskId, input.channelPrefix ?? null, {
        lines: input.lines.map(sentLine),
        producer: input.producer ?? null,
        firstSequence: input.firstSequence ?? null,
        attempt: input.attempt ?? null,
      }),
  }),
)
