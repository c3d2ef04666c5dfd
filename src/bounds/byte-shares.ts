import { EpochcastError } from '../task/errors.ts'

interface ByteSharesOptions {
  /** Whose bytes, for the refusal: "bytes of responses that wait to be read". */
  readonly what: string
  /** Of everybody together. */
  readonly total: number
  /** Of one holder: an address. */
  readonly each: number
  /** The variables that change the two. */
  readonly settings: { readonly total: string; readonly each: string }
  /** When a refused client may try again. */
  readonly retryAfterMs: number
}

/**
 * Bytes that are there already, counted by who holds them: so many in all, and so many of one holder. Unlike places in
 * `Shares` they cannot be refused one by one; who counts them asks first, or ends what went over. A holder without
 * bytes is not remembered.
 */
export class ByteShares {
  readonly #options: ByteSharesOptions
  readonly #held = new Map<string, number>()
  #bytes = 0

  constructor(options: ByteSharesOptions) {
    this.#options = options
  }

  /** Of everybody. */
  get bytes(): number {
    return this.#bytes
  }

  bytesOf(holder: string): number {
    return this.#held.get(holder) ?? 0
  }

  /** Counts so many more of a holder, or fewer. */
  add(holder: string, bytes: number): void {
    if (bytes === 0) return
    this.#bytes += bytes
    const held = this.bytesOf(holder) + bytes
    if (held > 0) this.#held.set(holder, held)
    else this.#held.delete(holder)
  }

  /** Whether a holder, or everybody together, has more than the bound. */
  isOver(holder: string): boolean {
    const { total, each } = this.#options
    return this.#bytes > total || this.bytesOf(holder) > each
  }

  /** @throws EpochcastError OVERLOADED, with `retryAfterMs`, where it is over */
  check(holder: string): void {
    if (this.isOver(holder)) throw this.refusal(holder)
  }

  refusal(holder: string): EpochcastError {
    const { what, total, each, settings, retryAfterMs } = this.#options
    const own = this.bytesOf(holder)
    const [who, bytes, most, setting] =
      own > each
        ? ['this address', own, each, settings.each]
        : ['the server', this.#bytes, total, settings.total]
    return new EpochcastError(
      'OVERLOADED',
      `${who} has ${bytes} ${what}; expected at most ${most} (${setting}). Try again in ${retryAfterMs} ms`,
      { details: { retryAfterMs } },
    )
  }
}
