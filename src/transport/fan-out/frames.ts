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

/**
 * The results of a batch as WebSocket frames (RFC 6455: one unmasked text frame a message), but for the ids:
 * they are patched in for each subscriber, and the same bytes are written to one socket after the other.
 */
class Frames {
  readonly idLength: number
  #bytes: Buffer
  /** Where each frame starts, and where the last one ends. */
  readonly #starts: number[] = [0]
  readonly #idsAt: number[] = []
  /** A socket that could not take all of it at once still refers to the bytes. */
  #isTaken = false

  constructor(texts: readonly string[], idLength: number) {
    this.idLength = idLength
    const lengths = texts.map((text) => AROUND_BYTES + idLength + Buffer.byteLength(text))
    this.#bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + headerBytes(length) + length, 0))
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

  /** How far, from a frame on, frames fit into so many bytes. */
  fitting(from: number, maxBytes: number): number {
    const most = (this.#starts[from] as number) + maxBytes
    let to = from
    while (to < this.#idsAt.length && (this.#starts[to + 1] as number) <= most) to++
    return to
  }

  write(socket: Duplex, id: string, from: number, to: number): void {
    if (this.#isTaken) {
      this.#bytes = Buffer.from(this.#bytes)
      this.#isTaken = false
    }
    for (let i = from; i < to; i++) this.#bytes.write(id, this.#idsAt[i] as number, 'latin1')
    const isAll = from === 0 && to === this.#idsAt.length
    socket.write(isAll ? this.#bytes : this.#bytes.subarray(this.#starts[from], this.#starts[to]))
    if (socket.writableLength > 0) this.#isTaken = true
  }
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
   */
  send(id: string, results: ResultBatch, from: number): number {
    const { length } = results.texts
    if (!this.isOpen) return length
    const buffered = this.bufferedBytes
    const room = this.#maxBufferedBytes - buffered
    if (this.#isCompressed) return this.#sendEachCompressed(id, results.texts, from, room, buffered === 0)
    const frames = results.frames(id.length)
    let to = frames.fitting(from, room)
    if (to === from && buffered === 0 && from < length) to = from + 1
    if (to > from) frames.write(this.#socket, id, from, to)
    return to
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
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.isOpen || this.bufferedBytes === 0) return resolve()
      if (this.#isCompressed) return resolve(this.#sending)
      // Called back in its turn, after all that waits.
      this.#socket.write(NOTHING, () => resolve())
    })
  }

  #sendEachCompressed(
    id: string,
    texts: readonly string[],
    from: number,
    room: number,
    mayExceed: boolean,
  ): number {
    let [to, left] = [from, room]
    for (; to < texts.length; to++) {
      const text = BEFORE_ID + id + AFTER_ID + texts[to] + END
      left -= Buffer.byteLength(text)
      if (left < 0 && !(mayExceed && to === from)) break
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
  return JSON.stringify(id)
    .slice(1, -1)
    .replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
