import type { Redis } from 'ioredis'

export interface PatternListener {
  onMessage(pattern: string, channel: string, message: Buffer): void
  /** Whether messages are heard from now on. */
  onHearing(isHearing: boolean): void
  onError(error: unknown): void
}

/** Time between two looks whether the connection still lives. */
const PROBE_MS = 2000

/** Subscribes to patterns on a connection of its own, anew after every reconnect, which ioredis does not announce. */
export class PatternSubscription {
  readonly #subscriber: Redis
  readonly #patterns: readonly string[]
  readonly #listener: PatternListener
  #probing: NodeJS.Timeout | undefined
  #isHearing = false
  #isClosed = false

  constructor(subscriber: Redis, patterns: readonly string[], listener: PatternListener) {
    this.#subscriber = subscriber
    this.#patterns = patterns
    this.#listener = listener
  }

  start(): void {
    const subscriber = this.#subscriber
    subscriber.on('pmessageBuffer', (pattern: string | Buffer, channel: Buffer, message: Buffer) =>
      this.#listener.onMessage(String(pattern), String(channel), message),
    )
    subscriber.on('ready', () => void this.#subscribe())
    subscriber.on('close', () => this.#set(false))
    // A connection that died without a word looks like one on which nothing is said.
    this.#probing = setInterval(() => {
      if (this.#isHearing) subscriber.ping().catch(() => this.#reconnect())
    }, PROBE_MS).unref()
    if (subscriber.status === 'ready') void this.#subscribe()
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#probing)
    this.#set(false)
    this.#subscriber.disconnect()
  }

  async #subscribe(): Promise<void> {
    try {
      await this.#subscriber.psubscribe(...this.#patterns)
      this.#set(true)
    } catch (error) {
      if (this.#isClosed) return
      this.#listener.onError(error)
      this.#reconnect()
    }
  }

  #reconnect(): void {
    if (!this.#isClosed && this.#subscriber.status === 'ready') this.#subscriber.disconnect(true)
  }

  #set(isHearing: boolean): void {
    if (this.#isHearing === isHearing) return
    this.#isHearing = isHearing
    this.#listener.onHearing(isHearing)
  }
}
