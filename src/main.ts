import { type Command, InvalidArgumentError } from 'commander'
import { addExamples } from '../clients/cli/options.ts'
import { createProgram, run } from '../clients/cli/program.ts'
import { type Session, writeError } from '../clients/cli/session.ts'
import { processTerminal } from '../clients/cli/terminal.ts'
import { addDataCommand } from './data.ts'
import { addTokenCommand } from './token.ts'
import { VERSION } from './version.ts'

interface ServeOptions {
  readonly port?: string
  readonly host?: string
  readonly workers?: string
  readonly trainers?: string
  readonly memory?: boolean
}

const SERVE_FAILED = 1

function addServeCommand(program: Command, session: Session): void {
  const command = program
    .command('serve')
    .description('run a server; everything else is set by environment variables')
    .option('-p, --port <port>', 'port to listen on, 0 for any (default: PORT, or else 4000)')
    .option('--host <address>', 'address to listen on (default: HOST, or else 127.0.0.1)')
    .option(
      '--workers <n>',
      'processes on the one port; Redis required (default: EPOCHCAST_WORKERS, or else 1)',
    )
    .option(
      '--memory',
      'keep nothing on disk: all tasks end with the server (EPOCHCAST_DATA=none, and no REDIS_URL)',
    )
    .option('--trainers <file>', "the trainers' configuration (default: EPOCHCAST_TRAINERS)")
    .action(async ({ port, host, workers, trainers, memory }: ServeOptions) => {
      // Loaded only here, so that the commands that talk to a server start fast.
      const [{ serve }, { ConfigError }] = await Promise.all([import('./serve.ts'), import('./config.ts')])
      try {
        await serve({
          ...(port === undefined ? {} : { PORT: port }),
          ...(host === undefined ? {} : { HOST: host }),
          ...(workers === undefined ? {} : { EPOCHCAST_WORKERS: workers }),
          ...(memory ? { EPOCHCAST_DATA: 'none', REDIS_URL: '' } : {}),
          ...(trainers === undefined ? {} : { EPOCHCAST_TRAINERS: trainers }),
        })
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code
        if (error instanceof ConfigError) {
          for (const problem of error.problems) writeError(session.terminal, 'CONFIG', problem)
        } else if (LISTEN_PROBLEMS[code ?? '']) writeError(session.terminal, code ?? '', listenProblem(error))
        else throw error
        session.exitCode = SERVE_FAILED
      }
    })
  addExamples(
    command,
    'epochcast serve --port 4000 --trainers trainers/trainers.json',
    'EPOCHCAST_STALL_SECONDS=30 epochcast serve',
  )
}

interface WorkerOptions {
  readonly queue: string
  readonly concurrency: number
  readonly trainers?: string
}

function addWorkerCommand(program: Command, session: Session): void {
  const command = program
    .command('worker')
    .description('take trainings of a BullMQ queue and run them on this machine')
    .option('--queue <name>', 'the queue to serve', 'training')
    .option('--concurrency <n>', 'trainings at a time', concurrencyOf, 1)
    .option('--trainers <file>', "the trainers' configuration (default: EPOCHCAST_TRAINERS)")
    .action(async ({ queue, concurrency, trainers }: WorkerOptions) => {
      const [{ work }, { ConfigError }] = await Promise.all([import('./serve.ts'), import('./config.ts')])
      try {
        await work(trainers === undefined ? {} : { EPOCHCAST_TRAINERS: trainers }, { queue, concurrency })
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        for (const problem of error.problems) writeError(session.terminal, 'CONFIG', problem)
        session.exitCode = SERVE_FAILED
      }
    })
  addExamples(
    command,
    'REDIS_URL=redis://queue:6379 epochcast worker --concurrency 2 --trainers trainers.json',
  )
}

const MAX_CONCURRENCY = 256

function concurrencyOf(text: string): number {
  if (/^\d+$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_CONCURRENCY) return Number(text)
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${MAX_CONCURRENCY}.`)
}

const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another process; choose another with --port',
  EACCES: 'may not be used by this user; choose another with --port',
  EADDRNOTAVAIL: 'is not an address of this machine; choose another with --host',
}

function listenProblem(error: unknown): string {
  const {
    code = '',
    address = '',
    port = '',
  } = error as NodeJS.ErrnoException & { address?: string; port?: number }
  return `${address}:${port} ${LISTEN_PROBLEMS[code]}`
}

const terminal = processTerminal()
const program = createProgram(terminal, VERSION)
addServeCommand(program.command, program.session)
addWorkerCommand(program.command, program.session)
addDataCommand(program.command, program.session)
addTokenCommand(program.command, program.session)
process.exitCode = await run(program, process.argv.slice(2))
