import type { DeliveredEvent } from '../task/stream-event.ts'

/** The newest events of a log, consecutive, up to a number of them; for a while it holds twice as many. */
export class Ring {
  readonly #max: number
  #events: DeliveredEvent[] = []
  /** What was asked for last. */
  #newest: readonly DeliveredEvent[] = []

  constructor(max: number) {
    this.#max = max
  }

  get events(): readonly DeliveredEvent[] {
    return this.#events.slice(-this.#max)
  }

  /** Starts again from these. */
  reset(events: readonly DeliveredEvent[]): void {
    this.#events = events.slice(-this.#max)
  }

  push(events: readonly DeliveredEvent[]): void {
    for (const event of events) this.#events.push(event)
    // Moving the whole array is expensive, so it happens once for many events.
    if (this.#events.length > 2 * this.#max) this.#events = this.#events.slice(-this.#max)
  }

  /**
   * The newest events, as many as this; null where there are fewer. A reader that comes back with others comes back from
   * where they do, and gets the same array: what is made of it can be shared.
   */
  newest(count: number): readonly DeliveredEvent[] | null {
    if (count > Math.min(this.#events.length, this.#max)) return null
    if (this.#newest.length !== count || this.#newest.at(-1) !== this.#events.at(-1)) {
      this.#newest = count === 0 ? [] : this.#events.slice(-count)
    }
    return this.#newest
  }
}
