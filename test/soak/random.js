// @ts-check

/**
 * Choices that a seed repeats. Each actor draws from a sequence of its own, so that the fault schedule does
 * not depend on how fast a subscriber happens to be.
 */
export class Random {
  #state

  /**
   * @param {number} seed
   * @param {string} actor
   */
  constructor(seed, actor) {
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

  /**
   * Both ends can be drawn.
   *
   * @param {number} min
   * @param {number} max
   */
  whole(min, max) {
    return min + Math.floor(this.fraction() * (max - min + 1))
  }

  /** @param {number} probability */
  chance(probability) {
    return this.fraction() < probability
  }

  /**
   * @template T
   * @param {readonly T[]} items not empty
   * @returns {T}
   */
  pick(items) {
    return /** @type {T} */ (items[this.whole(0, items.length - 1)])
  }

  /**
   * @template T
   * @param {readonly T[]} items
   * @returns {T[]}
   */
  shuffled(items) {
    return items
      .map((item) => ({ item, key: this.fraction() }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item)
  }
}
