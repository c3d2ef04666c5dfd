import { Command, CommanderError } from 'commander'
import { addCancelCommand } from './cancel.ts'
import { addDeleteCommand } from './delete.ts'
import { EXIT } from './exit-codes.ts'
import { addLogsCommand } from './logs.ts'
import { addRenameCommand } from './rename.ts'
import { addReportCommand } from './report.ts'
import { addRunCommand } from './run.ts'
import { DEFAULT_URL, reportError, type Session, writeError } from './session.ts'
import { addShareCommand } from './share.ts'
import { addSyncCommand } from './sync.ts'
import { addTasksCommand } from './tasks.ts'
import type { Terminal } from './terminal.ts'
import { addTrainCommand } from './train.ts'
import { addTrainersCommand } from './trainers.ts'
import { addWatchCommand } from './watch.ts'

export interface Program {
  readonly command: Command
  readonly session: Session
}

/** The program with all commands that talk to a server. */
export function createProgram(terminal: Terminal, version: string): Program {
  const session: Session = { terminal, exitCode: EXIT.success }
  const command = new Command('epochcast')
    .description('Live training telemetry: start a training, report it, watch it live.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help of a command')
    .option('--url <url>', `GraphQL endpoint (default: EPOCHCAST_URL, or else ${DEFAULT_URL})`)
    .option('--token <token>', 'bearer token (default: EPOCHCAST_TOKEN)')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      outputError: (text) => writeError(terminal, 'USAGE', text.replace(/^error: /, '')),
      getOutHelpWidth: () => terminal.stdout.columns ?? 100,
      getErrHelpWidth: () => terminal.stderr.columns ?? 100,
    })
    .addHelpText(
      'after',
      `
Exit codes of watch and train --watch:
  0 SUCCESS   1 FAILURE   2 CANCELLED   3 usage, connection or other errors   130 Ctrl-C

Start here:
  $ epochcast serve --trainers trainers/trainers.json
  $ epochcast train tvae --machine motor_siemens_001 --epochs 50 --watch`,
    )
  addTrainCommand(command, session)
  addWatchCommand(command, session)
  addLogsCommand(command, session)
  addCancelCommand(command, session)
  addReportCommand(command, session)
  addRunCommand(command, session)
  addSyncCommand(command, session)
  addTasksCommand(command, session)
  addRenameCommand(command, session)
  addDeleteCommand(command, session)
  addShareCommand(command, session)
  addTrainersCommand(command, session)
  return { command, session }
}

/**
 * Runs one command line; nothing is thrown.
 *
 * @param args without the program's own name
 * @returns the exit code
 */
export async function run({ command, session }: Program, args: readonly string[]): Promise<number> {
  try {
    await command.parseAsync([...args], { from: 'user' })
    return session.exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(session.terminal, error)
    return error.exitCode === 0 ? EXIT.success : EXIT.error
  }
}
