import type { Command } from 'commander'
import { UpdateTaskDocument } from '../typescript/index.ts'
import { EXIT } from './exit-codes.ts'
import { addExamples } from './options.ts'
import { jsonLine, printable } from './render/text.ts'
import { type Session, UsageError, withConnection } from './session.ts'
import { writeLine } from './terminal.ts'

interface RenameOptions {
  readonly clear?: boolean
  readonly prefix?: string
  readonly json?: boolean
}

const ATTEMPTS = 4

export function addRenameCommand(program: Command, session: Session): void {
  const command = program
    .command('rename')
    .description('give a task another name')
    .argument('<taskId>')
    .argument('[name]')
    .option('--clear', 'take its name away')
    .option('--prefix <channelPrefix>', "the task's channel prefix (default: looked for under each)")
    .option('--json', 'print the task as JSON')
    .action((taskId: string, name: string | undefined, options: RenameOptions) =>
      withConnection(session, command, async ({ client, terminal: { stdout }, signal }) => {
        const { clear, prefix: channelPrefix, json } = options
        if ((name === undefined) !== (clear === true))
          throw new UsageError('expected a name, or else --clear')
        const input = { taskId, channelPrefix, name: name ?? null }
        // The same name twice has no further effect.
        const call = { signal, attempts: ATTEMPTS }
        const { task } = (await client.execute(UpdateTaskDocument, { input }, call)).updateTask
        const called = typeof task.name === 'string' ? `is called ${printable(task.name)}` : 'has no name'
        writeLine(stdout, json ? jsonLine(task) : `task ${printable(task.id)} ${called}`)
        return EXIT.success
      }),
    )
  addExamples(command, 'epochcast rename 550e8400-e29b-41d4-a716-446655440000 "baseline, warm start"')
}
