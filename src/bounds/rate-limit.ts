import { LRUCache } from 'lru-cache'
import { EpochcastError } from '../task/errors.ts'

export interface Rate {
  /** What may be taken each second, again and again. */
  readonly perSecond: number
  /** What may be taken at once, after a pause. */
  readonly burst: number
}

interface Bucket {
  /** When it is full again, in milliseconds of `performance.now()`. */
  fullAt: number
}

/** Keys whose spending is remembered; the least recently used is forgotten first, and has its whole burst again. */
const MAX_KEYS = 20_000

/**
 * Token buckets, one for each key: an address, a socket, a task. Kept as the generic cell rate algorithm does
 * (https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm): one number a key, when its bucket will be full.
 */
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
   * @param count where it is more than the burst, it is taken once there is all of that, and the rest is owed
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
    const msEach = 1000 / perSecond
    const bucket = this.#buckets.get(key)
    const from = Math.max(bucket?.fullAt ?? now, now)
    const waitMs = from + (Math.min(count, burst) - burst) * msEach - now
    if (waitMs > 0) return Math.ceil(waitMs)
    const fullAt = from + count * msEach
    if (bucket) bucket.fullAt = fullAt
    else this.#buckets.set(key, { fullAt })
    return 0
  }
}
