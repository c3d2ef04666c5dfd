import {
  type TaskFilter,
  type TaskSummaryFragment,
  TasksDocument,
  TaskUpdatesDocument,
} from '../typescript/generated/graphql.ts'
import { schedule } from '../typescript/schedule.ts'
import { read } from './read.ts'
import type { Source } from './source.ts'
import { type Status, Store } from './store.ts'

export interface TasksRequest {
  readonly filter?: TaskFilter | null | undefined
  /** Most tasks; 50 by default. More than 200 are read in pages of as many, and shown as they come. */
  readonly first?: number | undefined
}

export interface TasksSnapshot extends Status {
  /** Newest first. */
  readonly tasks: readonly TaskSummaryFragment[]
  /** Until the list has come whole for the first time. */
  readonly isLoading: boolean
}

export const NO_TASKS: TasksSnapshot = {
  tasks: [],
  isLoading: true,
  state: { kind: 'connecting' },
  error: null,
}

const DEFAULT_FIRST = 50
/** The API's bound. */
const MAX_PAGE = 200
/** A task may end after the list was read, and before the subscription stands. */
const CONNECTS_WITHIN_SECONDS = 60
/** Nothing tells of tasks that are deleted. */
const REREAD_MS = 60_000
/** Between two readings of a list that changes fast. */
const STALE_MS = 1000

/** The newest tasks that match, and what becomes of them. */
export class TasksStore extends Store<TasksSnapshot> {
  readonly #filter: TaskFilter | null
  readonly #first: number
  readonly #tasks = new Map<string, TaskSummaryFragment>()
  /** Told of by the subscription since the list was asked for. */
  readonly #heard = new Set<string>()
  #isRead = false
  #isSorted = true

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
    // What the list told may have changed before the subscription stood.
    let isAway = true
    const list = this.#openList()
    // Before the list is read, so that no change falls between the two.
    const leave = this.source.subscribe(
      TaskUpdatesDocument,
      { filter: this.#filter, minIntervalMs: null, finishedWithinSeconds: CONNECTS_WITHIN_SECONDS },
      {
        next: ({ taskUpdates: task }) => {
          this.#heard.add(task.channel)
          const { size } = this.#tasks
          this.#take(task)
          if (this.#tasks.size < size && size >= this.#first) list.read()
        },
        state: (state) => {
          this.enter(state)
          if (state.kind === 'live' && isAway) list.read()
          if (state.kind !== 'connecting') isAway = state.kind === 'reconnecting'
        },
      },
    )
    list.read()
    return () => {
      list.leave()
      leave()
    }
  }

  /**
   * The list, read again where updates do not tell all: the one that follows where another has left, and which have been
   * deleted, or have left a filter that is the server's to judge.
   */
  #openList(): { read(): void; leave(): void } {
    let leave = () => {}
    let isReading = false
    let isStale = false
    const next = () => {
      isReading = false
      if (!this.isEnded) leave = schedule(isStale ? STALE_MS : REREAD_MS, readNow)
    }
    const readNow = () => {
      leave()
      isReading = true
      isStale = false
      this.#heard.clear()
      readPage([], null)
    }
    const readPage = (before: readonly TaskSummaryFragment[], after: string | null) => {
      const first = Math.min(this.#first - before.length, MAX_PAGE)
      const variables = { filter: this.#filter, orderBy: null, first, after }
      leave = read(this.source, TasksDocument, variables, {
        next: ({ tasks: { edges, pageInfo } }) => {
          const tasks = [...before, ...edges.flatMap((edge) => edge?.node ?? [])]
          if (pageInfo.hasNextPage && tasks.length < this.#first) {
            this.#add(tasks.slice(before.length))
            return readPage(tasks, pageInfo.endCursor ?? null)
          }
          this.#isRead = true
          this.#replace(tasks)
          next()
        },
        error: (cause) => {
          // Later, the list is right as far as it goes.
          if (!this.#isRead) this.enter({ kind: 'ended', cause })
          next()
        },
      })
    }
    return {
      read: () => {
        if (isReading) isStale = true
        else readNow()
      },
      leave: () => leave(),
    }
  }

  protected look(status: Status): TasksSnapshot {
    this.#sort()
    return { tasks: [...this.#tasks.values()], isLoading: !this.#isRead && !this.isEnded, ...status }
  }

  #replace(list: readonly TaskSummaryFragment[]): void {
    const listed = new Set(list.map(({ channel }) => channel))
    for (const channel of this.#tasks.keys()) {
      if (!listed.has(channel) && !this.#heard.has(channel)) this.#tasks.delete(channel)
    }
    this.#add(list)
    this.changed()
  }

  #add(list: readonly TaskSummaryFragment[]): void {
    for (const task of list) {
      // One that has left meanwhile does not come back.
      if (this.#tasks.has(task.channel) || !this.#heard.has(task.channel)) this.#take(task)
    }
  }

  #take(task: TaskSummaryFragment): void {
    const known = this.#tasks.get(task.channel)
    // The list may have been read before an update that has come already.
    if (known && known.updatedAt > task.updatedAt) return
    if (!known && !this.#matches(task)) return
    this.#tasks.set(task.channel, task)
    if (!this.#matches(task)) this.#tasks.delete(task.channel)
    if (!known) this.#isSorted = false
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

  /** And lets go of the oldest. Once a frame: thousands may come in one. */
  #sort(): void {
    if (this.#isSorted) return
    this.#isSorted = true
    const newestFirst = [...this.#tasks].sort(([, a], [, b]) => (a.createdAt < b.createdAt ? 1 : -1))
    this.#tasks.clear()
    for (const [channel, task] of newestFirst.slice(0, this.#first)) this.#tasks.set(channel, task)
  }
}
