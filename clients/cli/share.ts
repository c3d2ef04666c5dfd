import type { Command } from 'commander'
import { CreateViewLinkDocument } from '../typescript/index.ts'
import { EXIT } from './exit-codes.ts'
import { addExamples, positiveNumber } from './options.ts'
import { jsonLine, printable } from './render/text.ts'
import { type Session, withConnection } from './session.ts'
import { writeLine } from './terminal.ts'

interface ShareOptions {
  readonly prefix?: string
  readonly seconds?: number
  readonly json?: boolean
}

export function addShareCommand(program: Command, session: Session): void {
  const command = program
    .command('share')
    .description('make a link by which whoever has it can watch one task, for a time')
    .argument('<taskId>')
    .option('--prefix <channelPrefix>', "the task's channel prefix (default: looked for under each)")
    .option('--seconds <n>', 'how long it is good for (default: a day)', positiveNumber)
    .option('--json', 'print the link and its token as JSON')
    .action((taskId: string, { prefix: channelPrefix, seconds, json }: ShareOptions) =>
      withConnection(session, command, async ({ client, terminal: { stdout }, signal }) => {
        const input = { taskId, channelPrefix, expiresInSeconds: seconds }
        const { createViewLink } = await client.execute(CreateViewLinkDocument, { input }, { signal })
        writeLine(stdout, json ? jsonLine(createViewLink) : printable(createViewLink.url))
        return EXIT.success
      }),
    )
  addExamples(command, 'epochcast share 550e8400-e29b-41d4-a716-446655440000 --seconds 3600')
}
