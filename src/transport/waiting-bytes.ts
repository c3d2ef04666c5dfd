import { ByteShares } from '../bounds/byte-shares.ts'
import type { EpochcastError } from '../task/errors.ts'

/** Something whose bytes may wait in this process for its client to read them. */
export interface Waiter {
  /** The address that they wait for. */
  readonly holder: string
  readonly waitingBytes: number
  /** Bytes that have left so far: they tell what drains slowly from what stands still. */
  readonly takenBytes: number
  /** Nothing has left for too long. */
  standsStill(): void
}

export interface WaitingBytesOptions {
  readonly total: number
  readonly each: number
  /** A waiter of which nothing is taken for so long is told. */
  readonly writeTimeoutMs: number
}

interface Entry {
  bytes: number
  takenBytes: number
  /** When something was last seen to leave, in milliseconds of `performance.now()`. */
  movedAt: number
}

/** Time for a client to read before it asks again. */
const RETRY_AFTER_MS = 1000

/**
 * What waits in this process for clients to read it, over every door: counted for each address and in all when it
 * begins to wait, and again at each sweep. It may count too much for as long as that, and never forgets anything.
 */
export class WaitingBytes {
  readonly #shares: ByteShares
  readonly #writeTimeoutMs: number
  readonly #entries = new Map<Waiter, Entry>()

  constructor({ total, each, writeTimeoutMs }: WaitingBytesOptions) {
    this.#writeTimeoutMs = writeTimeoutMs
    this.#shares = new ByteShares({
      what: 'bytes that wait for their clients to read them',
      total,
      each,
      settings: { total: 'EPOCHCAST_MAX_WAITING_BYTES', each: 'EPOCHCAST_ADDRESS_SHARE of them' },
      retryAfterMs: RETRY_AFTER_MS,
    })
  }

  get bytes(): number {
    return this.#shares.bytes
  }

  /** Counted again. */
  recount(): number {
    for (const waiter of this.#entries.keys()) this.note(waiter)
    return this.bytes
  }

  /** Clients that have something to read. */
  get size(): number {
    return this.#entries.size
  }

  /** Counts what waits now. */
  note(waiter: Waiter, now = performance.now()): void {
    const { waitingBytes } = waiter
    const known = this.#entries.get(waiter)
    if (waitingBytes === 0) {
      this.forget(waiter)
    } else if (known) {
      this.#shares.add(waiter.holder, waitingBytes - known.bytes)
      known.bytes = waitingBytes
    } else {
      this.#shares.add(waiter.holder, waitingBytes)
      this.#entries.set(waiter, { bytes: waitingBytes, takenBytes: waiter.takenBytes, movedAt: now })
    }
  }

  /** Nothing of it waits any more. */
  forget(waiter: Waiter): void {
    const entry = this.#entries.get(waiter)
    if (!entry) return
    this.#entries.delete(waiter)
    this.#shares.add(waiter.holder, -entry.bytes)
  }

  /** Whether so much waits that an address is to be given no more. */
  isOver(holder: string): boolean {
    return this.#shares.isOver(holder)
  }

  /** @throws EpochcastError OVERLOADED */
  check(holder: string): void {
    this.#shares.check(holder)
  }

  refusal(holder: string): EpochcastError {
    return this.#shares.refusal(holder)
  }

  /** To be called now and then: counts again, and tells those that stand still. */
  sweep(now = performance.now()): void {
    for (const [waiter, entry] of this.#entries) {
      this.note(waiter, now)
      const { takenBytes } = waiter
      // What is not a number never equals itself: sockets that do not count are never said to stand still.
      if (takenBytes !== entry.takenBytes) {
        entry.takenBytes = takenBytes
        entry.movedAt = now
      } else if (now - entry.movedAt >= this.#writeTimeoutMs && this.#entries.has(waiter)) {
        waiter.standsStill()
      }
    }
  }
}
