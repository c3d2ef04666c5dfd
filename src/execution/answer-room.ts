import { ByteShares } from '../bounds/byte-shares.ts'
import { LIMITS } from '../task/limits.ts'

/** Characters of all answers that are being made, with what is read for them. */
const MAX_ANSWERS_SIZE = 256 * 1024 * 1024
/** Characters that answers of one address have, beyond which no other query of it begins: large ones come one by one. */
export const BEGIN_BELOW_SIZE = 1024 * 1024
/** Time for others to be written and read. */
const RETRY_AFTER_MS = 1000

/**
 * What answers hold while they are made: of everybody, and of one address. They are made side by side, a part in each
 * turn, so that without it as many as are under way could all be there at once.
 */
export class AnswerRoom {
  readonly #shares: ByteShares
  /** By address, those that wait for others of theirs; as many as an address may have under way. */
  readonly #waiting = new Map<string, (() => void)[]>()
  /** Addresses of which one may begin in the next turn of the event loop. */
  readonly #next = new Set<string>()

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

  /** Whether others of this address have so much that the next one is to wait for its turn. */
  isBusy(holder: string): boolean {
    return this.#waiting.has(holder) || this.#shares.bytesOf(holder) > BEGIN_BELOW_SIZE
  }

  /** Resolves once an answer of this address may begin, in the order of asking. */
  async turn(holder: string): Promise<void> {
    if (!this.isBusy(holder)) return
    await new Promise<void>((resolve) => {
      const waiting = this.#waiting.get(holder)
      if (waiting) waiting.push(resolve)
      else this.#waiting.set(holder, [resolve])
    })
  }

  /** @param holder the address that asks */
  begin(holder: string): AnswerSize {
    return new AnswerSize(this.#shares, holder, () => this.#beginNext(holder))
  }

  /** One a turn of the event loop: what it takes is to be seen before the next, and others have their turns. */
  #beginNext(holder: string): void {
    if (!this.#waiting.has(holder) || this.#next.has(holder)) return
    this.#next.add(holder)
    setImmediate(() => {
      this.#next.delete(holder)
      const waiting = this.#waiting.get(holder)
      if (!waiting || this.#shares.bytesOf(holder) > BEGIN_BELOW_SIZE) return
      waiting.shift()?.()
      if (waiting.length === 0) this.#waiting.delete(holder)
      this.#beginNext(holder)
    })
  }
}

/** What one answer holds. */
export class AnswerSize {
  readonly #shares: ByteShares
  readonly #holder: string
  readonly #onReleased: () => void
  #held = 0
  #isReleased = false

  constructor(shares: ByteShares, holder: string, onReleased: () => void) {
    this.#shares = shares
    this.#holder = holder
    this.#onReleased = onReleased
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
    this.#onReleased()
  }
}
