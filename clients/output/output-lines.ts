import type { Redaction } from './redaction.ts'

const LINE_FEED = 0x0a
const RETURN = 0x0d

export interface OutputLinesOptions {
  /** What is longer is cut into several. */
  readonly maxBytes: number
  readonly redaction: Redaction
  readonly onLine: (text: string, isCut: boolean) => void
}

/**
 * Makes lines of the bytes of a stream. What is drawn over itself by carriage returns, as progress bars are, counts as its
 * last state; what is no UTF-8 becomes U+FFFD. A line that is too long comes in pieces, and one without an end for a while
 * when `endPause` says so: neither between the bytes of a character, nor within what may be a secret.
 */
export class OutputLines {
  readonly #options: OutputLinesOptions
  /** What there is of the line so far: `#length` bytes. */
  #bytes = Buffer.alloc(0)
  #length = 0
  /** A carriage return came last: what comes next is drawn over the line. */
  #isReturned = false
  /** Whether some of this line was handed out already. */
  #isContinued = false
  /** Since when there has been something that was not handed out; null where there is nothing. */
  #waitingSince: number | null = null
  /** Whether the line is drawn over itself. */
  #isDrawn = false

  constructor(options: OutputLinesOptions) {
    this.#options = options
  }

  /** Since when a line without an end has waited; null where none does. */
  get waitingSince(): number | null {
    return this.#waitingSince
  }

  /** Whether it is one that is drawn over itself. */
  get isDrawn(): boolean {
    return this.#isDrawn
  }

  push(chunk: Buffer, now: number): void {
    for (let at = 0; at < chunk.length; ) {
      const feed = chunk.indexOf(LINE_FEED, at)
      this.#add(chunk, at, feed < 0 ? chunk.length : feed)
      if (feed < 0) {
        if (this.#length > 0) this.#waitingSince ??= now
        return
      }
      this.#endLine()
      at = feed + 1
    }
  }

  /**
   * Leaves out whole lines, with what there is of one.
   *
   * @returns how many
   */
  skip(chunk: Buffer): number {
    let lines = 0
    for (let i = 0; i < chunk.length; i++) if (chunk[i] === LINE_FEED) lines++
    this.#reset()
    return lines
  }

  /** Hands out what there is of a line; of one that is drawn over itself its present state. */
  endPause(): void {
    this.#waitingSince = null
    const closed = this.#closedBytes()
    if (!this.#isDrawn) this.#handOut(closed)
    // What is drawn over itself may begin again at any time, so what there is of it stays.
    else if (closed > 0) this.#options.onLine(this.#text(closed), true)
  }

  /** There is nothing more to come. */
  end(): void {
    if (this.#length > 0) this.#endLine()
  }

  #add(chunk: Buffer, from: number, to: number): void {
    let end = to
    while (end > from && chunk[end - 1] === RETURN) end--
    const lastReturn = end > from ? chunk.subarray(from, end).lastIndexOf(RETURN) : -1
    if (end > from && (lastReturn >= 0 || this.#isReturned)) {
      this.#length = 0
      this.#isDrawn = true
    }
    this.#append(chunk, from + lastReturn + 1, end)
    if (end > from) this.#isReturned = false
    if (end < to) this.#isReturned = true
  }

  #append(chunk: Buffer, from: number, to: number): void {
    const { maxBytes } = this.#options
    for (let at = from; at < to; ) {
      // A secret is shorter than a line, and so is a character.
      if (this.#length === maxBytes) this.#handOut(this.#closedBytes())
      const taken = Math.min(to - at, maxBytes - this.#length)
      this.#makeRoom(this.#length + taken)
      chunk.copy(this.#bytes, this.#length, at, at + taken)
      this.#length += taken
      at += taken
    }
  }

  #makeRoom(length: number): void {
    if (this.#bytes.length >= length) return
    const larger = Buffer.allocUnsafe(Math.min(this.#options.maxBytes, Math.max(1024, 2 * length)))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }

  /** The bytes of the line so far that can be handed out. */
  #closedBytes(): number {
    const bytes = this.#bytes.subarray(0, this.#length)
    return this.#length - Math.max(this.#options.redaction.openBytes(bytes), openCharacter(bytes))
  }

  /** Hands out the first bytes, as a piece of a line that goes on. */
  #handOut(length: number): void {
    if (length === 0) return
    this.#options.onLine(this.#text(length), true)
    this.#bytes.copy(this.#bytes, 0, length, this.#length)
    this.#length -= length
    this.#isContinued = true
  }

  #endLine(): void {
    // A line that was cut just before its end has no more to say.
    if (this.#length > 0 || !this.#isContinued) this.#options.onLine(this.#text(this.#length), false)
    this.#reset()
  }

  #reset(): void {
    this.#length = 0
    this.#isReturned = false
    this.#isContinued = false
    this.#isDrawn = false
    this.#waitingSince = null
  }

  #text(length: number): string {
    return this.#options.redaction.redact(this.#bytes.toString('utf8', 0, length))
  }
}

/** How many bytes at the end are a character that has yet to come whole. */
function openCharacter(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number
    if (byte < 0x80) return 0
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? back : 0
  }
  return 0
}
