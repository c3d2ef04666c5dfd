import { cursorOver, END, type SerialCursor } from '../event-log/serial-list.ts'
import { BLOCK_EFFORT, type Effort } from './effort.ts'

/** Neighbouring tasks whose texts are searched as one. */
const BLOCK_SERIALS = 512
const GRAM_LENGTH = 4
const SIGNATURE_BITS = 2 ** 17
/** Texts that a signature may remember beyond those that are there. */
const MAX_FORGOTTEN = 128

interface JoinedText {
  readonly text: string
  readonly serials: readonly number[]
  /** Where the text of each of them begins. */
  readonly starts: readonly number[]
}

/**
 * Tasks with neighbouring serials. A search passes over a whole block at once where its signature, a Bloom filter
 * over all sequences of four characters, lacks a part of a word, or where all its tasks were created at other times.
 * What remains is searched as one string, which costs far less than one after the other.
 */
class SearchBlock {
  readonly #texts = new Map<number, string>()
  readonly #signature = new Uint32Array(SIGNATURE_BITS / 32)
  #joined: JoinedText | null = null
  #forgotten = 0
  createdFrom = Number.POSITIVE_INFINITY
  createdTo = Number.NEGATIVE_INFINITY

  get isEmpty(): boolean {
    return this.#texts.size === 0
  }

  set(serial: number, text: string, createdAt: number): void {
    this.createdFrom = Math.min(this.createdFrom, createdAt)
    this.createdTo = Math.max(this.createdTo, createdAt)
    const before = this.#texts.get(serial)
    if (before === text) return
    this.#texts.set(serial, text)
    this.#joined = null
    if (before !== undefined) this.#forget()
    this.#sign(text)
  }

  delete(serial: number): void {
    if (!this.#texts.delete(serial)) return
    this.#joined = null
    this.#forget()
  }

  textOf(serial: number): string | undefined {
    return this.#texts.get(serial)
  }

  /** The serials of those that have all words, in ascending order. */
  find(words: readonly string[]): readonly number[] {
    if (!words.every((word) => this.#mayHave(word))) return []
    const { text, serials, starts } = this.join()
    // The word that comes last is the rarest, as far as can be told.
    let rarest = ''
    let at = -1
    for (const word of words) {
      const first = text.indexOf(word)
      if (first < 0) return []
      if (first > at) [rarest, at] = [word, first]
    }
    const others = words.filter((word) => word !== rarest)
    const found: number[] = []
    while (at >= 0) {
      const index = lastAtOrBefore(starts, at)
      const serial = serials[index] as number
      if (others.every((word) => this.#texts.get(serial)?.includes(word))) found.push(serial)
      const next = starts[index + 1]
      at = next === undefined ? -1 : text.indexOf(rarest, next)
    }
    return found
  }

  join(): JoinedText {
    this.#joined ??= joined(this.#texts)
    return this.#joined
  }

  #mayHave(word: string): boolean {
    for (let i = 0; i + GRAM_LENGTH <= word.length; i++) {
      const bit = gramAt(word, i)
      if (((this.#signature[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return false
    }
    return true
  }

  #sign(text: string): void {
    for (let i = 0; i + GRAM_LENGTH <= text.length; i++) {
      const bit = gramAt(text, i)
      this.#signature[bit >>> 5] = (this.#signature[bit >>> 5] as number) | (1 << (bit & 31))
    }
  }

  #forget(): void {
    if (++this.#forgotten <= MAX_FORGOTTEN) return
    this.#forgotten = 0
    this.#signature.fill(0)
    for (const text of this.#texts.values()) this.#sign(text)
  }
}

/** The texts and times of all tasks, in blocks. */
export class SearchBlocks {
  readonly #blocks = new Map<number, SearchBlock>()

  set(serial: number, text: string, createdAt: number): void {
    const number = blockOf(serial)
    let block = this.#blocks.get(number)
    if (!block) {
      block = new SearchBlock()
      this.#blocks.set(number, block)
    }
    block.set(serial, text, createdAt)
  }

  delete(serial: number): void {
    const number = blockOf(serial)
    const block = this.#blocks.get(number)
    block?.delete(serial)
    if (block?.isEmpty) this.#blocks.delete(number)
  }

  textOf(serial: number): string | undefined {
    return this.#blocks.get(blockOf(serial))?.textOf(serial)
  }

  /** Joins the texts of a block at each step. */
  *join(): Generator<void, void, undefined> {
    for (const block of this.#blocks.values()) {
      block.join()
      yield
    }
  }

  /** Over serials whose tasks have all words. */
  textCursor(words: readonly string[], isDescending: boolean, effort: Pick<Effort, 'spend'>): SerialCursor {
    let number = Number.NaN
    let found = cursorOver([], isDescending)
    return {
      seek: (from) => {
        if (from < 0) return END
        if (blockOf(from) !== number) {
          number = blockOf(from)
          effort.spend(BLOCK_EFFORT)
          found = cursorOver(this.#blocks.get(number)?.find(words) ?? [], isDescending)
        }
        const serial = found.seek(from)
        return serial === END ? nextBlock(from, isDescending) : serial
      },
    }
  }

  /** Over serials whose tasks may have been created after and before these times. */
  createdCursor(after: number, before: number, isDescending: boolean): SerialCursor {
    return {
      seek: (from) => {
        if (from < 0) return END
        const block = this.#blocks.get(blockOf(from))
        if (block && block.createdTo > after && block.createdFrom < before) return from
        return nextBlock(from, isDescending)
      },
    }
  }
}

const blockOf = (serial: number): number => Math.floor(serial / BLOCK_SERIALS)

/** The first serial of the next block: a place to go on at, whether there is such a task or not. */
function nextBlock(from: number, isDescending: boolean): number {
  const number = blockOf(from)
  // Before the first block comes -1, which is the end.
  return isDescending ? number * BLOCK_SERIALS - 1 : (number + 1) * BLOCK_SERIALS
}

function joined(texts: ReadonlyMap<number, string>): JoinedText {
  const serials = [...texts.keys()].sort((a, b) => a - b)
  const parts = serials.map((serial) => texts.get(serial) as string)
  const starts: number[] = []
  let start = 0
  for (const part of parts) {
    starts.push(start)
    start += part.length + 1
  }
  // No word has a space in it, so none reaches from one text into the next.
  return { text: parts.join('\n'), serials, starts }
}

function lastAtOrBefore(starts: readonly number[], at: number): number {
  let low = 0
  let high = starts.length
  while (low + 1 < high) {
    const middle = (low + high) >>> 1
    if ((starts[middle] as number) <= at) low = middle
    else high = middle
  }
  return low
}

/** Four characters as a bit of the signature. */
function gramAt(text: string, index: number): number {
  let hash = text.charCodeAt(index)
  for (let i = 1; i < GRAM_LENGTH; i++) hash = Math.imul(hash, 0x01000193) ^ text.charCodeAt(index + i)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) & (SIGNATURE_BITS - 1)
}
