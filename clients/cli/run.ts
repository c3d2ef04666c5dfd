import { randomUUID } from 'node:crypto'
import { constants } from 'node:os'
import type { Command } from 'commander'
import { OutputTail } from '../output/output-tail.ts'
import { Redaction } from '../output/redaction.ts'
import { createClient, StartTrainingDocument, TaskDocument } from '../typescript/index.ts'
import { wordsOf } from '../typescript/reporter/notices.ts'
import type { Reporter } from '../typescript/reporter/options.ts'
import { createReporter } from '../typescript/reporter/reporter.ts'
import { EXIT } from './exit-codes.ts'
import { addExamples, collectJson, defined, jsonObject, secondsNumber } from './options.ts'
import { printable } from './render/text.ts'
import { type RegisteredRun, RunEnvironment } from './run-environment.ts'
import { RunOutput } from './run-output.ts'
import { type ProgramEnd, RunProgram } from './run-program.ts'
import { DEFAULT_URL, endpoint, reportError, type Session } from './session.ts'
import { sendLeftOf } from './sync.ts'
import { type Terminal, writeLine } from './terminal.ts'

interface RunOptions {
  readonly name?: string
  readonly machine?: string
  readonly param?: Record<string, unknown>
  readonly params?: Record<string, unknown>
  readonly label?: Record<string, unknown>
  readonly prefix?: string
  readonly kubeflow: boolean
  readonly output: boolean
  readonly termAfter: number
  readonly killAfter: number
}

type RunInput = ReturnType<typeof inputOf>

interface Server {
  readonly url: string
  readonly token: string | undefined
}

/** Longest wait for the server before the program is begun without it. */
const REGISTER_MS = 5000
/** How often it is asked whether to stop. */
const STOP_POLL_MS = 2000
/** Longest wait for the server once the program has ended. */
const FLUSH_MS = 10_000
/** After which it is told that the rest of its output is still on its way. */
const SLOW_MS = 2000
const STATUS_ATTEMPTS = 4
/** Of its output that ends up in the message of a failure. */
const OUTPUT_TAIL_BYTES = 8192
const MAX_NAME_LENGTH = 256
/** As shells have it. */
const NOT_FOUND = 127
const NOT_EXECUTABLE = 126
const SIGNAL_BASE = 128
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export function addRunCommand(program: Command, session: Session): void {
  const command = program
    .command('run')
    .description('run a training of your own, registered as a task and ended by its exit code')
    .usage('[options] -- <command> [arguments...]')
    .argument('<command...>', 'the program and its arguments, after --')
    .option('--name <text>', 'for people (default: the command)')
    .option('--machine <id>', 'the machine that the training is about')
    .option('--param <name=value>', 'a parameter, as JSON or text; may be repeated', collectJson)
    .option('--params <json>', 'parameters as a JSON object; --param wins', jsonObject)
    .option('--label <name=value>', 'a label to find the task by; may be repeated', collectJson)
    .option('--prefix <channelPrefix>', "channel prefix (default: the server's first)")
    .option('--no-kubeflow', 'without the variables by which a Hugging Face Trainer reports by itself')
    .option('--no-output', 'without sending what the program prints')
    .option(
      '--term-after <seconds>',
      'once cancelled, time to stop by itself before SIGTERM',
      secondsNumber,
      5,
    )
    .option('--kill-after <seconds>', 'time from that SIGTERM to SIGKILL', secondsNumber, 10)
    .action(async (words: [string, ...string[]], options: RunOptions) => {
      const { terminal } = session
      const { url, token } = command.optsWithGlobals<{ url?: string; token?: string }>()
      try {
        const server = {
          url: endpoint(url ?? terminal.env.EPOCHCAST_URL ?? DEFAULT_URL),
          token: token ?? terminal.env.EPOCHCAST_TOKEN,
        }
        session.exitCode = await runTraining(terminal, server, words, options)
      } catch (error) {
        session.exitCode = reportError(terminal, error)
      }
    })
  addExamples(
    command,
    'epochcast run -- python train.py --epochs 50',
    'epochcast run --name resnet50 --label team=vision -- torchrun --nproc-per-node 2 train.py',
  )
}

async function runTraining(
  terminal: Terminal,
  server: Server,
  command: readonly [string, ...string[]],
  options: RunOptions,
): Promise<number> {
  terminal.outliveReaders()
  const tell = (text: string) => writeLine(terminal.stderr, printable(text))
  const input = inputOf(command, options)
  const run = await register(server, input, tell)
  if (run) tell(`epochcast: task ${run.id}`)
  const environment = new RunEnvironment({
    ...{ url: server.url, params: input.params ?? {}, run, kubeflow: options.kubeflow, env: terminal.env },
  })
  const tail = new OutputTail(
    OUTPUT_TAIL_BYTES,
    new Redaction([run?.reportToken ?? null, server.token ?? null]),
  )
  const output = options.output ? new RunOutput({ ...server, run, input, tell }) : null
  const onOutput = (stream: 'stdout' | 'stderr', chunk: Buffer) => {
    tail.push(chunk)
    output?.take(stream, chunk)
  }
  const program = new RunProgram({ command, env: environment.variables, terminal, onOutput })
  const stopIfAsked = async () => {
    if (await isToStop(server, reporter.taskId))
      program.stop(options.termAfter * 1000, options.killAfter * 1000)
  }
  const reporter = createReporter({
    ...{ url: server.url, token: run?.reportToken ?? server.token },
    ...(run ? { taskId: run.id, channelPrefix: run.channelPrefix, attempt: 1 } : { run: input }),
    // After the files of the program itself, whose reports come before this end.
    ...{ spoolPrefix: 'run-', stopPollMs: STOP_POLL_MS, flushMs: FLUSH_MS },
    // That the program has reported its end itself is as it should be.
    onNotice: (text) => /\bTASK_ENDED\b/.test(text) || tell(text),
    onStop: () => void stopIfAsked(),
  })
  // A word, so that it is seen to run, and the stop is asked for, from the beginning.
  reporter.status(`runs ${input.name}`)
  let interruption: NodeJS.Signals | null = null
  const forward = (signal: NodeJS.Signals) => {
    interruption ??= signal
    // In a terminal Ctrl-C goes to all of its programs.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) program.signal(signal)
  }
  const stopForwarding = onSignals(forward)
  const end = await program.ended
  stopForwarding()
  environment.remove()
  // Its end is reported all the same, unless there is a second signal.
  const enough = new AbortController()
  const stopListening = onSignals(() => {
    enough.abort()
    stopListening()
  })
  // Who follows the output goes once the task has ended and nothing more comes.
  await sendRest(output, enough.signal, tell)
  // What the program could not send comes before its end.
  if (run) await sendLeftOf(terminal, run.id, server, enough.signal)
  await reportEnd(reporter, end, interruption, tail.toString())
  stopListening()
  if (end.kind === 'not started') tell(`epochcast: ${command[0]} cannot be run: ${end.error.message}`)
  return exitCodeOf(end)
}

/** Signals go there, and do not end this process, until the function that is returned is called. */
function onSignals(act: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of FORWARDED) process.on(signal, act)
  return () => {
    for (const signal of FORWARDED) process.off(signal, act)
  }
}

async function sendRest(
  output: RunOutput | null,
  enough: AbortSignal,
  tell: (text: string) => void,
): Promise<void> {
  const words = 'epochcast: it has ended; the rest of its output is being sent (Ctrl-C leaves that out)'
  const timer = setTimeout(() => tell(words), SLOW_MS)
  await output?.close(enough)
  clearTimeout(timer)
}

/** A task that its program has ended is over, too, but what the program still has to do is for it to say. */
async function isToStop({ url, token }: Server, id: string | null): Promise<boolean> {
  const client = createClient({ url, token })
  try {
    const { task } = await client.execute(TaskDocument, { id: id ?? '' }, { attempts: STATUS_ATTEMPTS })
    return task !== null && task !== undefined && (task.stopRequested || task.status === 'CANCELLED')
  } catch {
    // A token that may only report cannot see more than that it is to stop.
    return true
  } finally {
    await client.dispose()
  }
}

function inputOf(command: readonly string[], options: RunOptions) {
  const { name, machine, param, params, label, prefix } = options
  return defined({
    name: name ?? nameOf(command),
    machineId: machine,
    params: param || params ? { ...params, ...param } : undefined,
    labels: label,
    channelPrefix: prefix,
    idempotencyKey: randomUUID(),
  })
}

const nameOf = (command: readonly string[]): string =>
  command
    .join(' ')
    .replace(/[\p{Cc}\p{Cs}]/gu, ' ')
    .slice(0, MAX_NAME_LENGTH) || 'run'

/** Null where the server does not take it at once: the training is not to wait for it. */
async function register(
  { url, token }: Server,
  input: RunInput,
  tell: (text: string) => void,
): Promise<RegisteredRun | null> {
  const client = createClient({ url, token, requestTimeoutMs: REGISTER_MS })
  try {
    const variables = { input: { ...input, trainer: 'external' } }
    const { startTraining } = await client.execute(StartTrainingDocument, variables)
    const { id, channelPrefix } = startTraining.task
    return { id, channelPrefix, reportToken: startTraining.reportToken ?? null }
  } catch (error) {
    tell(`epochcast: the run is not registered yet (${wordsOf(error)}); it begins all the same`)
    return null
  } finally {
    await client.dispose()
  }
}

/** The program's own report of its end, which came before, stands. */
function reportEnd(
  reporter: Reporter,
  end: ProgramEnd,
  interruption: NodeJS.Signals | null,
  output: string,
): Promise<boolean> {
  if (end.kind === 'exit' && end.code === 0 && interruption === null && !reporter.shouldStop)
    return reporter.success()
  if (reporter.shouldStop) return reporter.cancelled('stopped')
  if (interruption !== null) return reporter.cancelled(`interrupted by ${interruption}`)
  const [words, type] = wordsFor(end)
  return reporter.failure(output === '' ? words : `${words}; its last output:\n${output}`, type)
}

function wordsFor(end: ProgramEnd): readonly [string, string] {
  switch (end.kind) {
    case 'exit':
      return [`the training exited with code ${end.code}`, 'ExitCode']
    case 'signal':
      return [`the training was ended by ${end.signal}`, 'Signal']
    case 'not started':
      return [`the training could not be started: ${end.error.message}`, 'SpawnFailed']
  }
}

function exitCodeOf(end: ProgramEnd): number {
  if (end.kind === 'exit') return end.code
  if (end.kind === 'signal') return SIGNAL_BASE + (constants.signals[end.signal] ?? 0)
  if (end.error.code === 'ENOENT') return NOT_FOUND
  return end.error.code === 'EACCES' ? NOT_EXECUTABLE : EXIT.error
}
