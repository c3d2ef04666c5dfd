import {
  type TaskFilter,
  type TaskSummaryFragment,
  TasksDocument,
  TaskUpdatesDocument,
} from '../typescript/generated/graphql.ts'
import { read } from './read.ts'
import type { Source } from './source.ts'
import { type Status, Store } from './store.ts'

export interface TasksRequest {
  readonly filter?: TaskFilter | null | undefined
  /** Most tasks; 50 by default, at most 200. */
  readonly first?: number | undefined
}

export interface TasksSnapshot extends Status {
  /** Newest first. */
  readonly tasks: readonly TaskSummaryFragment[]
}

export const NO_TASKS: TasksSnapshot = { tasks: [], state: { kind: 'connecting' }, error: null }

const DEFAULT_FIRST = 50

/** The newest tasks that match, and what becomes of them. */
export class TasksStore extends Store<TasksSnapshot> {
  readonly #filter: TaskFilter | null
  readonly #first: number
  readonly #tasks = new Map<string, TaskSummaryFragment>()
  #isRead = false

  constructor(source: Source, { filter = null, first = DEFAULT_FIRST }: TasksRequest) {
    super(source, NO_TASKS)
    this.#filter = filter
    this.#first = first
  }

  hasValue({ state }: TasksSnapshot): boolean {
    return this.#isRead || state.kind === 'ended'
  }

  protected open(): () => void {
    this.#tasks.clear()
    this.#isRead = false
    // Before the list is read, so that no change falls between the two.
    const leave = this.source.subscribe(
      TaskUpdatesDocument,
      { filter: this.#filter, minIntervalMs: null, finishedWithinSeconds: 0 },
      {
        next: ({ taskUpdates }) => this.#take(taskUpdates),
        state: (state) => this.enter(state),
      },
    )
    const variables = { filter: this.#filter, orderBy: null, first: this.#first, after: null }
    const leaveRead = read(this.source, TasksDocument, variables, {
      next: ({ tasks }) => {
        this.#isRead = true
        for (const edge of tasks.edges) if (edge) this.#take(edge.node)
        this.changed()
      },
      error: (cause) => this.enter({ kind: 'ended', cause }),
    })
    return () => {
      leaveRead()
      leave()
    }
  }

  protected look(status: Status): TasksSnapshot {
    return { tasks: [...this.#tasks.values()], ...status }
  }

  #take(task: TaskSummaryFragment): void {
    const known = this.#tasks.get(task.channel)
    // The list may have been read before an update that has come already.
    if (known && known.updatedAt > task.updatedAt) return
    if (!known && !this.#matches(task)) return
    this.#tasks.set(task.channel, task)
    if (!this.#matches(task)) this.#tasks.delete(task.channel)
    if (!known) this.#sort()
    this.changed()
  }

  /** One that leaves the filter is sent once more. What a summary does not have (labels, text) is the server's to judge. */
  #matches(task: TaskSummaryFragment): boolean {
    const { statuses, ids, trainer, machineId, channelPrefix } = this.#filter ?? {}
    return (
      (statuses == null || statuses.includes(task.status)) &&
      (ids == null || ids.includes(task.id)) &&
      (trainer == null || trainer === task.trainer) &&
      (machineId == null || machineId === task.machineId) &&
      (channelPrefix == null || channelPrefix === task.channelPrefix)
    )
  }

  #sort(): void {
    const newestFirst = [...this.#tasks].sort(([, a], [, b]) => (a.createdAt < b.createdAt ? 1 : -1))
    this.#tasks.clear()
    for (const [channel, task] of newestFirst.slice(0, this.#first)) this.#tasks.set(channel, task)
  }
}
