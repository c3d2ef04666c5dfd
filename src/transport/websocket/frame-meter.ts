/** What deflate makes of a byte at most (RFC 1951, a match of 258 bytes in two bits). */
const MAX_INFLATION = 1032
/** What a piece of a message costs beside its bytes. */
const PIECE_BYTES = 128

/**
 * How much a client has sent of a WebSocket message that it has not finished, by the frames' headers (RFC 6455): what
 * `ws` holds of it, which it does not tell.
 */
export class FrameMeter {
  /** When the first byte of the unfinished message came; null where there is none. */
  startedAt: number | null = null
  readonly #maxMessageBytes: number
  /** Of the fragments of the message that have come whole. */
  #fragmentBytes = 0
  /** Of the frame that has not come whole. */
  #frameBytes = 0
  /** Of that frame, yet to come; 0 while its header is read. */
  #left = 0
  /** The header that is being read, or of the frame that is: its bytes so far, the first two, and the length after them. */
  #headerBytes = 0
  #first = 0
  #second = 0
  #length = 0
  /** The fragments are compressed: `ws` holds them inflated. */
  #isCompressed = false

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes
  }

  /** Bytes that are held of the unfinished message. */
  get bytes(): number {
    return this.#fragmentBytes + this.#frameBytes
  }

  /** Takes what has come. */
  push(chunk: Uint8Array, now = performance.now()): void {
    for (let at = 0; at < chunk.length; ) {
      this.startedAt ??= now
      if (this.#left > 0) {
        const count = Math.min(this.#left, chunk.length - at)
        this.#left -= count
        this.#frameBytes += count
        at += count
        if (this.#left === 0) this.#endFrame()
      } else {
        this.#readHeader(chunk[at++] as number)
      }
    }
    if (this.startedAt !== null) this.#frameBytes += PIECE_BYTES
  }

  #readHeader(byte: number): void {
    const at = this.#headerBytes++
    this.#frameBytes++
    if (at === 0) this.#first = byte
    else if (at === 1) [this.#second, this.#length] = [byte, 0]
    else this.#length = this.#length * 256 + byte
    if (at === 0) return
    const short = this.#second & 0x7f
    if (this.#headerBytes < (short < 126 ? 2 : short === 126 ? 4 : 10)) return
    this.#headerBytes = 0
    // The mask is counted with the payload.
    this.#left = (short < 126 ? short : this.#length) + (this.#second & 0x80 ? 4 : 0)
    if (this.#left === 0) this.#endFrame()
  }

  #endFrame(): void {
    const first = this.#first
    const isControl = (first & 0x08) !== 0
    const isFinal = (first & 0x80) !== 0
    if (!isControl && isFinal) {
      this.#fragmentBytes = 0
      this.#isCompressed = false
    } else if (!isControl) {
      if (first & 0x40) this.#isCompressed = true
      const held = this.#isCompressed
        ? Math.min(this.#frameBytes * MAX_INFLATION, this.#maxMessageBytes)
        : this.#frameBytes
      this.#fragmentBytes += held + PIECE_BYTES
    }
    this.#frameBytes = 0
    if (this.#fragmentBytes === 0) this.startedAt = null
  }
}
