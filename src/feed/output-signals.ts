import { Waiters } from './waiters.ts'

/** Tells that something was added to a task's output. */
export class OutputSignals {
  readonly #waiters = new Waiters()
  #count = 0

  /** How often that was told; a reader that takes it before it reads misses nothing. */
  get count(): number {
    return this.#count
  }

  told(): void {
    this.#count++
    this.#waiters.wake()
  }

  /** Has `look` called each time, until the returned function is called. */
  observe(look: () => void): () => void {
    return this.#waiters.add(look)
  }
}
