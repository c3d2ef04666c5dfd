import { EpochcastClientError } from './error.ts'
import { pause, type RetryOptions, retryDelayMs } from './retry.ts'

/** What becomes of the connection under a stream that goes on by itself. */
export type ConnectionChange =
  | {
      readonly kind: 'lost'
      readonly error: EpochcastClientError
      /** The try that follows: 1, 2, 3 … of `attempts`. */
      readonly attempt: number
      readonly attempts: number
      readonly delayMs: number
    }
  | { readonly kind: 'resumed' }

/** The waits between the subscriptions that carry one stream. */
export class Reconnection {
  readonly #retry: RetryOptions
  readonly #signal: AbortSignal
  readonly #onChange: ((change: ConnectionChange) => void) | undefined
  #failures = 0
  #isLost = false
  #openedAt: number | undefined

  constructor(
    retry: RetryOptions,
    signal: AbortSignal,
    onChange: ((change: ConnectionChange) => void) | undefined,
  ) {
    this.#retry = retry
    this.#signal = signal
    this.#onChange = onChange
  }

  /** The server responds again. */
  opened(): void {
    this.#openedAt ??= Date.now()
    if (this.#isLost) this.#onChange?.({ kind: 'resumed' })
    this.#isLost = false
  }

  /** Something new was received: failures are counted from zero again. */
  progressed(): void {
    this.#failures = 0
  }

  /**
   * Waits for the moment to subscribe again.
   *
   * @param error what ended the last subscription; undefined where it merely ended
   * @throws the error where it is final, or where the attempts have run out; the signal's reason
   */
  async next(error?: unknown): Promise<void> {
    if (error !== undefined && !(error instanceof EpochcastClientError && error.retryable)) throw error
    const { attempts, maxDelayMs } = this.#retry
    // A connection that stood for a while did its work too.
    if (this.#openedAt !== undefined && Date.now() - this.#openedAt > maxDelayMs) this.#failures = 0
    this.#openedAt = undefined
    if (this.#failures >= attempts) throw gaveUp(attempts, error)
    this.#failures++
    const delayMs = retryDelayMs(this.#failures, this.#retry)
    if (error) {
      this.#isLost = true
      this.#onChange?.({ kind: 'lost', error, attempt: this.#failures, attempts, delayMs })
    }
    await pause(delayMs, this.#signal)
  }
}

export function gaveUp(failures: number, last: EpochcastClientError | undefined): EpochcastClientError {
  const why = last?.message ?? 'the server ends the stream before its end'
  return new EpochcastClientError(`gave up after ${failures} ${failures === 1 ? 'try' : 'tries'}: ${why}`, {
    code: last?.code ?? 'CONNECTION_FAILED',
    retryable: true,
    errors: last?.errors ?? [],
    cause: last,
  })
}
