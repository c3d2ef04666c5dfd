/** A ring of events whose bytes are counted. */
export interface CountedRing {
  /** Set by whoever reads of it. */
  isRead: boolean
  /** Lets go of all but what tells its log from another. */
  shrink(): void
}

/**
 * Bytes that the rings of all watched tasks may take together. Beyond it, those that have not been read for the longest
 * time are shrunk (by the clock algorithm: one that was read since it was last looked at is spared once), and whoever
 * reads of them next reads the log: nobody misses anything. What a ring keeps when shrunk is the floor of it all.
 */
export class RingBudget {
  readonly #maxBytes: number
  /** Those that have something to let go of, in the order in which they are looked at. */
  readonly #rings = new Set<CountedRing>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** A ring has so many bytes more, or fewer. */
  add(ring: CountedRing, bytes: number): void {
    this.#bytes += bytes
    if (bytes <= 0) return
    this.#rings.add(ring)
    if (this.#bytes > this.#maxBytes) this.#makeRoom(ring)
  }

  /** A ring is no longer there; its bytes have been taken off. */
  remove(ring: CountedRing): void {
    this.#rings.delete(ring)
  }

  /** @param newest the one that has just grown: its readers are about to read that, so it is spared once, too */
  #makeRoom(newest: CountedRing): void {
    let isSpared = false
    for (const ring of this.#rings) {
      if (this.#bytes <= this.#maxBytes) return
      this.#rings.delete(ring)
      if (ring.isRead || (ring === newest && !isSpared)) {
        isSpared ||= ring === newest
        ring.isRead = false
        this.#rings.add(ring)
      } else {
        ring.shrink()
      }
    }
  }
}
