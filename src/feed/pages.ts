import { LRUCache } from 'lru-cache'
import type { EventLog, ReadResult } from '../event-log/event-log.ts'
import type { Position } from '../task/position.ts'
import { type DeliveredEvent, delivered } from '../task/stream-event.ts'
import { channelOf, type TaskKey } from '../task/task.ts'

/** Entries in one read of the log. */
export const PAGE_ENTRIES = 256
/** Pages that nobody has read for this long are let go. */
export const PAGE_IDLE_MS = 10_000

export interface PagesOptions {
  /** Bytes that kept pages may take, as `weightOf` guesses them. */
  readonly maxBytes: number
}

/** Events of the log that follow a position; the first of them is `events[from]`. */
export interface Page {
  readonly kind: 'page'
  /** All that read within this page get this very array. */
  readonly events: readonly DeliveredEvent[]
  readonly from: number
}

export type PageResult = Page | Exclude<ReadResult, { kind: 'entries' }>

interface Kept {
  readonly events: readonly DeliveredEvent[]
  readonly bytes: number
}

/**
 * Pages of logs, read once for all that need them at about the same time: after a server has died, its
 * viewers come back to another one, each some events behind.
 *
 * A page begins at a multiple of PAGE_ENTRIES. Kept pages are a cache of what cannot change; whatever is not
 * plainly in one is asked of the log.
 */
export class Pages {
  readonly #log: EventLog
  readonly #underWay = new Map<string, Promise<Kept | null>>()
  readonly #kept: LRUCache<string, Kept>
  /** Counts the times that all was forgotten. */
  #epoch = 0
  #sweeping: NodeJS.Timeout | undefined

  constructor(log: EventLog, { maxBytes }: PagesOptions) {
    this.#log = log
    this.#kept = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ bytes }) => bytes,
      ttl: PAGE_IDLE_MS,
      updateAgeOnGet: true,
      // Reads the clock each time, instead of caching it with a timer.
      ttlResolution: 0,
    })
  }

  /** Bytes of kept pages at present. */
  get bytes(): number {
    return this.#kept.calculatedSize
  }

  /** What follows a position; an empty page where it is the top. */
  async read(key: TaskKey, after: Position): Promise<PageResult> {
    const name = `${channelOf(key)} ${after.generation} ${Math.floor(after.offset / PAGE_ENTRIES)}`
    const page =
      this.#pageAfter(this.#kept.get(name), after) ??
      this.#pageAfter(await this.#shared(name, key, after), after)
    if (page) return page
    const result = await this.#log.read(key, after, PAGE_ENTRIES)
    if (result.kind !== 'entries') return result
    return { kind: 'page', events: delivered(key, after.generation, result.entries), from: 0 }
  }

  /** To be called where the log may have lost events. */
  forget(): void {
    this.#epoch++
    this.#kept.clear()
    this.#underWay.clear()
    this.#stopSweeping()
  }

  #pageAfter(kept: Kept | null | undefined, after: Position): Page | null {
    const [first] = kept?.events ?? []
    if (!kept || !first) return null
    const from = after.offset + 1 - first.offset
    return from >= 0 && from < kept.events.length ? { kind: 'page', events: kept.events, from } : null
  }

  /** Reads a page from its beginning, once for all that ask while the reading is under way. */
  #shared(name: string, key: TaskKey, after: Position): Promise<Kept | null> {
    let reading = this.#underWay.get(name)
    if (!reading) {
      reading = this.#readAndKeep(name, key, after)
      this.#underWay.set(name, reading)
    }
    return reading
  }

  async #readAndKeep(name: string, key: TaskKey, after: Position): Promise<Kept | null> {
    const epoch = this.#epoch
    try {
      const kept = await this.#readWhole(key, after)
      if (kept && epoch === this.#epoch) this.#keep(name, kept)
      return kept
    } finally {
      if (epoch === this.#epoch) this.#underWay.delete(name)
    }
  }

  async #readWhole(key: TaskKey, { generation, offset }: Position): Promise<Kept | null> {
    const start = { generation, offset: offset - (offset % PAGE_ENTRIES) }
    let result = await this.#log.read(key, start, PAGE_ENTRIES)
    // The page's beginning may be trimmed already; to a reader past it that is no loss.
    if (result.kind === 'gone' && result.reason === 'TRIMMED' && result.resumeAt.offset <= offset) {
      result = await this.#log.read(
        key,
        result.resumeAt,
        start.offset + PAGE_ENTRIES - result.resumeAt.offset,
      )
    }
    if (result.kind !== 'entries') return null
    const events = delivered(key, generation, result.entries)
    return { events, bytes: events.reduce((sum, event) => sum + weightOf(event), 0) }
  }

  /** An empty page serves no reader; the cache itself refuses one over its bound. */
  #keep(name: string, kept: Kept): void {
    if (kept.bytes === 0) return
    this.#kept.set(name, kept)
    if (this.#kept.size > 0) this.#sweeping ??= setInterval(() => this.#sweep(), PAGE_IDLE_MS).unref()
  }

  #sweep(): void {
    this.#kept.purgeStale()
    if (this.#kept.size === 0) this.#stopSweeping()
  }

  #stopSweeping(): void {
    clearInterval(this.#sweeping)
    this.#sweeping = undefined
  }
}

const EVENT_BYTES = 512
const METRIC_BYTES = 48

/** About what an event takes in memory; its texts and metrics are what differs. */
function weightOf(event: DeliveredEvent): number {
  let bytes = EVENT_BYTES
  for (const value of Object.values(event)) {
    if (typeof value === 'string') bytes += value.length
    else if (typeof value === 'object' && value !== null) bytes += METRIC_BYTES * Object.keys(value).length
  }
  return event.type === 'TrainingSucceeded' ? bytes + JSON.stringify(event.result).length : bytes
}
