import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { EpochcastError, ERROR_CODES } from '../task/errors.ts'

/** Time until what failed and may succeed later is tried again; doubled each time, up to the longest. */
const RETRY_MS = 500
const MAX_RETRY_MS = 5000
/** What may be under way before nothing more is begun that could add to it. */
const MAX_BACKGROUND = 10_000
/** How long a stopping server goes on trying. */
const CLOSE_TIMEOUT_MS = 5000

/** Work that no caller waits for: repeated however long the engine or a queue is out of reach. */
export class Background {
  readonly #max: number
  readonly #onError: (error: unknown) => void
  readonly #running = new Set<Promise<void>>()
  readonly #givingUp = new AbortController()

  constructor(onError: (error: unknown) => void, max = MAX_BACKGROUND) {
    this.#onError = onError
    this.#max = max
    // All that waits listens to it; Node would take more than ten for a leak.
    setMaxListeners(max, this.#givingUp.signal)
  }

  /**
   * To be asked before what could add to it: while an engine is away, no more is begun than can be settled later.
   *
   * @throws EpochcastError ENGINE_UNAVAILABLE
   */
  checkRoom(): void {
    if (this.#running.size < this.#max) return
    throw new EpochcastError(
      'ENGINE_UNAVAILABLE',
      `${this.#max} starts and stops wait for the engine; nothing was started, try again`,
      { details: { retryAfterMs: 5000 } },
    )
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
    const { signal } = this.#givingUp
    for (let delayMs = RETRY_MS; ; delayMs = Math.min(2 * delayMs, MAX_RETRY_MS)) {
      try {
        await work()
        return
      } catch (error) {
        if (signal.aborted || !isRetryable(error)) throw error
      }
      // Once more at the end, whatever is left of the wait.
      await sleep(delayMs, undefined, { signal }).catch(() => undefined)
    }
  }
}

export const isRetryable = (error: unknown): error is EpochcastError =>
  error instanceof EpochcastError && ERROR_CODES[error.code].retryable
