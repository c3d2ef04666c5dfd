import { createReadStream } from 'node:fs'
import { hostname } from 'node:os'
import type { Readable } from 'node:stream'
import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { EXIT } from './exit-codes.ts'
import {
  addExamples,
  collectMetrics,
  json,
  metricValue,
  number,
  positiveNumber,
  wholeNumber,
} from './options.ts'
import { printable } from './render/text.ts'
import { buildReport, REPORT_KINDS, type ReportValues } from './report-kinds.ts'
import { reportBatches } from './report-lines.ts'
import { ReportQueue } from './report-queue.ts'
import { ReportSender } from './report-sender.ts'
import { type Session, UsageError, withConnection } from './session.ts'
import { passLine, writeLine } from './terminal.ts'

interface ReportOptions extends ReportValues {
  readonly json?: string
  readonly prefix?: string
  readonly member?: string
  readonly producer?: string
  readonly firstSequence?: number
  readonly attempt?: number
}

export function addReportCommand(program: Command, session: Session): void {
  const command = program
    .command('report')
    .description("report a training's progress, as its trainer would")
    .argument('<taskId>')
    .argument('[kind]', `one of ${REPORT_KINDS.join(', ')}`)
    .optionsGroup('progress:')
    .option('--current <n>', 'how far it is', wholeNumber)
    .option('--total <n>', 'how far it has to go', wholeNumber)
    .option('--step <n>', 'the global step, also of epoch-end and round-end', wholeNumber)
    .option('--loss <value>', 'a number, NaN or Infinity', metricValue)
    .option('--metric <name=value>', 'a metric, also of epoch-end; may be repeated', collectMetrics)
    .option('--stage <name>', 'what it is doing')
    .option('--message <text>', 'for people; also of status')
    .optionsGroup('epoch-start, epoch-end:')
    .option('--epoch <n>', 'the epoch, also of progress; 2.5 is half-way through the third', number)
    .option('--total-epochs <n>', 'number of epochs', wholeNumber)
    .option('--phase <phase>', 'TRAIN (the default), VAL or TEST', upperCase(['TRAIN', 'VAL', 'TEST']))
    .optionsGroup('round-end:')
    .option('--round <n>', 'the round', wholeNumber)
    .option('--total-rounds <n>', 'number of rounds', wholeNumber)
    .option('--fit <name=value>', 'a metric of fitting; may be repeated', collectMetrics)
    .option('--eval <name=value>', 'a metric of evaluation; may be repeated', collectMetrics)
    .optionsGroup('status, error, failure, success:')
    .option(
      '--status <status>',
      'RUNNING, or how it ended: SUCCESS, FAILURE, CANCELLED',
      upperCase(['RUNNING', 'SUCCESS', 'FAILURE', 'CANCELLED']),
    )
    .option('--error <text>', 'what went wrong')
    .option('--type <name>', 'the type of the error')
    .option('--result <json>', 'what came of it, any JSON value', json)
    .optionsGroup('All kinds:')
    .option(
      '--json <file>',
      'report each line of a file, - for stdin, that is a report: {"progress": {"current": 3}}; others are passed on',
    )
    .option('--timestamp <time>', "when it happened, RFC 3339 (default: the server's time)")
    .option('--prefix <channelPrefix>', "the task's channel prefix (default: looked for under each)")
    .option('--member <name>', 'the rank, client or node that reports: its curves are its own')
    .option('--producer <name>', 'names the reporter; with --first-sequence a repeated call is harmless')
    .option('--first-sequence <n>', "position of the first report in the producer's count", positiveNumber)
    .option('--attempt <n>', 'the attempt that reports', positiveNumber)
    .action((taskId: string, kind: string | undefined, options: ReportOptions) =>
      withConnection(session, command, async (connection) => {
        const {
          json: file,
          prefix: channelPrefix,
          member,
          producer,
          firstSequence,
          attempt,
          ...values
        } = options
        if ((kind === undefined) === (file === undefined)) {
          throw new UsageError(
            `expected either a kind of report (${REPORT_KINDS.join(', ')}) or --json <file>`,
          )
        }
        if (firstSequence !== undefined && producer === undefined) {
          throw new UsageError('--first-sequence needs --producer')
        }
        // Numbered by a name of its own, a call may be repeated when its response is lost.
        const name = producer ?? `epochcast-cli-${hostname()}-${process.pid}-${Date.now().toString(36)}`
        const destination = { taskId, channelPrefix, member, producer: name, attempt }
        const { stdin, stdout } = connection.terminal
        if (kind !== undefined) {
          const numbered = producer === undefined ? 1 : firstSequence
          const sender = new ReportSender(connection, destination, numbered)
          await sender.send([buildReport(kind, values)])
          writeLine(stdout, sender.summary)
          return EXIT.success
        }
        const sender = new ReportSender(connection, destination, firstSequence ?? 1)
        const source = file === '-' ? stdin : await opened(file ?? '-')
        const { signal } = connection
        const onAway = (reason: string) =>
          writeLine(connection.terminal.stderr, `reports are kept and tried again: ${printable(reason)}`)
        const queue = new ReportQueue(sender, { signal, onAway })
        const others = {
          passOn: (line: string) => passLine(stdout, line),
          refuse: (problem: string) => queue.addProblem(problem),
        }
        for await (const { reports, characters } of reportBatches(source, signal, others))
          queue.addReports(reports, characters)
        await queue.finish()
        writeLine(stdout, sender.summary)
        return sender.refused === 0 ? EXIT.success : EXIT.error
      }),
    )
  addExamples(
    command,
    'epochcast report $TASK progress --current 3 --total 10 --loss 0.5 --metric accuracy=0.9',
    'epochcast report $TASK epoch-end --epoch 3 --phase VAL --metric loss=0.4',
    'epochcast report $TASK success --result \'{"accuracy": 0.93}\'',
    'python train.py | epochcast report $TASK --json -',
  )
}

function opened(file: string): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const stream = createReadStream(file)
    stream.once('open', () => resolve(stream))
    stream.once('error', (error) => reject(new UsageError(`${file} cannot be read: ${error.message}`)))
  })
}

function upperCase(allowed: readonly string[]) {
  return (text: string): string => {
    const value = text.toUpperCase()
    if (allowed.includes(value)) return value
    throw new InvalidArgumentError(`Expected one of ${allowed.join(', ')}.`)
  }
}
