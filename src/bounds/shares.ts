import { EpochcastError, type ErrorCode } from '../task/errors.ts'
import { wordsFor } from './holders.ts'

interface ShareOptions {
  /** What is shared, for the refusal: "open subscriptions". */
  readonly what: string
  /** Of everybody together. */
  readonly total: number
  /** Of one holder: an address, or a subject. */
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
   * Takes places; whoever does gives them back once, for the same holders.
   *
   * @param holders whose shares they count for, each of them; none for the server itself
   * @throws EpochcastError the code of the options
   */
  take(holders: readonly string[], places = 1): void {
    const { what, total, each, code, settings } = this.#options
    if (this.#count + places > total) {
      throw new EpochcastError(
        code,
        `the server has ${this.#count} ${what}; expected at most ${total} (${settings.total})`,
        { details: { retryAfterMs: RETRY_AFTER_MS } },
      )
    }
    for (const holder of holders) {
      const own = this.#held.get(holder) ?? 0
      if (own + places <= each) continue
      throw new EpochcastError(
        code,
        `${wordsFor(holder)} has ${own} ${what}; expected at most ${each} (${settings.each})`,
        { details: { retryAfterMs: RETRY_AFTER_MS } },
      )
    }
    for (const holder of holders) this.#held.set(holder, (this.#held.get(holder) ?? 0) + places)
    this.#count += places
  }

  give(holders: readonly string[], places = 1): void {
    this.#count -= places
    for (const holder of holders) {
      const left = (this.#held.get(holder) ?? 0) - places
      if (left > 0) this.#held.set(holder, left)
      else this.#held.delete(holder)
    }
  }
}
