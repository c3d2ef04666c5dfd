/** Keeps a job this worker's, and tells once where that cannot be known any more. */
export class JobLock {
  readonly #timer: NodeJS.Timeout
  readonly #lockMs: number
  #onLost = () => {}
  #renewedAt = performance.now()
  isLost = false

  /** @param renew replies 0 where another has it */
  constructor(renew: () => Promise<number>, lockMs: number) {
    this.#lockMs = lockMs
    this.#timer = setInterval(() => {
      const now = performance.now()
      renew().then(
        (reply) => {
          if (reply === 0) this.#lose()
          else this.#renewedAt = now
        },
        () => {
          // The connection tells of itself.
        },
      )
      if (now - this.#renewedAt > this.#lockMs / 2) this.#lose()
    }, lockMs / 8)
  }

  whenLost(tell: () => void): void {
    this.#onLost = tell
    if (this.isLost) tell()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #lose(): void {
    if (this.isLost) return
    this.isLost = true
    this.#onLost()
  }
}
