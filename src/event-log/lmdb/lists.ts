import { EpochcastError } from '../../task/errors.ts'
import type { ListingPage, ListPage, ListScope } from '../task-index.ts'
import type { StoredTask, Tasks } from './tasks.ts'

/** Pages of the list of tasks, newest first; one whose state is damaged is told and passed over. */
export class Lists {
  readonly #tasks: Tasks
  readonly #onError: (error: unknown) => void

  constructor(tasks: Tasks, onError: (error: unknown) => void) {
    this.#tasks = tasks
    this.#onError = onError
  }

  list(scope: ListScope, before: number | null, limit: number): ListPage {
    const { page, hasMore } = this.#page(scope, before, limit, (task) => this.#tasks.snapshot(task))
    return { snapshots: page, hasMore }
  }

  listings(before: number | null, limit: number): ListingPage {
    const { page, hasMore } = this.#page('all', before, limit, (task) => this.#tasks.listing(task))
    return { listings: page, hasMore }
  }

  #page<T>(scope: ListScope, before: number | null, limit: number, read: (task: StoredTask) => T) {
    const page: T[] = []
    for (const task of this.#tasks.newestFirst(scope, before)) {
      const found = this.#readable(task, read)
      if (found === null) continue
      if (page.length === limit) return { page, hasMore: true }
      page.push(found)
    }
    return { page, hasMore: false }
  }

  /** What a list can show of a task whose state is damaged is nothing. */
  #readable<T>(task: StoredTask, read: (task: StoredTask) => T): T | null {
    try {
      return read(task)
    } catch (error) {
      if (!(error instanceof EpochcastError)) throw error
      this.#onError(error)
      return null
    }
  }
}
