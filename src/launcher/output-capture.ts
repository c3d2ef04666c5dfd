import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { EpochcastError, ERROR_CODES } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import type { OutputBatch, OutputStreamName, SentLine } from '../task/output.ts'
import { OutputLines } from './output-lines.ts'
import { OutputTail } from './output-tail.ts'
import { PendingOutput } from './pending-output.ts'
import { Redaction } from './redaction.ts'

/**
 * Takes lines of one attempt: appends them to its task's output, or sends them to a server that does (`reportOutput`). Where
 * it rejects with a retryable error, the same batch comes again.
 */
export type OutputSink = (batch: OutputBatch) => Promise<unknown>

export interface OutputCaptureOptions {
  readonly attempt: number
  /** The rank, client or node that prints; null for the task's own. */
  readonly member?: string | null
  /** What must not be seen, such as the report token. */
  readonly secrets: readonly (string | null)[]
  /** Lines a second that are sent on the average, of `LINE_LENGTH` characters. */
  readonly linesPerSecond: number
  /** Told what is neither a refusal nor to be tried again. */
  readonly onError: (error: unknown) => void
  readonly now?: () => number
}

/** Characters that a line has on the average, at the rate of lines. */
const LINE_LENGTH = 256
/** Time between two batches. */
const FLUSH_MS = 200
const RETRY_MS = 500
/** How long a line without an end waits for it; and the state of one that is drawn over itself, such as a progress bar. */
const PAUSE_MS = 1000
const DRAWN_MS = 5000
/** A piece of a chunk; where more comes than can be sent, so much of its end is looked at. */
const LOOKED_AT_BYTES = 8192
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
  readonly #sink: OutputSink
  readonly #options: OutputCaptureOptions
  readonly #redaction: Redaction
  readonly #tail: OutputTail
  readonly #pending: PendingOutput
  readonly #streams: OutputLines[] = []
  readonly #now: () => number
  readonly #producer = `output-${randomUUID()}`
  #sequence = 1
  /** What has yet to be taken by the sink; it comes again, the same, until it is. */
  #batch: SentLine[] = []
  #clock = { now: Number.NaN, text: '' }
  #budget: { lines: number; at: number }
  #flushing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #state: 'open' | 'closing' | 'over' = 'open'

  constructor(sink: OutputSink, options: OutputCaptureOptions) {
    this.#sink = sink
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#redaction = new Redaction(options.secrets)
    this.#tail = new OutputTail(TAIL_BYTES, this.#redaction)
    const maxLines = WAITING_SECONDS * options.linesPerSecond
    this.#pending = new PendingOutput(
      { maxLines, maxLength: Math.max(LINE_LENGTH * maxLines, LIMITS.outputLineBytes) },
      options.member ?? null,
    )
    this.#budget = { lines: options.linesPerSecond, at: this.#now() }
  }

  /** Reads a pipe to its end. */
  read(stream: Readable | null, name: OutputStreamName): void {
    if (!stream) return
    const lines = new OutputLines({
      maxBytes: LIMITS.outputLineBytes,
      redaction: this.#redaction,
      onLine: (text, isCut) => this.#push(name, text, isCut),
    })
    this.#streams.push(lines)
    stream.on('data', (chunk: Buffer) => {
      this.#tail.push(chunk)
      if (this.#state === 'over') return
      this.#make(lines, chunk)
      this.#flushSoon(FLUSH_MS)
    })
    // What is left without an end is sent when the capture is closed.
    stream.on('error', this.#options.onError)
  }

  /** The newest of all that was printed, for the message of a failure. */
  get tail(): string {
    return this.#tail.toString()
  }

  /** Hands over what is left, for a bounded time; to be called once all pipes have ended. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    for (const lines of this.#streams) lines.end()
    if (this.#state === 'open') this.#state = 'closing'
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS)
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

  #push(stream: OutputStreamName, text: string, isCut: boolean): void {
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
      if ((await this.#send()) === RETRY_MS) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
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
      } catch (error) {
        return this.#failed(error)
      }
    }
    const isWaiting = this.#streams.some(({ waitingSince }) => waitingSince !== null)
    return isWaiting || !this.#pending.isEmpty ? FLUSH_MS : null
  }

  #failed(error: unknown): number | null {
    if (error instanceof EpochcastError && error.code === 'STORE_FULL') {
      // Nothing of it was taken, and what comes later may be: with a note for these.
      this.#pending.skip(this.#batch.reduce((sum, { skipped }) => sum + (skipped ?? 1), 0))
      this.#batch = []
      return RETRY_MS
    }
    if (error instanceof EpochcastError && ERROR_CODES[error.code].retryable) return RETRY_MS
    if (!(error instanceof EpochcastError)) this.#options.onError(error)
    // Nobody wants it any more: the task is gone, or a newer attempt has begun. The pipes are read on.
    this.#state = 'over'
    this.#batch = []
    return null
  }

  #take(): SentLine[] {
    const now = this.#now()
    const { linesPerSecond } = this.#options
    const max = Math.min(LIMITS.outputLinesPerCall, linesPerSecond) - 1
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
