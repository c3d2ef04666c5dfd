import { EpochcastError, type ErrorCode } from '../task/errors.ts'

interface ShareOptions {
  /** What is shared, for the refusal: "open subscriptions". */
  readonly what: string
  /** Of everybody together. */
  readonly total: number
  /** Of one holder: an address. */
  readonly each: number
  readonly code: ErrorCode
  /** The variables that change the two. */
  readonly settings: { readonly total: string; readonly each: string }
}

/** When who was refused may try again: places come free whenever somebody leaves. */
const RETRY_AFTER_MS = 1000

/**
 * Places of which everybody has some and nobody has all: so many in all, and so many of one holder. A holder that has
 * no place is not remembered, so the map is bounded by the places.
 */
export class Shares {
  readonly #options: ShareOptions
  readonly #held = new Map<string, number>()
  #count = 0

  constructor(options: ShareOptions) {
    this.#options = options
  }

  /** Places taken. */
  get count(): number {
    return this.#count
  }

  /**
   * Takes places until the returned function has been called.
   *
   * @param holder null for the server itself, which has no share of its own
   * @throws EpochcastError the code of the options
   */
  take(holder: string | null, places = 1): () => void {
    const { what, total, each, code, settings } = this.#options
    if (this.#count + places > total) {
      throw new EpochcastError(
        code,
        `the server has ${this.#count} ${what}; expected at most ${total} (${settings.total})`,
        { details: { retryAfterMs: RETRY_AFTER_MS } },
      )
    }
    if (holder !== null) {
      const own = this.#held.get(holder) ?? 0
      if (own + places > each) {
        throw new EpochcastError(
          code,
          `this address has ${own} ${what}; expected at most ${each} (${settings.each})`,
          { details: { retryAfterMs: RETRY_AFTER_MS } },
        )
      }
      this.#held.set(holder, own + places)
    }
    this.#count += places
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#count -= places
      if (holder === null) return
      const left = (this.#held.get(holder) ?? 0) - places
      if (left > 0) this.#held.set(holder, left)
      else this.#held.delete(holder)
    }
  }
}
