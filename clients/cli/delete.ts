import type { Command } from 'commander'
import { DeleteTaskDocument } from '../typescript/index.ts'
import { EXIT } from './exit-codes.ts'
import { addExamples } from './options.ts'
import { jsonLine, printable } from './render/text.ts'
import { type Session, withConnection } from './session.ts'
import { writeLine } from './terminal.ts'

interface DeleteOptions {
  readonly prefix?: string
  readonly json?: boolean
}

export function addDeleteCommand(program: Command, session: Session): void {
  const command = program
    .command('delete')
    .description('delete a finished task, with its log and curves')
    .argument('<taskId>')
    .option('--prefix <channelPrefix>', "the task's channel prefix (default: looked for under each)")
    .option('--json', 'print what was deleted as JSON')
    .action((taskId: string, { prefix: channelPrefix, json }: DeleteOptions) =>
      withConnection(session, command, async ({ client, terminal: { stdout }, signal }) => {
        const input = { taskId, channelPrefix }
        const { deleteTask } = await client.execute(DeleteTaskDocument, { input }, { signal })
        writeLine(stdout, json ? jsonLine(deleteTask) : `task ${printable(deleteTask.taskId)} is deleted`)
        return EXIT.success
      }),
    )
  addExamples(command, 'epochcast delete 550e8400-e29b-41d4-a716-446655440000')
}
