import type { ServerResponse } from 'node:http'
import type { EventBatch, Outlet } from '../../delivery/outlet.ts'
import type { StreamEvent } from '../../task/stream-event.ts'
import type { StreamFormat } from './stream-format.ts'

/** A batch as one format writes it: the bytes of all its results, and where each ends. */
interface BatchBytes {
  readonly bytes: Buffer
  readonly ends: readonly number[]
}

/** Made once for all responses of one format. */
const made = new WeakMap<EventBatch, Map<StreamFormat, BatchBytes>>()

/**
 * A response that goes on, as the outlet of one subscription. The same bytes are written to one response after the
 * other; what waits is bounded, and a response that is behind is skipped until it has drained.
 */
export class ResponseOutlet implements Outlet {
  readonly #response: ServerResponse
  readonly #format: StreamFormat
  readonly #maxBufferedBytes: number
  /** Writes of which the system has not taken all. */
  #pending = 0
  #waiting: (() => void)[] = []
  #writtenAt = performance.now()

  /** @param maxBufferedBytes that may wait, beside one result */
  constructor(response: ServerResponse, format: StreamFormat, maxBufferedBytes: number) {
    this.#response = response
    this.#format = format
    this.#maxBufferedBytes = maxBufferedBytes
    response.once('close', this.#wake)
  }

  get isOpen(): boolean {
    return !this.#response.destroyed && !this.#response.writableEnded
  }

  send(batch: EventBatch, from: number, to: number): number {
    if (!this.isOpen) return to
    const { bytes, ends } = bytesOf(batch, this.#format)
    const start = from === 0 ? 0 : (ends[from - 1] as number)
    const buffered = this.#response.writableLength
    let at = from
    while (at < to) {
      const length = (ends[at] as number) - start
      const fits = buffered + length <= this.#maxBufferedBytes || (at === from && buffered === 0)
      if (!fits) break
      at++
    }
    if (at > from) this.write(bytes.subarray(start, ends[at - 1]))
    return at
  }

  sendOwn(text: string, { cursor }: StreamEvent): void {
    this.write(this.#format.result(text, cursor))
  }

  /** Writes whatever waits. */
  write(data: string | Buffer): void {
    // Of a format that leaves a result out.
    if (!this.isOpen || data.length === 0) return
    this.#pending++
    this.#writtenAt = performance.now()
    this.#response.write(data, this.#written)
  }

  /** Says that the connection lives, where nothing has for this time. */
  beat(now: number, intervalMs: number): void {
    if (this.#pending === 0 && now - this.#writtenAt >= intervalMs) this.write(this.#format.heartbeat)
  }

  drained(): Promise<void> {
    if (this.#pending === 0 || !this.isOpen) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  readonly #written = (): void => {
    if (--this.#pending === 0) this.#wake()
  }

  readonly #wake = (): void => {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function bytesOf(batch: EventBatch, format: StreamFormat): BatchBytes {
  let formats = made.get(batch)
  const known = formats?.get(format)
  if (known) return known
  const chunks = batch.texts.map((text, i) =>
    Buffer.from(format.result(text, batch.events[i]?.cursor ?? null)),
  )
  const ends: number[] = []
  for (const { length } of chunks) ends.push((ends.at(-1) ?? 0) + length)
  const all = { bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks), ends }
  if (batch.isShared) {
    formats ??= new Map()
    made.set(batch, formats.set(format, all))
  }
  return all
}
