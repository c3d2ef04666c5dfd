import type { Leases } from './leases.ts'

/** Leases beyond which those that have ended are let go of. */
const MIN_HELD_TO_SWEEP = 100

/** Leases in this process, for an engine that no other process shares: all end with it, as their owners do. */
export class LocalLeases implements Leases {
  readonly #now: () => number
  readonly #held = new Map<string, { owner: string; until: number }>()
  /** Twice as many as there were after the last sweep, so that a lease costs no more however many there are. */
  #sweepBeyond = MIN_HELD_TO_SWEEP

  constructor(now: () => number) {
    this.#now = now
  }

  /** Those held, and those that have ended since the last sweep. */
  get size(): number {
    return this.#held.size
  }

  async lease(name: string, owner: string, ttlMs: number): Promise<boolean> {
    const now = this.#now()
    const held = this.#held.get(name)
    if (held && held.owner !== owner && held.until > now) return false
    this.#held.set(name, { owner, until: now + ttlMs })
    // Names such as those of tickets are taken once, and never again.
    if (this.#held.size > this.#sweepBeyond) this.#sweep(now)
    return true
  }

  async isLeased(name: string): Promise<boolean> {
    return (this.#held.get(name)?.until ?? 0) > this.#now()
  }

  #sweep(now: number): void {
    for (const [name, { until }] of this.#held) if (until <= now) this.#held.delete(name)
    this.#sweepBeyond = Math.max(MIN_HELD_TO_SWEEP, 2 * this.#held.size)
  }
}
