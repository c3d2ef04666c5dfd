import type { Command } from 'commander'
import { taskNotFound } from '../typescript/error.ts'
import { type OutputLineFieldsFragment, TaskOutputPageDocument } from '../typescript/index.ts'
import { EXIT } from './exit-codes.ts'
import { addExamples, wholeNumber } from './options.ts'
import { outputLine } from './render/output-line.ts'
import { hasColors } from './render/styles.ts'
import { jsonLine } from './render/text.ts'
import { type Connection, type Session, withConnection } from './session.ts'
import { type Terminal, writeLine } from './terminal.ts'

interface LogsOptions {
  readonly prefix?: string
  readonly after?: string
  readonly last?: number
  readonly follow?: boolean
  readonly json?: boolean
}

/** Lines in one page. */
const PAGE_LINES = 1000
/** All that a server replays. */
const ALL = 100_000

export function addLogsCommand(program: Command, session: Session): void {
  const command = program
    .command('logs')
    .description('show what a training prints')
    .argument('<taskId>')
    .option('--prefix <channelPrefix>', "the task's channel prefix (default: looked for under each)")
    .option('-f, --follow', 'go on until the training has ended')
    .option('--last <n>', 'only this many of the newest lines first (default: all that is kept)', wholeNumber)
    .option('--after <cursor>', 'go on after this line')
    .option('--json', 'one line as JSON each, with its cursor')
    .action((taskId: string, options: LogsOptions) =>
      withConnection(session, command, async (connection) => {
        const print = linePrinter(connection.terminal, options.json ?? false)
        if (options.follow) await followLines(connection, taskId, options, print)
        else await readLines(connection, taskId, options, print)
        return EXIT.success
      }),
    )
  addExamples(
    command,
    'epochcast logs 550e8400-e29b-41d4-a716-446655440000 --last 20',
    'epochcast logs 550e8400-e29b-41d4-a716-446655440000 -f',
    'epochcast logs 550e8400-e29b-41d4-a716-446655440000 2>/dev/null | grep loss',
  )
}

type Print = (line: OutputLineFieldsFragment) => void

/** To where the trainer printed it; notes of what is missing to stderr. */
export function linePrinter({ stdout, stderr, env }: Terminal, json: boolean): Print {
  return (line) => {
    if (json) return writeLine(stdout, jsonLine(line))
    const output = line.stream === 'STDOUT' ? stdout : stderr
    writeLine(output, outputLine(line, hasColors(output, env)))
  }
}

async function followLines(
  { client, signal }: Connection,
  taskId: string,
  { prefix: channelPrefix, after, last }: LogsOptions,
  print: Print,
): Promise<void> {
  const request = { taskId, channelPrefix, after, last: last ?? ALL }
  for await (const line of client.followOutput(request, { signal })) print(line)
}

async function readLines(
  { client, signal }: Connection,
  id: string,
  { prefix: channelPrefix, after: start, last }: LogsOptions,
  print: Print,
): Promise<void> {
  let request: { after?: string | undefined; last?: number | undefined } = start ? { after: start } : { last }
  for (;;) {
    const variables = { id, channelPrefix, first: PAGE_LINES, ...request }
    const { task } = await client.execute(TaskOutputPageDocument, variables, { signal })
    if (!task) throw taskNotFound(id)
    const { edges, pageInfo } = task.output
    for (const edge of edges) if (edge) print(edge.node)
    if (!pageInfo.hasNextPage || pageInfo.endCursor == null) return
    request = { after: pageInfo.endCursor }
  }
}
