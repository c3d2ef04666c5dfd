import { randomUUID } from 'node:crypto'
import type { Command } from 'commander'
import { StartTrainingDocument } from '../typescript/index.ts'
import { EXIT } from './exit-codes.ts'
import { followTask } from './follow-task.ts'
import { addExamples, collectJson, defined, jsonObject, positiveNumber } from './options.ts'
import { jsonLine, printable } from './render/text.ts'
import { type Session, UsageError, withConnection } from './session.ts'
import { writeLine } from './terminal.ts'

interface TrainOptions {
  readonly retryOf?: string
  readonly machine?: string
  readonly epochs?: number
  readonly param?: Record<string, unknown>
  readonly params?: Record<string, unknown>
  readonly label?: Record<string, unknown>
  readonly prefix?: string
  readonly idempotencyKey?: string
  readonly watch?: boolean
  readonly json?: boolean
}

const START_ATTEMPTS = 4

export function addTrainCommand(program: Command, session: Session): void {
  const command = program
    .command('train')
    .description('start a training')
    .argument('[trainer]', "a trainer of the server's configuration; see epochcast trainers")
    .option('--retry-of <taskId>', 'repeat a finished task; what else is given replaces what it had')
    .option('--machine <id>', 'the machine that the training is about')
    .option('--epochs <n>', 'number of epochs', positiveNumber)
    .option('--param <name=value>', 'a parameter, as JSON or text; may be repeated', collectJson)
    .option('--params <json>', 'parameters as a JSON object; --param wins', jsonObject)
    .option('--label <name=value>', 'a label to find the task by; may be repeated', collectJson)
    .option('--prefix <channelPrefix>', "channel prefix (default: the trainer's)")
    .option('--idempotency-key <key>', 'the same key gives the same task, however often it is started')
    .option('--watch', 'watch it to its end')
    .option('--json', 'print JSON: the task, or one event a line with --watch')
    .action((trainer: string | undefined, options: TrainOptions) =>
      withConnection(session, command, async (connection) => {
        const { client, terminal, signal, commandLine } = connection
        const { machine, epochs, param, params, label, prefix, watch, json = false } = options
        if (trainer === undefined && options.retryOf === undefined) {
          throw new UsageError('expected a trainer, or --retry-of <taskId>')
        }
        const input = defined({
          trainer,
          retryOf: options.retryOf,
          machineId: machine,
          epochs,
          params: param || params ? { ...params, ...param } : undefined,
          labels: label,
          channelPrefix: prefix,
          // With a key of its own a start may be repeated when its response is lost.
          idempotencyKey: options.idempotencyKey ?? randomUUID(),
        })
        const { startTraining } = await client.execute(
          StartTrainingDocument,
          { input },
          { signal, attempts: START_ATTEMPTS },
        )
        const { task, reportToken } = startTraining
        if (watch) return followTask(connection, task, { last: REPLAY_START, json })
        const { stdout } = terminal
        if (json) {
          writeLine(stdout, jsonLine({ ...task, reportToken: reportToken ?? null }))
          return EXIT.success
        }
        writeLine(stdout, `task ${printable(task.id)} ${task.status}`)
        if (reportToken) writeLine(stdout, `  report token: ${printable(reportToken)}`)
        const place = [task.id, '--prefix', task.channelPrefix]
        writeLine(stdout, `  watch:  ${commandLine('watch', ...place)}`)
        writeLine(stdout, `  cancel: ${commandLine('cancel', ...place)}`)
        return EXIT.success
      }),
    )
  addExamples(
    command,
    'epochcast train tvae --machine motor_siemens_001 --epochs 50 --watch',
    'epochcast train tvae --param learning_rate=0.001 --label team=drives',
    'epochcast train --retry-of 550e8400-e29b-41d4-a716-446655440000 --param learning_rate=0.0005',
    'epochcast train external --machine motor_siemens_001 --json',
  )
}

/** A watcher that has just started it sees it from its first event. */
const REPLAY_START = 1000
