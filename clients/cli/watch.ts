import type { Command } from 'commander'
import { taskNotFound } from '../typescript/error.ts'
import { TaskDocument } from '../typescript/index.ts'
import { followTask } from './follow-task.ts'
import { addExamples, wholeNumber } from './options.ts'
import { type Session, withConnection } from './session.ts'

interface WatchOptions {
  readonly prefix?: string
  readonly after?: string
  readonly last?: number
  readonly output?: boolean
  readonly json?: boolean
}

export function addWatchCommand(program: Command, session: Session): void {
  const command = program
    .command('watch')
    .description('watch a training to its end')
    .argument('<taskId>')
    .option('--prefix <channelPrefix>', "the task's channel prefix (default: looked for under each)")
    .option('--after <cursor>', 'go on after this event')
    .option('--last <n>', 'replay this many of the newest events first', wholeNumber)
    .option('--output', 'with what it prints')
    .option('--json', 'one event a line, as JSON')
    .action((taskId: string, options: WatchOptions) =>
      withConnection(session, command, async (connection) => {
        const { client, signal } = connection
        const { prefix: channelPrefix, after, last, output = false, json = false } = options
        const { task } = await client.execute(TaskDocument, { id: taskId, channelPrefix }, { signal })
        if (!task) throw taskNotFound(taskId)
        return followTask(connection, task, { after, last, output, json })
      }),
    )
  addExamples(
    command,
    'epochcast watch 550e8400-e29b-41d4-a716-446655440000',
    'epochcast watch 550e8400-e29b-41d4-a716-446655440000 --last 100 | grep epoch-end',
    'epochcast watch 550e8400-e29b-41d4-a716-446655440000 --output',
    'epochcast watch 550e8400-e29b-41d4-a716-446655440000 --json | jq .loss',
  )
}
