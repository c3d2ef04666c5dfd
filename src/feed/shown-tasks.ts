import type { Snapshot } from '../event-log/event-log.ts'
import { type Listing, listingOf } from '../event-log/listing.ts'
import type { TaskQuery } from '../repository/task-filter.ts'
import { LIMITS } from '../task/limits.ts'

/**
 * What one subscriber of taskUpdates has been shown: a task that ceases to match is told once more, as it is then, so
 * that no monitor goes on showing it as it was. It remembers the tasks that it showed last, up to a bound; of those
 * before, it is not told that they left.
 */
export class ShownTasks {
  readonly query: TaskQuery
  readonly #max: number
  /** Serials, in the order in which they were shown last. */
  readonly #shown = new Set<number>()

  constructor(query: TaskQuery, max: number = LIMITS.filteredTasks) {
    this.query = query
    this.#max = max
  }

  /** Whether a change is one of a task that matches, or has matched. */
  isToBeTold(snapshot: Snapshot): boolean {
    const { serial } = snapshot
    const wasShown = this.#shown.delete(serial)
    if (!this.query.matches(listingOf(snapshot))) return wasShown
    // Where no change of a task can make it leave, there is nothing to remember.
    if (!this.query.canBeLeft) return true
    this.#shown.add(serial)
    if (this.#shown.size > this.#max) this.#shown.delete(this.#shown.values().next().value as number)
    return true
  }

  /** Whether the task of a listing is worth to be looked up. */
  mayConcern(listing: Listing): boolean {
    return this.#shown.has(listing.serial) || this.query.matches(listing)
  }
}
