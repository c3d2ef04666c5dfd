import type { Snapshot } from '../event-log/event-log.ts'
import { type Listing, listingOf } from '../event-log/listing.ts'
import type { TaskQuery } from '../repository/task-filter.ts'
import { LIMITS } from '../task/limits.ts'

/** What all subscribers of a process remember together; beyond that, each remembers a few only. */
const TOTAL = { max: 1_000_000, least: 100 } as const
let total = 0

/**
 * What one subscriber of taskUpdates has been shown: a task that ceases to match is told once more, as it is then, so
 * that no monitor goes on showing it as it was. It remembers the tasks that it showed last, up to a bound; of those
 * before, it is not told that they left.
 */
export class ShownTasks {
  readonly query: TaskQuery
  readonly #max: number
  readonly #maxTotal: number
  /** Serials, in the order in which they were shown last. */
  readonly #shown = new Set<number>()

  constructor(query: TaskQuery, max: number = LIMITS.filteredTasks, maxTotal: number = TOTAL.max) {
    this.query = query
    this.#max = max
    this.#maxTotal = maxTotal
  }

  /** Whether a change is one of a task that matches, or has matched. */
  isToBeTold(snapshot: Snapshot): boolean {
    const { serial } = snapshot
    const wasShown = this.#delete(serial)
    const listing = listingOf(snapshot)
    // Of one that went out of the caller's reach, not even that.
    if (!this.query.matches(listing)) return wasShown && this.query.isReadable(listing)
    // Where no change of a task can make it leave, there is nothing to remember.
    if (!this.query.canBeLeft) return true
    this.#shown.add(serial)
    total++
    const max = total > this.#maxTotal ? Math.min(TOTAL.least, this.#max) : this.#max
    // Where others have taken the room meanwhile, one goes for each that comes, and one more.
    for (let gone = 0; this.#shown.size > max && gone < 2; gone++)
      this.#delete(this.#shown.values().next().value as number)
    return true
  }

  /** The subscriber has left. */
  forget(): void {
    total -= this.#shown.size
    this.#shown.clear()
  }

  /** Whether the task of a listing is worth to be looked up. */
  mayConcern(listing: Listing): boolean {
    return this.#shown.has(listing.serial) || this.query.matches(listing)
  }

  #delete(serial: number): boolean {
    const wasShown = this.#shown.delete(serial)
    if (wasShown) total--
    return wasShown
  }
}
