import type { TaskSummaryFragment } from '../../typescript/index.ts'
import { nameOf } from '../ui/format.ts'

export const COLUMNS = {
  status: 'Status',
  name: 'Run',
  progress: 'Progress',
  eta: 'Time left',
  loss: 'Loss',
  age: 'Age',
} as const

export type Column = keyof typeof COLUMNS

export interface Order {
  readonly by: Column
  readonly isDescending: boolean
}

/** Newest first: the order in which they come. */
export const NEWEST: Order = { by: 'age', isDescending: true }

const STATUS_ORDER = ['STALLED', 'RUNNING', 'QUEUED', 'FAILURE', 'CANCELLED', 'SUCCESS']

type Key = (task: TaskSummaryFragment) => number | string | null | undefined

const KEYS: Readonly<Record<Column, Key>> = {
  status: ({ status }) => STATUS_ORDER.indexOf(status),
  name: (task) => nameOf(task).toLowerCase(),
  progress: ({ progress }) => progress,
  eta: ({ etaSeconds, status }) => (status === 'RUNNING' ? etaSeconds : null),
  // What diverged is the largest of all.
  loss: ({ loss }) => (typeof loss === 'string' ? Number.MAX_VALUE : loss),
  age: ({ createdAt }) => createdAt,
}

/** Those without a value come last, whichever way it goes. */
export function sortTasks(
  tasks: readonly TaskSummaryFragment[],
  { by, isDescending }: Order,
): readonly TaskSummaryFragment[] {
  if (by === NEWEST.by && isDescending) return tasks
  const key = KEYS[by]
  const sign = isDescending ? -1 : 1
  return tasks
    .map((task) => [key(task), task] as const)
    .sort(([a], [b]) => {
      if (a == null || b == null) return Number(a == null) - Number(b == null)
      return a < b ? -sign : a > b ? sign : 0
    })
    .map(([, task]) => task)
}
