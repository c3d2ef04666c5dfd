/** About what may be done in one turn of the event loop: some milliseconds. A step from list to list counts as one. */
const MAX_EFFORT = 20_000
/** A block of texts that is searched. */
export const BLOCK_EFFORT = 1000

/**
 * What all searches of a process together spend in one turn of the event loop. One that finds nothing left waits for
 * the next turn, so however many there are and however much they walk through, live streams go on between them.
 */
export class Effort {
  readonly #max: number
  #spent = 0
  #isCounting = false
  #waiting: (() => void)[] = []
  #most = 0

  constructor(max = MAX_EFFORT) {
    this.#max = max
  }

  /** The most that was spent in one turn so far. */
  get most(): number {
    return this.#most
  }

  get isSpent(): boolean {
    return this.#spent >= this.#max
  }

  spend(steps: number): void {
    this.#spent += steps
    if (this.#spent > this.#most) this.#most = this.#spent
    if (!this.#isCounting) this.#nextTurn()
  }

  /** Spends as soon as something is left. */
  async take(steps: number): Promise<void> {
    while (this.isSpent) await this.left()
    this.spend(steps)
  }

  /** Resolves when something is left again; the first to come goes on first. */
  async left(): Promise<void> {
    while (this.isSpent) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #nextTurn(): void {
    this.#isCounting = true
    setImmediate(() => {
      this.#isCounting = false
      this.#spent = 0
      const waiting = this.#waiting
      this.#waiting = []
      for (const resume of waiting) resume()
    })
  }
}

/** For those that cannot wait, and know that there is little to do. */
export const UNBOUNDED: Pick<Effort, 'spend' | 'isSpent'> = { spend: () => {}, isSpent: false }
