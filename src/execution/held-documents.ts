import { Shares } from '../bounds/shares.ts'

/** Bytes that documents take which open subscriptions use, remembered or not. */
export const MAX_HELD_BYTES = 64 * 1024 * 1024

/** A document by its text, with the bytes that it takes. */
interface Sized {
  readonly text: string
  readonly bytes: number
}

/** That subscriptions of one account use a document. */
interface Use {
  /** How many. */
  count: number
  readonly letGo: () => void
}

interface Held<Document> {
  readonly known: Document
  /** By account; null is the server itself. */
  readonly uses: Map<string | null, Use>
}

/**
 * The documents of open subscriptions, by their text. In all each of them counts once; for each account those that it
 * uses itself, whoever else does: it can use up its own share, and not that of others.
 */
export class HeldDocuments<Document extends Sized> {
  readonly #held = new Map<string, Held<Document>>()
  readonly #all: Shares
  readonly #own: Shares

  /** @param share part of the bytes that the documents of one account may take */
  constructor(share: number) {
    const settings = { total: 'MAX_HELD_BYTES', each: 'EPOCHCAST_ADDRESS_SHARE of MAX_HELD_BYTES' }
    const options = { what: 'bytes of documents of open subscriptions', settings } as const
    const code = 'TOO_MANY_SUBSCRIPTIONS'
    this.#all = new Shares({ ...options, code, total: MAX_HELD_BYTES, each: MAX_HELD_BYTES })
    const each = Math.floor(MAX_HELD_BYTES * share)
    this.#own = new Shares({ ...options, code, total: Number.POSITIVE_INFINITY, each })
  }

  get bytes(): number {
    return this.#all.count
  }

  get(text: string): Document | undefined {
    return this.#held.get(text)?.known
  }

  /**
   * Counts a document for as long as a subscription of an account uses it.
   *
   * @returns the function that lets it go, to be called once; the same for all subscriptions of an account
   * @throws EpochcastError TOO_MANY_SUBSCRIPTIONS
   */
  hold(known: Document, account: string | null): () => void {
    const { text } = known
    const held = this.#held.get(text) ?? { known, uses: new Map<string | null, Use>() }
    let use = held.uses.get(account)
    if (!use) {
      this.#take(held, account)
      use = { count: 0, letGo: () => this.#letGo(held, account) }
      held.uses.set(account, use)
      this.#held.set(text, held)
    }
    use.count++
    return use.letGo
  }

  #take({ known, uses }: Held<Document>, account: string | null): void {
    const isFirst = uses.size === 0
    if (isFirst) this.#all.take([], known.bytes)
    try {
      this.#own.take(sharesOf(account), known.bytes)
    } catch (error) {
      if (isFirst) this.#all.give([], known.bytes)
      throw error
    }
  }

  #letGo({ known, uses }: Held<Document>, account: string | null): void {
    const use = uses.get(account)
    if (!use || --use.count > 0) return
    uses.delete(account)
    this.#own.give(sharesOf(account), known.bytes)
    if (uses.size > 0) return
    this.#held.delete(known.text)
    this.#all.give([], known.bytes)
  }
}

const sharesOf = (account: string | null): readonly string[] => (account === null ? [] : [account])
