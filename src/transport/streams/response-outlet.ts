import type { EventBatch, Outlet } from '../../delivery/outlet.ts'
import type { StreamEvent } from '../../task/stream-event.ts'
import type { CountedResponse } from '../counted-response.ts'
import type { StreamFormat } from './stream-format.ts'

/** A batch as one format writes it: the bytes of all its results, each a chunk of HTTP/1.1, and where each ends. */
interface BatchChunks {
  readonly bytes: Buffer
  readonly ends: readonly number[]
  /** When it was made; the time of each write would cost more than all the rest of it but the system call. */
  readonly at: number
}

type MadeChunks = WeakMap<EventBatch, BatchChunks>

/** Made once for all responses of one format. */
const made = new WeakMap<StreamFormat, MadeChunks>()

const NOTHING = Buffer.alloc(0)

/**
 * A response that goes on, as the outlet of one subscription. The same bytes are written to one response after the
 * other; what waits is bounded, and a response that is behind is skipped until it has drained.
 */
export class ResponseOutlet implements Outlet {
  readonly #response: CountedResponse
  readonly #format: StreamFormat
  readonly #maxBufferedBytes: number
  readonly #made: MadeChunks
  #waiting: (() => void)[] = []
  #writtenAt = performance.now()

  /** @param maxBufferedBytes that may wait, beside one result */
  constructor(response: CountedResponse, format: StreamFormat, maxBufferedBytes: number) {
    this.#response = response
    this.#format = format
    this.#maxBufferedBytes = maxBufferedBytes
    this.#made = madeFor(format)
    response.once('close', this.#wake)
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded
  }

  send(batch: EventBatch, from: number, to: number): number {
    if (!this.isOpen) return to
    const { bytes, ends, at: madeAt } = this.#made.get(batch) ?? this.#makeChunks(batch)
    const start = from === 0 ? 0 : (ends[from - 1] as number)
    const buffered = this.#response.writableLength
    let at = from
    while (at < to) {
      const length = (ends[at] as number) - start
      const fits = buffered + length <= this.#maxBufferedBytes || (at === from && buffered === 0)
      if (!fits) break
      at++
    }
    if (at === from) return at
    const end = ends[at - 1] as number
    // What may have to wait holds on to no more than it is to send.
    const chunks = end - start === bytes.length ? bytes : copyOf(bytes.subarray(start, end))
    if (chunks.length === 0) return at
    this.#writtenAt = madeAt
    if (!this.#response.tryWriteChunks(chunks)) this.write(textOf(batch, this.#format, from, at))
    return at
  }

  sendOwn(text: string, { cursor }: StreamEvent): void {
    this.write(this.#format.result(text, cursor))
  }

  /** Writes whatever waits. */
  write(data: string): void {
    // Of a format that leaves a result out.
    if (!this.isOpen || data.length === 0) return
    this.#writtenAt = performance.now()
    this.#response.write(data)
  }

  /** Says that the connection lives, where nothing has for this time. */
  beat(now: number, intervalMs: number): void {
    const isIdle = this.#response.writableLength === 0 && now - this.#writtenAt >= intervalMs
    if (isIdle) this.write(this.#format.heartbeat)
  }

  drained(): Promise<void> {
    if (!this.isOpen || this.#response.writableLength === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      // Called back in its turn, after all that waits.
      this.#response.write(NOTHING, this.#wake)
    })
  }

  readonly #wake = (): void => {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #makeChunks(batch: EventBatch): BatchChunks {
    const chunks = batch.texts.map((_, i) => chunkOf(resultOf(batch, this.#format, i)))
    const ends: number[] = []
    for (const { length } of chunks) ends.push((ends.at(-1) ?? 0) + length)
    const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
    const all = { bytes, ends, at: performance.now() }
    if (batch.isShared) this.#made.set(batch, all)
    return all
  }
}

function madeFor(format: StreamFormat): MadeChunks {
  const known = made.get(format)
  if (known) return known
  const chunks: MadeChunks = new WeakMap()
  made.set(format, chunks)
  return chunks
}

const resultOf = ({ texts, events }: EventBatch, format: StreamFormat, i: number): string =>
  format.result(texts[i] as string, events[i]?.cursor ?? null)

function textOf(batch: EventBatch, format: StreamFormat, from: number, to: number): string {
  let text = ''
  for (let i = from; i < to; i++) text += resultOf(batch, format, i)
  return text
}

/** One chunk of a body; nothing for nothing, as an empty one would be the end. */
function chunkOf(text: string): Buffer {
  if (text.length === 0) return NOTHING
  const head = `${Buffer.byteLength(text).toString(16)}\r\n`
  return Buffer.from(`${head}${text}\r\n`)
}

/** Not from Node's pool, of which a piece would keep the whole. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}
