/** Values of state streams that a server sends in a second, unless something else is set. */
const VALUES_PER_SECOND = 3000
/** Accounts for which the rate is divided at least: one alone has no more than half of it. */
const MIN_SHARES = 2
/** Intervals that were made longer are drawn apart by up to this part, or all that came together would go on together. */
const SPREAD = 0.5

/**
 * How often states are sent where many ask for them: those who wait for the next value wait longer, the more streams
 * there are. Every account has the same part of the rate for all of its streams, so that thousands of one make
 * those of another no slower.
 */
export class Pacing {
  readonly #valuesPerSecond: number
  readonly #open = new Map<string, number>()

  constructor(valuesPerSecond = VALUES_PER_SECOND) {
    this.#valuesPerSecond = valuesPerSecond
  }

  /** Streams at present. */
  get size(): number {
    let size = 0
    for (const count of this.#open.values()) size += count
    return size
  }

  /**
   * A stream, until it is closed.
   *
   * @param account whose part of the rate it uses; null for the server itself
   */
  open(account: string | null): Pace {
    const holder = account ?? ''
    this.#open.set(holder, (this.#open.get(holder) ?? 0) + 1)
    let isOpen = true
    return {
      intervalMs: (askedMs, values = 1) => {
        const streams = this.#open.get(holder) ?? 1
        const perSecond = this.#valuesPerSecond / Math.max(MIN_SHARES, this.#open.size)
        const leastMs = ((streams * values) / perSecond) * 1000
        return leastMs <= askedMs ? askedMs : leastMs * (1 + SPREAD * Math.random())
      },
      close: () => {
        if (!isOpen) return
        isOpen = false
        const left = (this.#open.get(holder) ?? 0) - 1
        if (left > 0) this.#open.set(holder, left)
        else this.#open.delete(holder)
      },
    }
  }
}

export interface Pace {
  /**
   * Time until the next value.
   *
   * @param askedMs the shortest that its client wants
   * @param values sent since the last time
   */
  intervalMs(askedMs: number, values?: number): number
  close(): void
}
