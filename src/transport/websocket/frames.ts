import type { Duplex } from 'node:stream'
import type { EventBatch } from '../../delivery/outlet.ts'

/** What a message has around its subscription's id and its text, in ASCII. */
export interface Envelope {
  readonly beforeId: string
  readonly afterId: string
  readonly end: string
}

/** Kinds of ids, by length, for which the frames of one batch are kept; clients mostly use UUIDs. */
const MAX_KEPT_FRAMES = 4

const keptFrames = new WeakMap<EventBatch, Frames[]>()

/** The frames of a batch for ids of this many characters, made once for all of them. */
export function framesOf(batch: EventBatch, envelope: Envelope, idLength: number): Frames {
  let kept = keptFrames.get(batch)
  if (!kept) {
    kept = []
    keptFrames.set(batch, kept)
  }
  let frames = kept.find((each) => each.idLength === idLength && each.envelope === envelope)
  if (!frames) {
    frames = new Frames(batch.texts, envelope, idLength)
    if (kept.length < MAX_KEPT_FRAMES) kept.push(frames)
  }
  return frames
}

/** Bytes of one piece of frames: what a socket can hold on to by a part of them. A frame may be larger. */
const SEGMENT_BYTES = 32_768

/**
 * The texts of a batch as WebSocket frames (RFC 6455: one unmasked text frame a message), but for the ids:
 * they are patched in for each subscriber, and the same bytes are written to one socket after the other.
 */
class Frames {
  readonly envelope: Envelope
  readonly idLength: number
  /** The piece that each frame is in. */
  readonly #segments: Segment[] = []

  constructor(texts: readonly string[], envelope: Envelope, idLength: number) {
    this.envelope = envelope
    this.idLength = idLength
    const aroundBytes = envelope.beforeId.length + envelope.afterId.length + envelope.end.length
    const lengths = texts.map((text) => aroundBytes + idLength + Buffer.byteLength(text))
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
        envelope,
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

interface SegmentPlace {
  /** Index of its first frame. */
  readonly first: number
  readonly bytes: number
  readonly envelope: Envelope
  readonly idLength: number
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
    { first, bytes, envelope, idLength }: SegmentPlace,
  ) {
    this.#first = first
    this.#idLength = idLength
    this.#bytes = Buffer.allocUnsafeSlow(bytes)
    let at = 0
    for (const [i, text] of texts.entries()) {
      at = writeHeader(this.#bytes, at, lengths[i] as number)
      at += this.#bytes.write(envelope.beforeId, at, 'latin1')
      this.#idsAt.push(at)
      at += idLength
      at += this.#bytes.write(envelope.afterId, at, 'latin1')
      at += this.#bytes.write(text, at)
      at += this.#bytes.write(envelope.end, at, 'latin1')
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

/** One message as a frame of its own. */
export function frameOf(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const frame = Buffer.allocUnsafe(headerBytes(length) + length)
  frame.write(text, writeHeader(frame, 0, length))
  return frame
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
