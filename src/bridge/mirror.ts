import type { Redis } from 'ioredis'
import { BoundedLines } from '../bounds/bounded-lines.ts'
import type { TaskEvent } from '../task/event.ts'
import type { Position } from '../task/position.ts'
import { progressMessageOf } from '../task/progress-message.ts'
import { delivered } from '../task/stream-event.ts'
import { channelOf, type TaskSpec } from '../task/task.ts'
import { PRODUCER } from './channel-reporter.ts'
import { MIRRORED_BY } from './message.ts'

export interface MirrorOptions {
  /** Events of tasks of these are published on the channels `prefix:id`. */
  readonly channelPrefixes: readonly string[]
  /** Told why Redis does not take messages, so many times in a while, and how many were left out before. */
  readonly onRefused: (error: Error, channel: string, untold: number) => void
}

/** What became of events, since the process began. */
export type MirrorOutcome =
  | 'published'
  /** More waited than is kept. */
  | 'overflowed'
  /** The connection broke, or was silent, before Redis confirmed it: it was published or not. */
  | 'unconfirmed'
  /** Redis does not let this server publish. */
  | 'refused'

interface Message {
  readonly channel: string
  readonly text: string
  readonly bytes: number
}

/** What waits while Redis is away, or slower than reports are. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024
/** What a message takes beside its text. */
const OVERHEAD_BYTES = 200
/** Messages that Redis has not confirmed yet. */
const MAX_UNCONFIRMED = 1000
/** How long a mirror that stops goes on with what waits. */
const CLOSE_MS = 2000

/**
 * Publishes events on the Redis channels of their tasks, for subscribers that were there before. The server that appended an event
 * publishes it, at most once and before its reporter is answered, where nothing waits; so a reporter that goes on at another server
 * is published in order. Nobody waits for it.
 */
export class Mirror {
  readonly #publisher: Redis
  readonly #channelPrefixes: readonly string[]
  readonly #onRefused: MirrorOptions['onRefused']
  readonly #lines = new BoundedLines({ lines: 5, windowMs: 10_000 })
  /** Oldest first, of all channels. */
  readonly #waiting = new Set<Message>()
  readonly counts: Record<MirrorOutcome, number> = { published: 0, overflowed: 0, unconfirmed: 0, refused: 0 }
  #waitingBytes = 0
  /** Whether messages may be sent: no longer on a connection that is given up, though it takes its time to close. */
  #isUp: boolean
  #unconfirmed = 0
  #whenIdle: (() => void) | undefined

  /** @param publisher a connection for this mirror alone, which comes back by itself and sends nothing again */
  constructor(publisher: Redis, { channelPrefixes, onRefused }: MirrorOptions) {
    this.#publisher = publisher
    this.#channelPrefixes = channelPrefixes
    this.#onRefused = onRefused
    this.#isUp = publisher.status === 'ready'
    publisher.on('ready', () => {
      this.#isUp = true
      this.#flush()
    })
    publisher.on('close', () => {
      this.#isUp = false
    })
  }

  /** Events that wait, or are not confirmed yet. */
  get waitingCount(): number {
    return this.#waiting.size + this.#unconfirmed
  }

  /** @param top the position after the events, which were appended by one call */
  add(spec: TaskSpec, top: Position, events: readonly TaskEvent[]): void {
    if (!this.#channelPrefixes.includes(spec.channelPrefix)) return
    // The last event of a call has its producer: these are on the channel, by whoever published them.
    if (events.at(-1)?.producer === PRODUCER) return
    const channel = channelOf(spec)
    const before = top.offset - events.length
    // Copies, as delivery puts more into them.
    const entries = events.map((event, i) => ({ offset: before + i + 1, event: { ...event } }))
    for (const event of delivered(spec, top.generation, entries)) {
      this.#hold(channel, JSON.stringify({ mirrored_by: MIRRORED_BY, ...progressMessageOf(spec, event) }))
    }
    this.#flush()
  }

  /** Publishes what waits, as far as Redis takes it in time. */
  async close(): Promise<void> {
    this.#flush()
    if (this.#isUp && this.waitingCount > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#whenIdle = resolve
      })
      const timer = setTimeout(() => this.#whenIdle?.(), CLOSE_MS)
      await idle
      clearTimeout(timer)
    }
    this.#waiting.clear()
    this.#publisher.disconnect()
  }

  #hold(channel: string, text: string): void {
    const message = { channel, text, bytes: Buffer.byteLength(text) + OVERHEAD_BYTES }
    this.#waiting.add(message)
    this.#waitingBytes += message.bytes
    for (const oldest of this.#waiting) {
      if (this.#waitingBytes <= MAX_WAITING_BYTES) break
      this.#take(oldest)
      this.counts.overflowed++
    }
  }

  #take(message: Message): void {
    this.#waiting.delete(message)
    this.#waitingBytes -= message.bytes
  }

  #flush(): void {
    const { stream } = this.#publisher
    if (!this.#isUp || !stream.writable || this.#waiting.size === 0) return
    // What goes out together does so in one system call.
    stream.cork()
    for (const message of this.#waiting) {
      if (this.#unconfirmed >= MAX_UNCONFIRMED) break
      this.#take(message)
      this.#unconfirmed++
      void this.#publish(message)
    }
    stream.uncork()
  }

  async #publish({ channel, text }: Message): Promise<void> {
    try {
      await this.#publisher.publish(channel, text)
      this.counts.published++
    } catch (error) {
      // It is not sent again: it might be published twice.
      this.#failed(error as Error, channel)
    }
    this.#unconfirmed--
    this.#flush()
    if (this.waitingCount === 0) this.#whenIdle?.()
  }

  #failed(error: Error, channel: string): void {
    if (error.name === 'ReplyError') {
      this.counts.refused++
      const untold = this.#lines.take('refused')
      if (untold !== null) this.#onRefused(error, channel, untold)
      return
    }
    this.counts.unconfirmed++
    // A connection that died without a word: what waits would be lost on it, too.
    if (!this.#isUp) return
    this.#isUp = false
    this.#publisher.disconnect(true)
  }
}
