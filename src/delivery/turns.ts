/**
 * Bounds how much of one kind of work is done in one round of the event loop: a few at once, the others in
 * the rounds that follow, in the order of asking. So thousands that come at the same time keep nothing else
 * waiting for all of them.
 */
export class Turns {
  readonly #perRound: number
  #waiting: (() => void)[] = []
  /** Turns taken in this round. */
  #taken = 0

  constructor(perRound: number) {
    this.#perRound = perRound
  }

  /** Runs now, where there is room in this round, or when it is its turn. */
  take(run: () => void): void {
    if (this.#taken === 0) setImmediate(() => this.#nextRound())
    if (this.#taken < this.#perRound && this.#waiting.length === 0) {
      this.#taken++
      run()
    } else {
      this.#waiting.push(run)
    }
  }

  /** As `take`, as a promise. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.take(resolve))
  }

  #nextRound(): void {
    const next = this.#waiting.splice(0, this.#perRound)
    this.#taken = next.length
    if (next.length > 0) setImmediate(() => this.#nextRound())
    for (const run of next) run()
  }
}
