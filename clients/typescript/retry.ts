/** How often, and after which waits, a lost connection is tried again. */
export interface RetryOptions {
  /** Tries without success after which the client gives up. */
  readonly attempts: number
  /** The wait before the first try; doubles with each further one, less a random part of up to a half. */
  readonly minDelayMs: number
  readonly maxDelayMs: number
}

/** About two minutes in all: long enough for a server to be restarted. */
export const DEFAULT_RETRY: RetryOptions = { attempts: 12, minDelayMs: 250, maxDelayMs: 15_000 }

/** @param attempt 1, 2, 3 … */
export function retryDelayMs(attempt: number, { minDelayMs, maxDelayMs }: RetryOptions): number {
  // Random, so that the viewers of a restarted server do not come back all at once.
  return Math.min(maxDelayMs, minDelayMs * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)
}

/** @throws the reason of the signal, once it is aborted */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const abort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal.addEventListener('abort', abort, { once: true })
  })
}
