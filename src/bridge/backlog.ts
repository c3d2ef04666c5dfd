import type { Report } from '../task/report.ts'
import { channelOf, type TaskKey } from '../task/task.ts'

/** A message that is not known to be an event yet. */
export interface Held {
  readonly key: TaskKey
  readonly report: Report
  readonly machineId: string | null
  /** By `performance.now()`. */
  readonly receivedAt: number
  readonly bytes: number
}

export interface BacklogBounds {
  readonly maxBytes: number
  readonly maxChannels: number
}

/** What a message takes beside its text. */
const OVERHEAD_BYTES = 200

/** Messages that wait, in order of their arrival, each channel's by itself. Over its bounds it drops the oldest of all. */
export class Backlog {
  readonly #bounds: BacklogBounds
  readonly #onDropped: () => void
  /** Oldest first, of all channels. */
  readonly #all = new Set<Held>()
  readonly #byChannel = new Map<string, Held[]>()
  #bytes = 0

  constructor(bounds: BacklogBounds, onDropped: () => void) {
    this.#bounds = bounds
    this.#onDropped = onDropped
  }

  get size(): number {
    return this.#all.size
  }

  get channels(): readonly string[] {
    return [...this.#byChannel.keys()]
  }

  add(message: Omit<Held, 'bytes'>, textBytes: number): void {
    const held = { ...message, bytes: textBytes + OVERHEAD_BYTES }
    const channel = channelOf(held.key)
    const waiting = this.#byChannel.get(channel)
    if (waiting) waiting.push(held)
    else this.#byChannel.set(channel, [held])
    this.#all.add(held)
    this.#bytes += held.bytes
    while (this.#bytes > this.#bounds.maxBytes || this.#byChannel.size > this.#bounds.maxChannels) {
      this.#dropOldest()
      this.#onDropped()
    }
  }

  /** Those of a channel, oldest first. */
  of(channel: string): readonly Held[] {
    return this.#byChannel.get(channel) ?? []
  }

  /** Takes the oldest messages of a channel out; some may be gone already. */
  remove(channel: string, oldest: readonly Held[]): void {
    const gone = new Set(oldest)
    for (const held of oldest) if (this.#all.delete(held)) this.#bytes -= held.bytes
    const waiting = this.#byChannel.get(channel) ?? []
    const left = waiting.findIndex((held) => !gone.has(held))
    if (left < 0) this.#byChannel.delete(channel)
    else waiting.splice(0, left)
  }

  /** Forgets what came before a time. */
  trim(before: number): void {
    for (const { receivedAt } of this.#all) {
      if (receivedAt >= before) break
      this.#dropOldest()
    }
  }

  clear(): void {
    this.#all.clear()
    this.#byChannel.clear()
    this.#bytes = 0
  }

  #dropOldest(): void {
    const [oldest] = this.#all
    if (oldest) this.remove(channelOf(oldest.key), [oldest])
  }
}
