import type { Leases } from './leases.ts'

/** Leases in this process, for an engine that no other process shares: all end with it, as their owners do. */
export class MemoryLeases implements Leases {
  readonly #now: () => number
  readonly #held = new Map<string, { owner: string; until: number }>()

  constructor(now: () => number) {
    this.#now = now
  }

  async lease(name: string, owner: string, ttlMs: number): Promise<boolean> {
    const held = this.#held.get(name)
    if (held && held.owner !== owner && held.until > this.#now()) return false
    this.#held.set(name, { owner, until: this.#now() + ttlMs })
    return true
  }

  async isLeased(name: string): Promise<boolean> {
    return (this.#held.get(name)?.until ?? 0) > this.#now()
  }
}
