/**
 * Choices that a seed repeats. Each actor draws from a sequence of its own, so that the fault schedule does
 * not depend on how fast a subscriber happens to be.
 */
export class Random {
  #state: number

  constructor(seed: number, actor: string) {
    this.#state = seed >>> 0
    for (const char of actor) this.#state = Math.imul(this.#state ^ char.charCodeAt(0), 0x01000193) >>> 0
  }

  /** At least 0, below 1: mulberry32. */
  fraction() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** Both ends can be drawn. */
  whole(min: number, max: number) {
    return min + Math.floor(this.fraction() * (max - min + 1))
  }

  chance(probability: number) {
    return this.fraction() < probability
  }

  /** @param items not empty */
  pick<T>(items: readonly T[]): T {
    return items[this.whole(0, items.length - 1)] as T
  }

  shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, key: this.fraction() }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item)
  }
}
