import type { Command } from 'commander'
import { CancelTrainingDocument } from '../typescript/index.ts'
import { EXIT } from './exit-codes.ts'
import { addExamples } from './options.ts'
import { jsonLine, printable } from './render/text.ts'
import { type Session, withConnection } from './session.ts'
import { writeLine } from './terminal.ts'

interface CancelOptions {
  readonly prefix?: string
  readonly reason?: string
  readonly json?: boolean
}

const ATTEMPTS = 4

export function addCancelCommand(program: Command, session: Session): void {
  const command = program
    .command('cancel')
    .description('ask a training to stop')
    .argument('<taskId>')
    .option('--reason <text>', 'why, for those who watch')
    .option('--prefix <channelPrefix>', "the task's channel prefix (default: looked for under each)")
    .option('--json', 'print the task as JSON')
    .action((taskId: string, { reason, prefix: channelPrefix, json }: CancelOptions) =>
      withConnection(session, command, async ({ client, terminal: { stdout }, signal }) => {
        const input = { taskId, reason, channelPrefix }
        // Cancelling twice has no further effect.
        const options = { signal, attempts: ATTEMPTS }
        const { task } = (await client.execute(CancelTrainingDocument, { input }, options)).cancelTraining
        const what = task.stopRequested && !task.finishedAt ? 'is asked to stop' : `is ${task.status}`
        writeLine(stdout, json ? jsonLine(task) : `task ${printable(task.id)} ${what}`)
        return EXIT.success
      }),
    )
  addExamples(command, 'epochcast cancel 550e8400-e29b-41d4-a716-446655440000 --reason "loss diverges"')
}
