/** How many take their turn in one round of the event loop. */
export const TURNS_PER_ROUND = 8

/** Lets those who have much to do take turns, a few in each round of the event loop: others wait for none of them. */
export class Turns {
  readonly #waiting: (() => void)[] = []
  #isRunning = false

  /** Resolves when it is the caller's turn, in the order of asking. */
  take(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      if (this.#isRunning) return
      this.#isRunning = true
      setImmediate(() => this.#run())
    })
  }

  #run(): void {
    for (const resolve of this.#waiting.splice(0, TURNS_PER_ROUND)) resolve()
    if (this.#waiting.length > 0) setImmediate(() => this.#run())
    else this.#isRunning = false
  }
}
