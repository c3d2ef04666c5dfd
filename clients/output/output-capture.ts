import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { OutputLines } from './output-lines.ts'
import { OutputTail } from './output-tail.ts'
import { PendingOutput } from './pending-output.ts'
import type { NoteOfSkipped, PrintedBatch, PrintedLine, PrintedStream } from './printed-line.ts'
import { Redaction } from './redaction.ts'

/** Takes lines of one attempt. What becomes of a batch that it rejects is for `fateOf` to say. */
export type BatchSink = (batch: PrintedBatch) => Promise<unknown>

/** Of a batch that was rejected. */
export type Fate =
  /** It comes again, the same. */
  | 'again'
  /** Nothing of it was taken, and what comes later may be: a note stands in its place. */
  | 'left out'
  /** Nobody wants its lines any more, nor those after them. */
  | 'over'

export interface OutputCaptureOptions {
  /** Bytes of UTF-8 in one line, and lines in one batch. */
  readonly bounds: { readonly lineBytes: number; readonly linesPerBatch: number }
  readonly noteOf: NoteOfSkipped
  readonly fateOf: (error: unknown) => Fate
  readonly attempt: number
  /** The rank, client or node that prints; null for the task's own. */
  readonly member?: string | null
  /** What must not be seen, such as the report token. */
  readonly secrets: readonly (string | null)[]
  /** Lines a second that are sent on the average, of `LINE_LENGTH` characters. */
  readonly linesPerSecond: number
  /** Lines that may wait; what two seconds bring by default. */
  readonly maxWaiting?: number
  /** A batch comes again after half a second, and after twice as long each time up to this; by default never longer. */
  readonly maxRetryMs?: number
  /** Time for what is left when it is closed; two seconds by default. */
  readonly closeMs?: number
  /** Told what pipes fail with. */
  readonly onError: (error: unknown) => void
  readonly now?: () => number
}

/** Characters that a line has on the average, at the rate of lines. */
const LINE_LENGTH = 256
/** Time between two batches. */
const FLUSH_MS = 200
const RETRY_MS = 500
const MAX_DOUBLINGS = 20
/** Rejections in a row at which it is given up, once it is closed. */
const MAX_CLOSING_FAILURES = 4
/** How long a line without an end waits for it; and the state of one that is drawn over itself, such as a progress bar. */
const PAUSE_MS = 1000
const DRAWN_MS = 5000
/** A piece of a chunk; where more comes than can be sent, so much of its end is looked at. */
const LOOKED_AT_BYTES = 8192
/** What is read of one pipe before all else has its turn: filled as fast as it is read, it would give megabytes at a time. */
export const TURN_BYTES = 262_144
/** Time for what is left when a trainer has ended. */
const CLOSE_MS = 2000
/** Bytes of output that end up in a failure's message. */
const TAIL_BYTES = 8192
/** Lines that wait, in seconds of the rate. */
const WAITING_SECONDS = 2

/**
 * Takes what a process prints, line by line, and hands it to a sink. Its pipes are always read: what is more than the sink
 * is to get is left out, the oldest first, with a note in its place. Bounded in memory, whatever is printed and however
 * long the sink is away.
 */
export class OutputCapture {
  readonly #sink: BatchSink
  readonly #options: OutputCaptureOptions
  readonly #redaction: Redaction
  readonly #tail: OutputTail
  readonly #pending: PendingOutput
  readonly #streams: OutputLines[] = []
  readonly #now: () => number
  readonly #producer = `output-${randomUUID()}`
  #sequence = 1
  /** What has yet to be taken by the sink; it comes again, the same, until it is. */
  #batch: PrintedLine[] = []
  /** Rejections in a row. */
  #failures = 0
  #clock = { now: Number.NaN, text: '' }
  #budget: { lines: number; at: number }
  #flushing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #state: 'open' | 'closing' | 'over' = 'open'

  constructor(sink: BatchSink, options: OutputCaptureOptions) {
    this.#sink = sink
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#redaction = new Redaction(options.secrets)
    this.#tail = new OutputTail(TAIL_BYTES, this.#redaction)
    const maxLines = options.maxWaiting ?? WAITING_SECONDS * options.linesPerSecond
    this.#pending = new PendingOutput(
      { maxLines, maxLength: Math.max(LINE_LENGTH * maxLines, options.bounds.lineBytes) },
      options.member ?? null,
      options.noteOf,
    )
    this.#budget = { lines: options.linesPerSecond, at: this.#now() }
  }

  /** Reads a pipe to its end. */
  read(stream: Readable | null, name: PrintedStream): void {
    if (!stream) return
    const take = this.open(name)
    let bytes = 0
    stream.on('data', (chunk: Buffer) => {
      take(chunk)
      bytes += chunk.length
      if (bytes < TURN_BYTES) return
      bytes = 0
      stream.pause()
      setImmediate(() => stream.resume())
    })
    // What is left without an end is sent when the capture is closed.
    stream.on('error', this.#options.onError)
  }

  /** For what is read elsewhere: the function takes what was printed. It does not wait, and keeps nothing of a chunk. */
  open(name: PrintedStream): (chunk: Buffer) => void {
    const lines = new OutputLines({
      maxBytes: this.#options.bounds.lineBytes,
      redaction: this.#redaction,
      onLine: (text, isCut) => this.#push(name, text, isCut),
    })
    this.#streams.push(lines)
    return (chunk) => {
      this.#tail.push(chunk)
      if (this.#state === 'over') return
      this.#make(lines, chunk)
      this.#flushSoon(FLUSH_MS)
    }
  }

  /** Lines that have not been taken; once it is closed, they never will be. */
  get unsentCount(): number {
    return this.#pending.count + countOf(this.#batch)
  }

  /** The newest of all that was printed, for the message of a failure. */
  get tail(): string {
    return this.#tail.toString()
  }

  /**
   * Hands over what is left, for a bounded time; to be called once all pipes have ended.
   *
   * @param enough leaves out what is still left, once it is aborted
   */
  async close(enough?: AbortSignal): Promise<void> {
    clearTimeout(this.#timer)
    for (const lines of this.#streams) lines.end()
    if (this.#state === 'open') this.#state = 'closing'
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#options.closeMs ?? CLOSE_MS)
      if (enough?.aborted) resolve()
      else enough?.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.race([this.#flushAll(), late])
    clearTimeout(timer)
    clearTimeout(this.#timer)
    this.#state = 'over'
  }

  /**
   * Makes lines of a chunk, piece by piece: as soon as more waits than can be sent, only of its end, and of what lies before
   * no more is known than how many lines it was.
   */
  #make(lines: OutputLines, chunk: Buffer): void {
    const now = this.#now()
    const end = chunk.length - LOOKED_AT_BYTES
    for (let at = 0; at < chunk.length; ) {
      const lineEnd = at < end && this.#pending.isFull ? chunk.indexOf('\n', end) : -1
      if (lineEnd >= 0) {
        this.#pending.skip(lines.skip(chunk.subarray(at, lineEnd + 1)))
        at = lineEnd + 1
      }
      lines.push(chunk.subarray(at, at + LOOKED_AT_BYTES), now)
      at += LOOKED_AT_BYTES
    }
  }

  #push(stream: PrintedStream, text: string, isCut: boolean): void {
    const member = this.#options.member ?? null
    this.#pending.push({ timestamp: this.#time(), stream, text, member, isCut, skipped: null })
  }

  /** Millions of lines may come in one millisecond. */
  #time(): string {
    const now = this.#now()
    if (now !== this.#clock.now) this.#clock = { now, text: new Date(now).toISOString() }
    return this.#clock.text
  }

  #flushSoon(ms: number): void {
    if (this.#state === 'open' && !this.#flushing) this.#timer ??= setTimeout(() => this.#flush(), ms)
  }

  #flush(): void {
    this.#timer = undefined
    this.#endPauses()
    this.#flushing = this.#send().then((ms) => {
      this.#flushing = undefined
      if (ms !== null) this.#flushSoon(ms)
    })
  }

  #endPauses(): void {
    const now = this.#now()
    for (const lines of this.#streams) {
      const since = lines.waitingSince
      if (since !== null && now - since >= (lines.isDrawn ? DRAWN_MS : PAUSE_MS)) lines.endPause()
    }
  }

  async #flushAll(): Promise<void> {
    await this.#flushing
    while (this.#state === 'closing' && (this.#batch.length > 0 || !this.#pending.isEmpty)) {
      await this.#send()
      // Who takes nothing by now is away.
      if (this.#failures >= MAX_CLOSING_FAILURES) return
      if (this.#failures > 0) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }

  /** Returns when to look again; null where there is nothing to look for. */
  async #send(): Promise<number | null> {
    if (this.#batch.length === 0) this.#batch = this.#take()
    const lines = this.#batch
    if (lines.length > 0) {
      const { attempt } = this.#options
      try {
        await this.#sink({ lines, attempt, producer: this.#producer, firstSequence: this.#sequence })
        this.#sequence += lines.length
        this.#batch = []
        this.#failures = 0
      } catch (error) {
        return this.#failed(error)
      }
    }
    const isWaiting = this.#streams.some(({ waitingSince }) => waitingSince !== null)
    return isWaiting || !this.#pending.isEmpty ? FLUSH_MS : null
  }

  #failed(error: unknown): number | null {
    const fate = this.#options.fateOf(error)
    if (fate === 'over') {
      // The pipes are read on.
      this.#state = 'over'
      this.#batch = []
      return null
    }
    if (fate === 'left out') {
      this.#pending.skip(countOf(this.#batch))
      this.#batch = []
    }
    const delayMs = RETRY_MS * 2 ** Math.min(this.#failures++, MAX_DOUBLINGS)
    return Math.min(delayMs, this.#options.maxRetryMs ?? RETRY_MS)
  }

  #take(): PrintedLine[] {
    const now = this.#now()
    const { linesPerSecond } = this.#options
    const max = Math.min(this.#options.bounds.linesPerBatch, linesPerSecond) - 1
    if (this.#state === 'closing') return this.#pending.take(max, LINE_LENGTH * max, this.#time())
    const { lines, at } = this.#budget
    const budget = Math.min(linesPerSecond, lines + ((now - at) / 1000) * linesPerSecond)
    this.#budget = { lines: budget, at: now }
    const affordable = Math.min(max, Math.floor(budget))
    if (affordable < 1) return []
    const taken = this.#pending.take(affordable, LINE_LENGTH * affordable, this.#time())
    const length = taken.reduce((sum, { text }) => sum + text.length, 0)
    this.#budget.lines -= Math.max(taken.length, length / LINE_LENGTH)
    return taken
  }
}

/** Lines of the process's, not of the batch. */
const countOf = (lines: readonly PrintedLine[]): number =>
  lines.reduce((sum, { skipped }) => sum + (skipped ?? 1), 0)
