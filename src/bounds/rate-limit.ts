import { LRUCache } from 'lru-cache'
import { EpochcastError } from '../task/errors.ts'

export interface Rate {
  /** What may be taken each second, again and again. */
  readonly perSecond: number
  /** What may be taken at once, after a pause. */
  readonly burst: number
}

/** Keys whose spending is remembered; the least recently used is forgotten first, and has its whole burst again. */
const MAX_KEYS = 20_000

interface Bucket {
  tokens: number
  /** In milliseconds of `performance.now()`. */
  filledAt: number
}

/** Token buckets (https://en.wikipedia.org/wiki/Token_bucket), one for each key: an address, a socket, a task. */
export class RateLimit {
  readonly #what: string
  readonly #rate: Rate
  readonly #setting: string
  readonly #buckets: LRUCache<string, Bucket>

  /**
   * @param what of which so many are allowed, for the refusal: "mutations of one address"
   * @param setting the variable, or the name in `LIMITS`, that changes the rate
   */
  constructor(what: string, rate: Rate, setting: string, maxKeys = MAX_KEYS) {
    this.#what = what
    this.#rate = rate
    this.#setting = setting
    this.#buckets = new LRUCache({ max: maxKeys })
  }

  get size(): number {
    return this.#buckets.size
  }

  /**
   * Takes so many tokens of a key, or none.
   *
   * @param count at most the burst; more never fits
   * @throws EpochcastError RATE_LIMITED, with `retryAfterMs`
   */
  take(key: string, count = 1, now = performance.now()): void {
    const waitMs = this.waitMs(key, count, now)
    if (waitMs === 0) return
    const { perSecond, burst } = this.#rate
    throw new EpochcastError(
      'RATE_LIMITED',
      `too many ${this.#what}; expected at most ${perSecond} a second and ${burst} at once (${this.#setting}). Try again in ${waitMs} ms`,
      { details: { retryAfterMs: waitMs } },
    )
  }

  /** As `take`, for callers that wait or have words of their own: 0 where they were taken, else when to try again. */
  waitMs(key: string, count = 1, now = performance.now()): number {
    const { perSecond, burst } = this.#rate
    let bucket = this.#buckets.get(key)
    if (bucket) {
      bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) / 1000) * perSecond)
      bucket.filledAt = now
    } else {
      bucket = { tokens: burst, filledAt: now }
      this.#buckets.set(key, bucket)
    }
    if (bucket.tokens >= count) {
      bucket.tokens -= count
      return 0
    }
    // Binary fractions of a token must not become a millisecond more.
    return Math.max(1, Math.ceil(((count - bucket.tokens) / perSecond) * 1000 - 1e-6))
  }
}
