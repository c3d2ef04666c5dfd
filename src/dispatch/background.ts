import { setTimeout as sleep } from 'node:timers/promises'
import { EpochcastError, ERROR_CODES } from '../task/errors.ts'

/** Time between two tries of what failed and may succeed later. */
const RETRY_MS = 500
/** How long a stopping server goes on trying. */
const CLOSE_TIMEOUT_MS = 5000

/** Work that no caller waits for: repeated however long the engine or a queue is out of reach. */
export class Background {
  readonly #onError: (error: unknown) => void
  readonly #running = new Set<Promise<void>>()
  readonly #givingUp = new AbortController()

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  run(work: () => Promise<unknown>): void {
    const running = this.#persist(work)
      .catch(this.#onError)
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** Waits for all work, also for what it brings about. After a while, nothing is tried again. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#givingUp.abort(), CLOSE_TIMEOUT_MS)
    while (this.#running.size > 0) await Promise.all(this.#running)
    clearTimeout(timer)
    this.#givingUp.abort()
  }

  async #persist(work: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await work()
        return
      } catch (error) {
        if (this.#givingUp.signal.aborted || !isRetryable(error)) throw error
      }
      await sleep(RETRY_MS)
    }
  }
}

export const isRetryable = (error: unknown): error is EpochcastError =>
  error instanceof EpochcastError && ERROR_CODES[error.code].retryable
