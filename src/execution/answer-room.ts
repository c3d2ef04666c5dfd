import { ByteShares } from '../bounds/byte-shares.ts'
import { LIMITS } from '../task/limits.ts'

/** Characters of all answers that are being made, with what is read for them. */
const MAX_ANSWERS_SIZE = 256 * 1024 * 1024
/** Time for others to be written and read. */
const RETRY_AFTER_MS = 1000

/**
 * What answers hold while they are made: of everybody, and of one address. They are made side by side, a part in each
 * turn, so that without it as many as are under way could all be there at once.
 */
export class AnswerRoom {
  readonly #shares: ByteShares

  /** @param addressShare part of all that one address may have; one answer always fits */
  constructor(addressShare: number, total = MAX_ANSWERS_SIZE) {
    this.#shares = new ByteShares({
      what: 'characters of answers that are being made',
      total,
      each: Math.max(Math.floor(addressShare * total), LIMITS.answerSize + LIMITS.answerReads),
      settings: { total: 'for all of it', each: 'EPOCHCAST_ADDRESS_SHARE of them' },
      retryAfterMs: RETRY_AFTER_MS,
    })
  }

  /** Of everybody. */
  get size(): number {
    return this.#shares.bytes
  }

  /** @param holder the address that asks */
  begin(holder: string): AnswerSize {
    return new AnswerSize(this.#shares, holder)
  }
}

/** What one answer holds. */
export class AnswerSize {
  readonly #shares: ByteShares
  readonly #holder: string
  #held = 0
  #isReleased = false

  constructor(shares: ByteShares, holder: string) {
    this.#shares = shares
    this.#holder = holder
  }

  /** @throws EpochcastError OVERLOADED, with `retryAfterMs` */
  add(characters: number): void {
    // A field that failed ended the answer while the reads of others were under way; nobody would give theirs back.
    if (this.#isReleased) return
    this.#held += characters
    this.#shares.add(this.#holder, characters)
    this.#shares.check(this.#holder)
  }

  /** Nothing is held any more. */
  release(): void {
    this.#shares.add(this.#holder, -this.#held)
    this.#held = 0
    this.#isReleased = true
  }
}
