import type { DeliveredEvent } from '../task/stream-event.ts'

/** The newest events of a log, consecutive, up to a number of them. */
export class Ring {
  readonly #max: number
  #events: DeliveredEvent[] = []
  /** What was asked for last. */
  #newest: readonly DeliveredEvent[] = []

  constructor(max: number) {
    this.#max = max
  }

  get events(): readonly DeliveredEvent[] {
    return this.#events
  }

  /** Starts again from these. */
  reset(events: readonly DeliveredEvent[]): void {
    this.#events = events.slice(-this.#max)
  }

  push(events: readonly DeliveredEvent[]): void {
    this.#events.push(...events)
    this.#events.splice(0, this.#events.length - this.#max)
  }

  /**
   * The newest events, as many as this; null where there are fewer. Who comes back with others comes back from
   * where they do, and gets the same array: what is made of it can be shared.
   */
  newest(count: number): readonly DeliveredEvent[] | null {
    if (count > this.#events.length) return null
    if (this.#newest.length !== count || this.#newest.at(-1) !== this.#events.at(-1)) {
      this.#newest = count === 0 ? [] : this.#events.slice(-count)
    }
    return this.#newest
  }
}
