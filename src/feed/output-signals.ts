import type { WatchSignal } from '../event-log/event-log.ts'
import { Waiters } from './waiters.ts'

/** Tells that something was added to a task's output. */
export class OutputSignals {
  readonly #waiters = new Waiters()
  #count = 0

  /** How often that may have been; a reader that takes it before it reads misses nothing. */
  get count(): number {
    return this.#count
  }

  hear({ kind }: WatchSignal): void {
    // What was added while nothing was heard was not told.
    if (kind !== 'output' && kind !== 'resumed') return
    this.#count++
    this.#waiters.wake()
  }

  /** Has `look` called each time, until the returned function is called. */
  observe(look: () => void): () => void {
    return this.#waiters.add(look)
  }
}
