import type { NoteOfSkipped, PrintedLine } from './printed-line.ts'

interface Pending {
  readonly line: PrintedLine
  /** Lines left out before it. */
  skippedBefore: number
}

export interface PendingBounds {
  readonly maxLines: number
  /** Characters. */
  readonly maxLength: number
}

/** Lines that wait to be sent. Where they are too many the oldest go, and a note stands in their place. */
export class PendingOutput {
  readonly #bounds: PendingBounds
  readonly #member: string | null
  readonly #noteOf: NoteOfSkipped
  #lines: (Pending | undefined)[] = []
  #head = 0
  #length = 0
  /** Lines left out after the last. */
  #skipped = 0

  constructor(bounds: PendingBounds, member: string | null, noteOf: NoteOfSkipped) {
    this.#bounds = bounds
    this.#member = member
    this.#noteOf = noteOf
  }

  get isEmpty(): boolean {
    return this.#head === this.#lines.length && this.#skipped === 0
  }

  /** Whether the oldest line goes for each that comes. */
  get isFull(): boolean {
    return this.#lines.length - this.#head >= this.#bounds.maxLines || this.#length >= this.#bounds.maxLength
  }

  /** Lines that wait, with those that were left out among them. */
  get count(): number {
    let count = this.#skipped
    for (let i = this.#head; i < this.#lines.length; i++)
      count += 1 + (this.#lines[i] as Pending).skippedBefore
    return count
  }

  push(line: PrintedLine): void {
    this.#lines.push({ line, skippedBefore: this.#skipped })
    this.#skipped = 0
    this.#length += line.text.length
    const { maxLines, maxLength } = this.#bounds
    while (this.#lines.length - this.#head > maxLines || this.#length > maxLength) if (!this.#drop()) return
  }

  skip(lines: number): void {
    this.#skipped += lines
  }

  /**
   * Takes the oldest, with notes where some were left out.
   *
   * @param now for notes
   */
  take(maxLines: number, maxLength: number, now: string): PrintedLine[] {
    const taken: PrintedLine[] = []
    let length = 0
    while (this.#head < this.#lines.length && taken.length < maxLines) {
      const { line, skippedBefore } = this.#lines[this.#head] as Pending
      if (taken.length > 0 && length + line.text.length > maxLength) break
      if (skippedBefore > 0) taken.push(this.#noteOf(skippedBefore, line.timestamp, this.#member))
      taken.push(line)
      length += line.text.length
      this.#leave()
    }
    if (this.#head === this.#lines.length && this.#skipped > 0 && taken.length < maxLines) {
      taken.push(this.#noteOf(this.#skipped, now, this.#member))
      this.#skipped = 0
    }
    return taken
  }

  /** False where only the newest is left. */
  #drop(): boolean {
    const oldest = this.#lines[this.#head] as Pending
    const next = this.#lines[this.#head + 1]
    if (!next) return false
    next.skippedBefore += oldest.skippedBefore + 1
    this.#leave()
    return true
  }

  #leave(): void {
    this.#length -= (this.#lines[this.#head] as Pending).line.text.length
    // Freed at once; the array itself follows when half of it is empty.
    this.#lines[this.#head++] = undefined
    if (this.#head > 256 && this.#head * 2 > this.#lines.length) {
      this.#lines = this.#lines.slice(this.#head)
      this.#head = 0
    }
  }
}
