import type { Client } from 'urql'
import { TaskSeriesDocument, type TaskSeriesQuery, type TaskSummaryFragment } from '../../typescript/index.ts'
import { messageOf } from '../ui/parts.tsx'
import { saveFile } from '../ui/save-file.ts'

/** The API's bound for one series. */
const MAX_POINTS = 5000

type Task = NonNullable<TaskSeriesQuery['task']>

/**
 * Saves a run with its curves as a file.
 *
 * @throws Error with what the server said
 */
export async function download(
  client: Client,
  { id, channelPrefix }: TaskSummaryFragment,
  kind: 'csv' | 'json',
): Promise<void> {
  const variables = { id, channelPrefix, maxPoints: MAX_POINTS }
  const { data, error } = await client.query(TaskSeriesDocument, variables).toPromise()
  if (error) throw new Error(messageOf(error))
  if (!data?.task) throw new Error('There is no such run')
  if (kind === 'csv') saveFile(`${id}.csv`, [csvOf(data.task)], 'text/csv')
  else saveFile(`${id}.json`, [JSON.stringify(data.task, null, 2), '\n'], 'application/json')
}

const COLUMNS = [
  'metric',
  'phase',
  'member',
  'axis',
  'step',
  'epoch',
  'attempt',
  'timestamp',
  'value',
] as const

/** One point a line; what is not finite by its name. */
export function csvOf({ series }: Pick<Task, 'series'>): string {
  const lines = series.flatMap(({ name, phase, member, axis, points }) =>
    points.map(({ step, epoch, attempt, timestamp, value }) =>
      [name, phase, member, axis, step, epoch, attempt, timestamp, value].map(cell).join(','),
    ),
  )
  return `${[COLUMNS.join(','), ...lines].join('\n')}\n`
}

/** RFC 4180; a text that a spreadsheet would take for a formula is kept from being one. */
function cell(value: string | number | null | undefined): string {
  if (value == null) return ''
  if (typeof value === 'number') return String(value)
  const text = /^[=+@\t\r]|^-(?!Infinity$)/.test(value) ? `'${value}` : value
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
