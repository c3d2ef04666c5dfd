import { Shares } from '../bounds/shares.ts'

/** Bytes that documents take which open subscriptions use, remembered or not. */
export const MAX_HELD_BYTES = 64 * 1024 * 1024

/** A document by its text, with the bytes that it takes. */
interface Sized {
  readonly text: string
  readonly bytes: number
}

interface Held<Document> {
  readonly known: Document
  /** How many subscriptions of each account use it, and what gives its place back; null is the server itself. */
  readonly holders: Map<string | null, { count: number; readonly release: () => void }>
  readonly release: () => void
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
   * @returns the function that lets it go, to be called once
   * @throws EpochcastError TOO_MANY_SUBSCRIPTIONS
   */
  hold(known: Document, account: string | null): () => void {
    const { text, bytes } = known
    const held: Held<Document> = this.#held.get(text) ?? {
      known,
      holders: new Map(),
      release: this.#all.take([], bytes),
    }
    let holder = held.holders.get(account)
    if (!holder) {
      try {
        holder = { count: 0, release: this.#own.take(account === null ? [] : [account], bytes) }
      } catch (error) {
        if (held.holders.size === 0) held.release()
        throw error
      }
      held.holders.set(account, holder)
    }
    this.#held.set(text, held)
    holder.count++
    return () => this.#letGo(held, account)
  }

  #letGo({ known, holders, release }: Held<Document>, account: string | null): void {
    const holder = holders.get(account)
    if (!holder || --holder.count > 0) return
    holders.delete(account)
    holder.release()
    if (holders.size > 0) return
    this.#held.delete(known.text)
    release()
  }
}
