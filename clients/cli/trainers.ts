import type { Command } from 'commander'
import { ServerDocument } from '../typescript/index.ts'
import { EXIT } from './exit-codes.ts'
import { addExamples } from './options.ts'
import { table } from './render/table.ts'
import { jsonLine } from './render/text.ts'
import { type Session, withConnection } from './session.ts'
import { writeLine } from './terminal.ts'

export function addTrainersCommand(program: Command, session: Session): void {
  const command = program
    .command('trainers')
    .description('list what the server can train')
    .option('--json', 'one trainer a line, as JSON')
    .action(({ json }: { readonly json?: boolean }) =>
      withConnection(session, command, async ({ client, terminal: { stdout }, signal }) => {
        const { trainers } = (await client.execute(ServerDocument, {}, { signal })).server
        const columns = [
          { title: 'TRAINER', value: ({ name }: { name: string }) => name },
          { title: 'LAUNCHER', value: ({ launcher }: { launcher: string }) => launcher },
          {
            title: 'DESCRIPTION',
            value: ({ description }: { description?: string | null }) => description ?? '',
          },
        ]
        const lines = json ? trainers.map(jsonLine) : table<(typeof trainers)[number]>(columns, trainers)
        for (const line of lines) writeLine(stdout, line)
        return EXIT.success
      }),
    )
  addExamples(command, 'epochcast trainers')
}
