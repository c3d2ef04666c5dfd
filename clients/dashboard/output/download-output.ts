import type { Client } from 'urql'
import {
  type OutputLineEvent,
  TaskOutputPageDocument,
  type TaskOutputPageQuery,
  type TaskOutputPageQueryVariables,
  type TaskSummaryFragment,
} from '../../typescript/index.ts'
import { messageOf } from '../ui/parts.tsx'
import { saveFile } from '../ui/save-file.ts'
import { plainText } from './ansi.ts'

/** The API's bound for one page. */
const PAGE_LINES = 1000
/** Lines of one file; a server keeps fewer by default. */
const MAX_LINES = 1_000_000

/**
 * Saves all that is kept of a run's output as a text, without escape codes.
 *
 * @throws Error with what the server said
 */
export async function downloadOutput(
  client: Client,
  { id, channelPrefix }: TaskSummaryFragment,
): Promise<void> {
  const texts: string[] = []
  let after: string | null = null
  do {
    const page: OutputPage = await readPage(client, { id, channelPrefix, first: PAGE_LINES, after })
    for (const edge of page.edges) if (edge) texts.push(lineOf(edge.node))
    after = page.pageInfo.hasNextPage ? (page.pageInfo.endCursor ?? null) : null
  } while (after !== null && texts.length < MAX_LINES)
  saveFile(`${id}.txt`, texts, 'text/plain')
}

type OutputPage = NonNullable<TaskOutputPageQuery['task']>['output']

async function readPage(client: Client, variables: TaskOutputPageQueryVariables): Promise<OutputPage> {
  const { data, error } = await client.query(TaskOutputPageDocument, variables).toPromise()
  if (error) throw new Error(messageOf(error))
  if (!data?.task) throw new Error('There is no such run')
  return data.task.output
}

const lineOf = ({ text, member, skip }: OutputLineEvent): string =>
  `${member == null || skip ? '' : `${member}: `}${plainText(text)}\n`
