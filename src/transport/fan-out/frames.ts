import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

/** A `next` message of the graphql-transport-ws protocol: these around its operation's id and its result. */
const BEFORE_ID = '{"id":"'
const AFTER_ID = '","type":"next","payload":'
const END = '}'
const AROUND_BYTES = BEFORE_ID.length + AFTER_ID.length + END.length

/** Kinds of ids, by length, for which the frames of one batch are kept; clients mostly use UUIDs. */
const MAX_ID_LENGTHS = 4
const NOTHING = Buffer.alloc(0)

/** Results as JSON text, in order, and their finished frames. */
export class ResultBatch {
  readonly texts: readonly string[]
  readonly #frames: Frames[] = []

  constructor(texts: readonly string[]) {
    this.texts = texts
  }

  /** Frames for ids of this many characters. */
  frames(idLength: number): Frames {
    let frames = this.#frames.find((each) => each.idLength === idLength)
    if (!frames) {
      frames = new Frames(this.texts, idLength)
      if (this.#frames.length < MAX_ID_LENGTHS) this.#frames.push(frames)
    }
    return frames
  }
}

/** Bytes of one piece of frames: what a socket can hold on to by a part of them. A frame may be larger. */
export const SEGMENT_BYTES = 32_768

/**
 * The results of a batch as WebSocket frames (RFC 6455: one unmasked text frame a message), but for the ids:
 * they are patched in for each subscriber, and the same bytes are written to one socket after the other.
 */
class Frames {
  readonly idLength: number
  /** The piece that each frame is in. */
  readonly #segments: Segment[] = []

  constructor(texts: readonly string[], idLength: number) {
    this.idLength = idLength
    const lengths = texts.map((text) => AROUND_BYTES + idLength + Buffer.byteLength(text))
    for (let first = 0; first < texts.length; ) {
      let [end, bytes] = [first, 0]
      do {
        const length = lengths[end] as number
        bytes += headerBytes(length) + length
        end++
      } while (end < texts.length && bytes + 10 + (lengths[end] as number) <= SEGMENT_BYTES)
      const segment = new Segment(texts.slice(first, end), lengths.slice(first, end), {
        first,
        bytes,
        idLength,
      })
      while (this.#segments.length < end) this.#segments.push(segment)
      first = end
    }
  }

  /** How far, from a frame on, frames of the same piece fit into so many bytes. */
  fitting(from: number, maxBytes: number): number {
    return this.#segments[from]?.fitting(from, maxBytes) ?? from
  }

  /** Writes frames of one piece. */
  write(socket: Duplex, id: string, from: number, to: number): void {
    this.#segments[from]?.write(socket, id, from, to)
  }
}

class Segment {
  readonly #first: number
  readonly #idLength: number
  #bytes: Buffer
  /** Where each frame starts, and where the last one ends. */
  readonly #starts: number[] = [0]
  readonly #idsAt: number[] = []
  /** A socket that could not take all of it at once still refers to the bytes. */
  #isTaken = false

  constructor(
    texts: readonly string[],
    lengths: readonly number[],
    { first, bytes, idLength }: { first: number; bytes: number; idLength: number },
  ) {
    this.#first = first
    this.#idLength = idLength
    this.#bytes = Buffer.allocUnsafeSlow(bytes)
    let at = 0
    for (const [i, text] of texts.entries()) {
      at = writeHeader(this.#bytes, at, lengths[i] as number)
      at += this.#bytes.write(BEFORE_ID, at, 'latin1')
      this.#idsAt.push(at)
      at += idLength
      at += this.#bytes.write(AFTER_ID, at, 'latin1')
      at += this.#bytes.write(text, at)
      at += this.#bytes.write(END, at, 'latin1')
      this.#starts.push(at)
    }
  }

  /** How far, from a frame on, frames of this segment fit into so many bytes. */
  fitting(frame: number, maxBytes: number): number {
    const from = frame - this.#first
    const most = (this.#starts[from] as number) + maxBytes
    let to = from
    while (to < this.#idsAt.length && (this.#starts[to + 1] as number) <= most) to++
    return this.#first + to
  }

  write(socket: Duplex, id: string, fromFrame: number, toFrame: number): void {
    const [from, to] = [fromFrame - this.#first, toFrame - this.#first]
    if (this.#isTaken) {
      this.#bytes = copyOf(this.#bytes)
      this.#isTaken = false
    }
    for (let i = from; i < to; i++) this.#bytes.write(id, this.#idsAt[i] as number, this.#idLength, 'latin1')
    const isAll = from === 0 && to === this.#idsAt.length
    const bytes = isAll ? this.#bytes : this.#bytes.subarray(this.#starts[from], this.#starts[to])
    if (socket.writableLength > 0) {
      // It will wait behind what waits already: a copy, so that no more is kept for it than it is to get.
      socket.write(copyOf(bytes))
      return
    }
    socket.write(bytes)
    if (socket.writableLength > 0) this.#isTaken = true
  }
}

/** Not from Node's pool, of which a piece would keep the whole. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}

const headerBytes = (length: number): number => (length < 126 ? 2 : length < 65_536 ? 4 : 10)

const FINAL_TEXT_FRAME = 0x81

function writeHeader(bytes: Buffer, start: number, length: number): number {
  let at = bytes.writeUInt8(FINAL_TEXT_FRAME, start)
  if (length < 126) return bytes.writeUInt8(length, at)
  if (length < 65_536) {
    at = bytes.writeUInt8(126, at)
    return bytes.writeUInt16BE(length, at)
  }
  at = bytes.writeUInt8(127, at)
  return bytes.writeBigUInt64BE(BigInt(length), at)
}

/**
 * The way out to one WebSocket for results that many get. The only place that writes to a socket beside
 * `ws`: finished frames, each whole, between whole frames of the library, which writes its own at once as
 * long as nothing is compressed. On a socket with compression the library sends.
 */
export class Outlet {
  readonly #webSocket: WebSocket
  readonly #socket: Duplex
  readonly #maxBufferedBytes: number
  readonly #isCompressed: boolean
  /** Until the last compressed message has been handed to the system. */
  #sending: Promise<void> | undefined

  /** @param socket what `webSocket` was made of at the upgrade */
  constructor(webSocket: WebSocket, socket: Duplex, maxBufferedBytes: number) {
    this.#webSocket = webSocket
    this.#socket = socket
    this.#maxBufferedBytes = maxBufferedBytes
    this.#isCompressed = webSocket.extensions !== ''
  }

  /** False once it is closing: nothing may follow. */
  get isOpen(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN
  }

  /** Bytes that wait in this process. */
  get bufferedBytes(): number {
    return this.#isCompressed ? this.#webSocket.bufferedAmount : this.#socket.writableLength
  }

  /**
   * Sends results from `from` on as messages of an operation, as many as the bound of buffered bytes allows,
   * but at least one where nothing waits. Answers up to which they were sent.
   *
   * @param id as `idText` gives it
   * @param length how many results there are to send; all of them by default
   */
  send(id: string, results: ResultBatch, from: number, length = results.texts.length): number {
    if (!this.isOpen) return length
    if (this.#isCompressed) return this.#sendEachCompressed(id, results.texts.slice(0, length), from)
    const frames = results.frames(id.length)
    let at = from
    while (at < length) {
      const buffered = this.#socket.writableLength
      const fitting = frames.fitting(at, this.#maxBufferedBytes - buffered)
      if (fitting === at && buffered > 0) break
      const to = Math.min(length, Math.max(fitting, at + 1))
      frames.write(this.#socket, id, at, to)
      at = to
    }
    return at
  }

  /** As `send`, of a single result that nobody else gets: 1 where it was sent, else 0. */
  sendOne(id: string, text: string): number {
    if (!this.isOpen) return 1
    const buffered = this.bufferedBytes
    if (buffered > 0) return this.send(id, new ResultBatch([text]), 0)
    void this.sendResult(id, text)
    return 1
  }

  /** Sends one subscriber's own result as a message of an operation; `id` as `idText` gives it. */
  sendResult(id: string, text: string): Promise<void> | undefined {
    return this.sendMessage(BEFORE_ID + id + AFTER_ID + text + END)
  }

  /** Sends a message of the protocol; the promise, where there is one, resolves once the system has it. */
  sendMessage(text: string): Promise<void> | undefined {
    if (!this.isOpen) return undefined
    if (this.#isCompressed) {
      this.#sendCompressed(text)
      return this.#sending
    }
    const length = Buffer.byteLength(text)
    const frame = Buffer.allocUnsafe(headerBytes(length) + length)
    frame.write(text, writeHeader(frame, 0, length))
    this.#socket.write(frame)
    return this.#socket.writableLength > 0 ? this.drained() : undefined
  }

  /** Resolves once all that was sent before has been handed to the system, or the socket is gone. */
  async drained(): Promise<void> {
    if (this.#isCompressed && this.isOpen && this.bufferedBytes > 0) await this.#sending
    if (!this.isOpen || this.#socket.writableLength === 0) return
    // Called back in its turn, after all that waits.
    await new Promise<void>((resolve) => this.#socket.write(NOTHING, () => resolve()))
  }

  #sendEachCompressed(id: string, texts: readonly string[], from: number): number {
    const buffered = this.bufferedBytes
    let room = this.#maxBufferedBytes - buffered
    let to = from
    for (; to < texts.length; to++) {
      const text = BEFORE_ID + id + AFTER_ID + texts[to] + END
      room -= Buffer.byteLength(text)
      if (room < 0 && (to > from || buffered > 0)) break
      this.#sendCompressed(text)
    }
    return to
  }

  #sendCompressed(text: string): void {
    // A failure to send ends the socket, and with it all that would be sent.
    this.#sending = new Promise((resolve) => this.#webSocket.send(text, () => resolve()))
  }
}

/** An operation's id as it stands in messages: escaped as JSON has it, in ASCII, so that characters are bytes. */
export function idText(id: string): string {
  // As most are.
  if (/^[\w-]+$/.test(id)) return id
  return JSON.stringify(id)
    .slice(1, -1)
    .replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
