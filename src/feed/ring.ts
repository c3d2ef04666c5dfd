import type { DeliveredEvent } from '../task/stream-event.ts'
import type { CountedRing, RingBudget } from './ring-budget.ts'

/** About how many bytes of events one ring holds; of larger ones, readers that are behind read the log. */
const MAX_RING_BYTES = 262_144
/** What a ring keeps that has to make room for others, and the newest event whatever its size. */
export const SHRUNK_RING_BYTES = 4096
/** What an event takes beside its names and texts. */
const EVENT_BYTES = 256
const VALUE_BYTES = 24

/** The newest events of a log, consecutive, up to a number and a size of them; for a while it holds twice as many. */
export class Ring implements CountedRing {
  isRead = false
  readonly #max: number
  readonly #maxBytes: number
  readonly #budget: RingBudget
  #isOpen = true
  #events: DeliveredEvent[] = []
  #bytes: number[] = []
  #totalBytes = 0
  /** What was asked for last. */
  #newest: readonly DeliveredEvent[] = []

  /** @param budget of which it takes its part until it is closed */
  constructor(max: number, budget: RingBudget, maxBytes = MAX_RING_BYTES) {
    this.#max = max
    this.#budget = budget
    this.#maxBytes = maxBytes
  }

  get events(): readonly DeliveredEvent[] {
    return this.#events.slice(-this.#max)
  }

  /** Starts again from these. */
  reset(events: readonly DeliveredEvent[]): void {
    this.#clear()
    this.push(events.slice(-this.#max))
  }

  push(events: readonly DeliveredEvent[]): void {
    // Of a reading that began before.
    if (!this.#isOpen) return
    const before = this.#totalBytes
    for (const event of events) {
      const bytes = bytesOf(event)
      this.#events.push(event)
      this.#bytes.push(bytes)
      this.#totalBytes += bytes
    }
    // Moving the whole array is expensive, so it happens once for many events.
    if (this.#events.length > 2 * this.#max) this.#drop(this.#events.length - this.#max)
    else if (this.#totalBytes > this.#maxBytes) this.#drop(0)
    this.#budget.add(this, this.#totalBytes - before)
  }

  shrink(): void {
    const before = this.#totalBytes
    this.#drop(0, SHRUNK_RING_BYTES)
    this.#budget.add(this, this.#totalBytes - before)
  }

  /** Gives back what it takes. */
  close(): void {
    this.#isOpen = false
    this.#clear()
    this.#budget.remove(this)
  }

  #clear(): void {
    this.#budget.add(this, -this.#totalBytes)
    this.#events = []
    this.#bytes = []
    this.#totalBytes = 0
    this.#newest = []
  }

  /**
   * The newest events, as many as this; null where there are fewer. A reader that comes back with others comes back from
   * where they do, and gets the same array: what is made of it can be shared.
   */
  newest(count: number): readonly DeliveredEvent[] | null {
    this.isRead = true
    if (count > Math.min(this.#events.length, this.#max)) return null
    if (this.#newest.length !== count || this.#newest.at(-1) !== this.#events.at(-1)) {
      this.#newest = count === 0 ? [] : this.#events.slice(-count)
    }
    return this.#newest
  }

  /** At least so many, and more until the others have room; the newest stays in any case. */
  #drop(least: number, maxBytes = this.#maxBytes): void {
    let dropped = 0
    while (dropped < least || (this.#totalBytes > maxBytes && dropped < this.#events.length - 1))
      this.#totalBytes -= this.#bytes[dropped++] as number
    this.#events = this.#events.slice(dropped)
    this.#bytes = this.#bytes.slice(dropped)
    this.#newest = []
  }
}

type Parts = Partial<Record<'metrics' | 'fitMetrics' | 'evalMetrics', object | null>> &
  Partial<Record<'message' | 'error', string | null>>

/** About; what many events have in common is not looked at. */
function bytesOf(event: DeliveredEvent): number {
  const { metrics, fitMetrics, evalMetrics, message, error } = event as Parts
  let bytes = EVENT_BYTES + (message?.length ?? 0) + (error?.length ?? 0)
  for (const name in metrics) bytes += name.length + VALUE_BYTES
  for (const name in fitMetrics) bytes += name.length + VALUE_BYTES
  for (const name in evalMetrics) bytes += name.length + VALUE_BYTES
  return bytes
}
