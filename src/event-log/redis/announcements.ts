import { RedisPubSub } from 'graphql-redis-subscriptions'
import type { Redis } from 'ioredis'
import type { TaskEdit } from '../../task/edit.ts'
import type { Position } from '../../task/position.ts'
import type { LogEntry, Watch, WatchSignal } from '../event-log.ts'

/** What is published with every append: the entries after `offset - 1`, in order. */
interface PublishedEntries {
  readonly generation: string
  /** Offset of the first event. */
  readonly offset: number
  readonly events: readonly LogEntry['event'][]
}

interface PublishedEdit {
  readonly generation: string
  readonly revision: number
  readonly edit: TaskEdit
}

type Published = PublishedEntries & PublishedEdit & { readonly dropped: true; readonly output: Position }

/** What a message on a task's channel tells; whatever cannot be read, the log knows better. */
export function announced(text: string): WatchSignal {
  const published = (parsed(text) ?? {}) as Partial<Published>
  const { generation, offset, events, revision, edit, output, dropped } = published
  if (output) return { kind: 'output', top: output }
  if (dropped === true) return { kind: 'dropped' }
  if (typeof generation !== 'string') return { kind: 'resumed' }
  if (typeof offset === 'number' && Array.isArray(events)) return appended({ generation, offset, events })
  if (typeof revision === 'number' && edit) return { kind: 'edited', generation, revision, edit }
  return { kind: 'resumed' }
}

function appended({ generation, offset, events }: PublishedEntries): WatchSignal {
  const entries = events.map((event, i): LogEntry => ({ offset: offset + i, event }))
  return { kind: 'appended', top: { generation, offset: offset + events.length - 1 }, entries }
}

/** What a message says; null where it is no JSON, and so not of ours. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

interface Listener {
  readonly channel: string
  onSignal(signal: Message | Extract<WatchSignal, { kind: 'interrupted' | 'resumed' }>): void
}

interface Message {
  readonly kind: 'message'
  readonly text: string
}

/** Time between two looks whether the connection still lives. */
const PROBE_MS = 5000

/**
 * Subscriptions on the one connection that is for them. After every reconnect it subscribes to all
 * channels again, waits until Redis has confirmed it, and only then says `resumed`: what was published
 * in between is lost, and a listener that reads the log from then on misses nothing.
 */
export class Announcements {
  readonly #subscriber: Redis
  readonly #pubsub: RedisPubSub
  readonly #listeners = new Set<Listener>()
  readonly #onError: (error: unknown) => void
  readonly #timeoutMs: number
  /** Subscriptions that Redis has yet to confirm, and what is to be called then. */
  readonly #unconfirmed = new Map<string, (error: null) => void>()
  readonly #probing: NodeJS.Timeout
  #connected = false
  #closed = false

  /** @param timeoutMs longest wait for Redis to confirm a subscription */
  constructor(subscriber: Redis, timeoutMs: number, onError: (error: unknown) => void) {
    this.#subscriber = subscriber
    this.#timeoutMs = timeoutMs
    this.#onError = onError
    this.#pubsub = new RedisPubSub({ subscriber: this.#withoutDanglingPromises(), publisher: subscriber })
    subscriber.on('ready', () => this.#resubscribe())
    subscriber.on('close', () => this.#lose())
    this.#probing = setInterval(() => this.#probe(), PROBE_MS).unref()
  }

  /** Connected, and subscribed to everything that is listened to. */
  get connected(): boolean {
    return this.#connected
  }

  /** Listeners at present. */
  get size(): number {
    return this.#listeners.size
  }

  /** Resolves once Redis has confirmed the subscription; rejects where it does not in time. */
  async listen(channel: string, onSignal: Listener['onSignal']): Promise<Watch> {
    const listener: Listener = { channel, onSignal }
    const subscribing = this.#pubsub.subscribe(channel, (message: Message) => onSignal(message))
    if (!(await settlesWithin(this.#timeoutMs, subscribing))) {
      subscribing.then((late) => this.#pubsub.unsubscribe(late), this.#onError)
      throw new Error(`Redis did not confirm a subscription within ${this.#timeoutMs} ms`)
    }
    const id = await subscribing
    this.#listeners.add(listener)
    return {
      close: async () => {
        if (!this.#listeners.delete(listener) || this.#closed) return
        this.#pubsub.unsubscribe(id)
      },
    }
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#probing)
    this.#listeners.clear()
  }

  async #resubscribe(): Promise<void> {
    try {
      const unconfirmed = new Map(this.#unconfirmed)
      const channels = new Set([...unconfirmed.keys(), ...[...this.#listeners].map(({ channel }) => channel)])
      if (channels.size > 0) await this.#subscriber.subscribe(...channels)
      this.#connected = true
      for (const [channel, confirm] of unconfirmed) this.#confirm(channel, confirm)
      for (const { onSignal } of [...this.#listeners]) onSignal({ kind: 'resumed' })
    } catch (error) {
      if (this.#closed) return
      this.#onError(error)
      this.#reconnect()
    }
  }

  /**
   * A subscription that failed on a connection that is up was only not confirmed in time, and no `ready` would
   * follow: a new connection subscribes to everything again. Where there is none, it is on its way already.
   */
  #reconnect(): void {
    if (!this.#closed && this.#subscriber.status === 'ready') this.#subscriber.disconnect(true)
  }

  /** A connection that died without a word looks like one on which nothing is said. */
  #probe(): void {
    if (this.#connected) this.#subscriber.ping().catch(() => this.#reconnect())
  }

  #lose(): void {
    if (!this.#connected || this.#closed) return
    this.#connected = false
    for (const { onSignal } of [...this.#listeners]) {
      onSignal({ kind: 'interrupted', error: 'the connection to Redis is lost' })
    }
  }

  #confirm(channel: string, confirm: (error: null) => void): void {
    if (this.#unconfirmed.delete(channel)) confirm(null)
  }

  /**
   * The subscriber as RedisPubSub may see it. It leaves promises behind that nobody looks at: of
   * `unsubscribe`, and of a `subscribe` that failed; each would end the process as an unhandled rejection.
   * So here a subscription never fails, it is confirmed late; and to unsubscribe needs no reply.
   *
   * It would parse a text once for all listeners. What is no text it hands on as it is, so that each listener
   * parses its own, and may add to it.
   */
  #withoutDanglingPromises(): Redis {
    const subscriber = this.#subscriber
    return {
      on: (event: string, hear: (channel: string, message: Message) => void) =>
        subscriber.on(event, (channel: string, text: string) => hear(channel, { kind: 'message', text })),
      subscribe: (channel: string, confirm: (error: null) => void) => {
        this.#unconfirmed.set(channel, confirm)
        subscriber.subscribe(channel).then(
          () => this.#confirm(channel, confirm),
          () => this.#reconnect(),
        )
      },
      unsubscribe: (channel: string) => {
        if (subscriber.status === 'ready') subscriber.unsubscribe(channel).catch(this.#onError)
      },
      punsubscribe: () => {},
    } as unknown as Redis
  }
}

async function settlesWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  const settled = promise.then(
    () => true as const,
    () => true as const,
  )
  const inTime = await Promise.race([settled, timeout])
  clearTimeout(timer)
  return inTime
}
