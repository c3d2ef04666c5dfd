import { type Command, InvalidArgumentError } from 'commander'
import {
  type EpochcastClient,
  type TaskFilter,
  type TaskOrder,
  type TaskStatus,
  type TaskSummaryFragment,
  TasksDocument,
} from '../typescript/index.ts'
import { EXIT } from './exit-codes.ts'
import { ORDER_NAMES, since, taskOrder } from './finding.ts'
import { addExamples, collectJson, defined, positiveNumber } from './options.ts'
import { formatEpoch, formatMetric, formatSeconds } from './render/format.ts'
import { type Column, table } from './render/table.ts'
import { jsonLine, truncate } from './render/text.ts'
import { type Session, withConnection } from './session.ts'
import { writeLine } from './terminal.ts'

interface TasksOptions {
  readonly status?: readonly TaskStatus[]
  readonly trainer?: string
  readonly machine?: string
  readonly prefix?: string
  readonly text?: string
  readonly label?: Readonly<Record<string, unknown>>
  readonly since?: string
  readonly order?: TaskOrder
  readonly first: number
  readonly json?: boolean
}

const STATUSES: readonly string[] = ['QUEUED', 'RUNNING', 'STALLED', 'SUCCESS', 'FAILURE', 'CANCELLED']
const DEFAULT_FIRST = 50
const MAX_PAGE = 200

export function addTasksCommand(program: Command, session: Session): void {
  const command = program
    .command('tasks')
    .description('list tasks, newest first or in another order')
    .option('--status <status>', `one of ${STATUSES.join(', ')}; may be repeated`, collectStatuses)
    .option('--trainer <name>', 'only of this trainer')
    .option('--machine <id>', 'only about this machine')
    .option('--prefix <channelPrefix>', 'only under this channel prefix')
    .option('--text <words>', 'only with all these words in name, id, trainer, machine or label values')
    .option('--label <name=value>', 'only with this label; may be repeated', collectJson)
    .option('--since <time>', 'only created after this time, or within it: 90m, 12h, 7d', since)
    .option('--order <order>', `one of ${ORDER_NAMES.join(', ')}`, taskOrder)
    .option('--first <n>', 'at most this many', positiveNumber, DEFAULT_FIRST)
    .option('--json', 'one task a line, as JSON')
    .action((options: TasksOptions) =>
      withConnection(session, command, async ({ client, terminal: { stdout }, signal }) => {
        const { status, trainer, machine, prefix, text, label, since, order, first, json } = options
        const filter = defined({
          statuses: status,
          trainer,
          machineId: machine,
          channelPrefix: prefix,
          text,
          labels: label,
          createdAfter: since,
        })
        const tasks = await findTasks(client, filter, order, first, signal)
        const lines = json ? tasks.map(jsonLine) : taskTable(tasks, Date.now())
        const width = stdout.isTTY ? (stdout.columns ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY
        for (const line of lines) writeLine(stdout, json ? line : truncate(line, width))
        return EXIT.success
      }),
    )
  addExamples(
    command,
    'epochcast tasks --status running --status stalled',
    'epochcast tasks --text "resnet fold" --label team=vision --since 7d --order updated',
    'epochcast tasks --machine motor_siemens_001 --json | jq -r .id',
  )
}

async function findTasks(
  client: EpochcastClient,
  filter: TaskFilter,
  orderBy: TaskOrder | undefined,
  count: number,
  signal: AbortSignal,
): Promise<TaskSummaryFragment[]> {
  const tasks: TaskSummaryFragment[] = []
  let after: string | null | undefined
  do {
    const first = Math.min(MAX_PAGE, count - tasks.length)
    const { edges, pageInfo } = (
      await client.execute(TasksDocument, { filter, orderBy, first, after }, { signal })
    ).tasks
    tasks.push(...edges.flatMap((edge) => (edge ? [edge.node] : [])))
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null
  } while (after && tasks.length < count)
  return tasks
}

/** @param now milliseconds since the epoch */
export function taskTable(tasks: readonly TaskSummaryFragment[], now: number): string[] {
  const prefixes = new Set(tasks.map(({ channelPrefix }) => channelPrefix))
  const nameColumn: Column<TaskSummaryFragment> = { title: 'NAME', value: ({ name }) => name ?? '' }
  const prefixColumn: Column<TaskSummaryFragment> = { title: 'PREFIX', value: (task) => task.channelPrefix }
  const columns: Column<TaskSummaryFragment>[] = [
    { title: 'TASK', value: ({ id }) => id },
    ...(tasks.some(({ name }) => typeof name === 'string') ? [nameColumn] : []),
    { title: 'STATUS', value: ({ status }) => status },
    { title: 'TRAINER', value: ({ trainer }) => trainer ?? '' },
    { title: 'MACHINE', value: ({ machineId }) => machineId ?? '' },
    {
      title: 'DONE',
      align: 'right',
      value: ({ progress }) => (typeof progress === 'number' ? `${Math.floor(progress)}%` : ''),
    },
    {
      title: 'EPOCH',
      align: 'right',
      value: formatEpoch,
    },
    {
      title: 'LOSS',
      align: 'right',
      value: ({ loss }) => (loss === null || loss === undefined ? '' : formatMetric(loss)),
    },
    {
      title: 'UPDATED',
      align: 'right',
      value: ({ updatedAt }) =>
        `${formatSeconds(Math.max(0, Math.floor((now - Date.parse(updatedAt)) / 1000)))} ago`,
    },
    ...(prefixes.size > 1 ? [prefixColumn] : []),
  ]
  return table(columns, tasks)
}

function collectStatuses(text: string, previous: readonly TaskStatus[] = []): readonly TaskStatus[] {
  const status = text.toUpperCase()
  if (!STATUSES.includes(status)) throw new InvalidArgumentError(`Expected one of ${STATUSES.join(', ')}.`)
  return [...previous, status as TaskStatus]
}
