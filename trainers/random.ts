import { createHash } from 'node:crypto'

/** A 32-bit seed from any values, so that e.g. each machine has data of its own under one seed. */
export function seedOf(...parts: (string | number)[]): number {
  return createHash('sha256').update(JSON.stringify(parts)).digest().readUInt32LE()
}

/** Seeded pseudorandom numbers (mulberry32): enough for samples and shuffles, not for secrets. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** In [0, 1). */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  /** In 0 … bound − 1. */
  integer(bound: number): number {
    return Math.floor(this.uniform() * bound)
  }

  /** Standard normal (Box–Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** An index, drawn with probability proportional to its weight. */
  choice(weights: ArrayLike<number>): number {
    let total = 0
    for (let index = 0; index < weights.length; index++) total += weights[index] as number
    let remaining = this.uniform() * total
    for (let index = 0; index < weights.length; index++) {
      remaining -= weights[index] as number
      if (remaining < 0) return index
    }
    return weights.length - 1
  }

  /** Unit-scale gamma: Marsaglia and Tsang (2000), with their boost for shapes below 1. */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * (1 - this.uniform()) ** (1 / shape)
    const d = shape - 1 / 3
    for (;;) {
      const x = this.normal()
      const v = (1 + x / Math.sqrt(9 * d)) ** 3
      if (v > 0 && Math.log(1 - this.uniform()) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v
    }
  }

  /** Shares of a symmetric Dirichlet distribution: `size` numbers that sum to 1. */
  dirichlet(concentration: number, size: number): number[] {
    const draws = Array.from({ length: size }, () => this.gamma(concentration) + Number.MIN_VALUE)
    const total = draws.reduce((sum, draw) => sum + draw, 0)
    return draws.map((draw) => draw / total)
  }

  /** Fisher–Yates, in place. */
  shuffle<T extends unknown[] | Int32Array>(items: T): T {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.integer(last + 1)
      const moved = items[last]
      items[last] = items[other] as never
      items[other] = moved as never
    }
    return items
  }
}
