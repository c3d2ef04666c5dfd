import type { Changes } from './changes.ts'
import type { LmdbOutputLog } from './output.ts'
import type { RoomSource } from './room.ts'
import type { StoredTask, Tasks } from './tasks.ts'

/** Tasks that are dropped together when their time is over. */
const DROPPED_TOGETHER = 64

/** Drops what need not be kept any longer, and what has to go. */
export class Retention implements RoomSource {
  readonly #tasks: Tasks
  readonly #changes: Changes
  readonly #output: LmdbOutputLog
  readonly #onDropped: (task: StoredTask) => void

  constructor(tasks: Tasks, changes: Changes, output: LmdbOutputLog, onDropped: (task: StoredTask) => void) {
    this.#tasks = tasks
    this.#changes = changes
    this.#output = output
    this.#onDropped = onDropped
  }

  /** @param expiry drops what finished then or before; milliseconds since the epoch */
  async dropExpired(expiry: number): Promise<void> {
    const expired: StoredTask[] = []
    for (const task of this.#tasks.finished()) {
      if ((task.head.finishedAt ?? Number.POSITIVE_INFINITY) > expiry) break
      expired.push(task)
    }
    for (let i = 0; i < expired.length; i += DROPPED_TOGETHER) {
      const together = expired.slice(i, i + DROPPED_TOGETHER)
      await Promise.all(together.map((task) => this.#changes.dropFinished(task, expiry, this.#onDropped)))
    }
  }

  drop(task: StoredTask): Promise<void> {
    return this.#changes.dropFinished(task, Number.POSITIVE_INFINITY, this.#onDropped)
  }

  spare(task: StoredTask, bytes: number): number {
    const ofOutput = this.#output.spare(task)
    return ofOutput >= bytes ? bytes : ofOutput + this.#changes.spare(task, bytes - ofOutput)
  }

  /** First its output, then its events. */
  async trim(task: StoredTask, bytes: number): Promise<number> {
    const freed = this.#output.spare(task) > 0 ? await this.#output.trim(task, bytes) : 0
    return freed >= bytes ? freed : freed + (await this.#changes.trim(task, bytes - freed))
  }
}
