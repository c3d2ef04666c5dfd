import type { Command } from 'commander'
import { addExamples } from '../clients/cli/options.ts'
import type { Session } from '../clients/cli/session.ts'
import { writeError } from '../clients/cli/session.ts'
import { writeLine } from '../clients/cli/terminal.ts'

const FAILED = 1

interface DataOptions {
  readonly data?: string
}

/** `epochcast data`: looks at, and copies, what a server of this machine keeps on disk, also while it runs. */
export function addDataCommand(program: Command, session: Session): void {
  const option = [
    '--data <directory>',
    'the data directory (default: EPOCHCAST_DATA, or else .epochcast)',
  ] as const
  const data = program
    .command('data')
    .description('tell what a data directory has, also while a server runs on it')
    .option(...option)
    .action(({ data: given }: DataOptions) =>
      withDirectory(session, given, async (path) => {
        const { inspect } = await import('./event-log/lmdb/inspect.ts')
        const { fileBytes, tasks, unfinished, damaged, oldest } = await inspect(path)
        const lines = [
          ['directory', path],
          ['size', `${(fileBytes / 2 ** 20).toFixed(1)} MiB`],
          ['tasks', `${tasks}, ${unfinished} of them unfinished`],
          ['oldest', oldest === null ? '-' : new Date(oldest).toISOString()],
          ...(damaged > 0 ? [['damaged', `${damaged}`]] : []),
        ]
        for (const [name = '', value] of lines)
          writeLine(session.terminal.stdout, `${name.padEnd(9)}  ${value}`)
      }),
    )
  data
    .command('backup <directory>')
    .description('copy it as it is at one moment, to a new directory that a server can be started with')
    .action((target: string, _: unknown, command: Command) =>
      withDirectory(session, command.optsWithGlobals<DataOptions>().data, async (path) => {
        const { backUp } = await import('./event-log/lmdb/inspect.ts')
        await backUp(path, target)
        writeLine(session.terminal.stdout, `copied to ${target}`)
      }),
    )
  data
    .command('salvage <directory>')
    .description('copy what is unharmed of one that is damaged, while no server runs, to a new directory')
    .action((target: string, _: unknown, command: Command) =>
      withDirectory(session, command.optsWithGlobals<DataOptions>().data, async (path) => {
        const { salvage } = await import('./event-log/lmdb/inspect.ts')
        const { records, left, problems } = await salvage(path, target)
        for (const problem of problems) writeLine(session.terminal.stdout, `damaged: ${problem}`)
        const found = `${records} records to ${target}; ${left} were found that are not as they were written`
        writeLine(session.terminal.stdout, `copied ${found}`)
      }),
    )
  addExamples(
    data,
    'epochcast data',
    'epochcast data backup ../backup-1',
    'EPOCHCAST_DATA=../backup-1 epochcast serve',
  )
}

async function withDirectory(
  session: Session,
  given: string | undefined,
  use: (path: string) => Promise<void>,
) {
  const [{ dataDirectoryOf }, { DataDirectoryError }] = await Promise.all([
    import('./config.ts'),
    import('./event-log/lmdb/data-directory-error.ts'),
  ])
  try {
    await use(dataDirectoryOf(given))
  } catch (error) {
    if (!(error instanceof DataDirectoryError)) throw error
    writeError(session.terminal, 'DATA', error.message)
    session.exitCode = FAILED
  }
}
