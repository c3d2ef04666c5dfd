/** Newest receipts that are kept; what is delivered live is delivered long before so many have come. */
const MAX_RECEIPTS = 64

/** Reports that were received together, or were announced: the events up to an offset of the log. */
export interface Receipt {
  readonly offset: number
  /** By performance.now(). */
  readonly receivedAt: number
  /** Whether this server received the report; otherwise it heard of it from another. */
  readonly isOwn: boolean
  /** What came with the report, such as its trace. */
  readonly origin?: unknown
}

/** When the newest events of one task came to this process: how late they are delivered can be told from it. */
export class Receipts {
  #newest: Receipt[] = []

  /** A report is about to be appended here. One that is tried again replaces what was noted for it. */
  received(receipt: Receipt): void {
    const at = this.#newest.findLastIndex(({ offset }) => offset < receipt.offset)
    this.#newest.length = at + 1
    this.#add(receipt)
  }

  /** Events were announced; where they were received here, that is known already. */
  announced(offset: number, now: number): void {
    if (offset > (this.#newest.at(-1)?.offset ?? 0)) this.#add({ offset, receivedAt: now, isOwn: false })
  }

  /** Those of events after one offset up to another, oldest first. */
  between(after: number, upTo: number): readonly Receipt[] {
    const newest = this.#newest
    let from = newest.length
    while (from > 0 && (newest[from - 1] as Receipt).offset > after) from--
    let to = from
    while (to < newest.length && (newest[to] as Receipt).offset <= upTo) to++
    return newest.slice(from, to)
  }

  #add(receipt: Receipt): void {
    // In one go now and then, instead of one at each.
    if (this.#newest.length >= 2 * MAX_RECEIPTS) this.#newest = this.#newest.slice(-MAX_RECEIPTS)
    this.#newest.push(receipt)
  }
}
