import type { Changes } from './changes.ts'
import type { RoomSource } from './room.ts'
import { type StoredTask, sizeOf, type Tasks } from './tasks.ts'

/** Tasks that are dropped together when their time is over. */
const DROPPED_TOGETHER = 64

/** Drops what need not be kept any longer, and what has to go. */
export class Retention implements RoomSource {
  readonly #tasks: Tasks
  readonly #changes: Changes
  readonly #onDropped: (task: StoredTask) => void

  constructor(tasks: Tasks, changes: Changes, onDropped: (task: StoredTask) => void) {
    this.#tasks = tasks
    this.#changes = changes
    this.#onDropped = onDropped
  }

  get bytes(): number {
    return this.#tasks.bytes
  }

  /** @param expiry drops what finished then or before; milliseconds since the epoch */
  async dropExpired(expiry: number): Promise<void> {
    const expired: StoredTask[] = []
    for (const task of this.#tasks.finished) {
      if ((task.head.finishedAt ?? Number.POSITIVE_INFINITY) > expiry) break
      expired.push(task)
    }
    for (let i = 0; i < expired.length; i += DROPPED_TOGETHER) {
      const together = expired.slice(i, i + DROPPED_TOGETHER)
      await Promise.all(together.map((task) => this.#changes.dropFinished(task, expiry, this.#onDropped)))
    }
  }

  async dropOldestFinished(except: string): Promise<boolean> {
    for (const task of this.#tasks.finished) {
      if (task.name === except) continue
      await this.#changes.dropFinished(task, Number.POSITIVE_INFINITY, this.#onDropped)
      return true
    }
    return false
  }

  async trimLargest(bytes: number): Promise<boolean> {
    const largestFirst = [...this.#tasks.unfinished].sort((a, b) => sizeOf(b) - sizeOf(a))
    for (const task of largestFirst) if ((await this.#changes.trim(task, bytes)) > 0) return true
    return false
  }
}
