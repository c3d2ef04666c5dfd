import { editIn } from '../task/edit.ts'
import { EpochcastError } from '../task/errors.ts'
import type { TaskEvent } from '../task/event.ts'
import type { Position } from '../task/position.ts'
import { channelOf, type TaskKey, type TaskState } from '../task/task.ts'
import type {
  AppendRequest,
  AppendResult,
  CreateResult,
  EditResult,
  LogEntry,
  ReadResult,
  Snapshot,
  Watch,
  WatchSignal,
} from './event-log.ts'
import { type Listing, type ListingChange, listingOf } from './listing.ts'
import { MemoryLog } from './memory-log.ts'
import { ownCopy } from './own-copy.ts'
import type { EngineStatus, Store } from './store.ts'
import type { ListPage, ListScope } from './task-index.ts'

export interface MemoryStoreOptions {
  /** Newest events kept of one task. */
  readonly retainEvents: number
  /** Seconds for which a finished task is kept. */
  readonly retainSeconds: number
  /** Bytes of events and states kept of all tasks, counted as JSON text. */
  readonly maxBytes: number
  readonly now?: () => number
}

/** The default engine: one process, no dependencies, gone with the process. */
export class MemoryStore implements Store {
  readonly name = 'memory'
  readonly #options: MemoryStoreOptions
  readonly #now: () => number
  readonly #logs = new Map<string, MemoryLog>()
  readonly #bySerial = new Map<number, MemoryLog>()
  readonly #unfinished = new Set<MemoryLog>()
  /** In the order in which they finished. */
  readonly #finished = new Set<MemoryLog>()
  readonly #watchers = new Map<string, Set<(signal: WatchSignal) => void>>()
  readonly #allWatchers = new Set<(key: TaskKey) => void>()
  readonly #listingWatchers = new Set<(change: ListingChange) => void>()
  readonly #leases = new Map<string, { owner: string; until: number }>()
  #lastSerial = 0
  #bytes = 0

  constructor(options: MemoryStoreOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Bytes held at present, as `maxBytes` counts them. */
  get bytes(): number {
    return this.#bytes
  }

  /** Watches that have not been closed. */
  get watchCount(): number {
    let count = this.#allWatchers.size
    for (const watchers of this.#watchers.values()) count += watchers.size
    return count
  }

  async create(key: TaskKey, events: readonly TaskEvent[], state: TaskState): Promise<CreateResult> {
    const channel = channelOf(key)
    const existing = this.#logs.get(channel)
    if (existing) return { kind: 'exists', snapshot: existing.snapshot }

    const log = new MemoryLog(key, ++this.#lastSerial, state)
    this.#bytes += log.bytes
    this.#logs.set(channel, log)
    this.#bySerial.set(log.serial, log)
    this.#unfinished.add(log)
    const entries = this.#store(log, events, textsOf(events), state)
    this.#makeRoom(log)
    if (this.#bytes > this.#options.maxBytes) {
      this.#drop(log)
      throw new EpochcastError(
        'STORE_FULL',
        `the memory engine holds ${this.#bytes} of ${this.#options.maxBytes} bytes in unfinished tasks; raise EPOCHCAST_MEMORY_BYTES, or finish or cancel some`,
      )
    }
    this.#tellListing(listingOf(log.snapshot))
    this.#announce(log, entries)
    return { kind: 'created', snapshot: log.snapshot }
  }

  async append(
    key: TaskKey,
    { expected, events, state, isFinal, texts = textsOf(events), listing, revision = 0 }: AppendRequest,
  ): Promise<AppendResult> {
    const log = this.#logs.get(channelOf(key))
    if (!log) return { kind: 'missing' }
    if (!log.isAt(expected, revision)) return { kind: 'conflict' }

    const entries = this.#store(log, events, texts, state)
    if (isFinal && log.finishedAt === null) {
      log.finishedAt = this.#now()
      this.#unfinished.delete(log)
      this.#finished.add(log)
    }
    this.#makeRoom(log)
    if (listing) this.#tellListing(listing)
    this.#announce(log, entries)
    return { kind: 'appended', top: log.position }
  }

  async edit(key: TaskKey, expected: Snapshot, state: TaskState): Promise<EditResult> {
    const log = this.#logs.get(channelOf(key))
    if (!log) return { kind: 'missing' }
    if (!log.isAt(expected.top, expected.revision)) return { kind: 'conflict' }
    const before = log.bytes
    log.edit(state)
    this.#bytes += log.bytes - before
    this.#makeRoom(log)
    const { snapshot } = log
    const { generation } = snapshot.top
    this.#tellListing(listingOf(snapshot))
    for (const watcher of this.#watchers.get(channelOf(key)) ?? [])
      watcher({ kind: 'edited', generation, revision: snapshot.revision, edit: editIn(state) })
    for (const watcher of this.#allWatchers) watcher(log.key)
    return { kind: 'edited', snapshot }
  }

  async snapshot(key: TaskKey): Promise<Snapshot | null> {
    const log = this.#logs.get(channelOf(key))
    return log?.snapshot ?? null
  }

  async read(key: TaskKey, after: Position | null, limit: number): Promise<ReadResult> {
    return this.#logs.get(channelOf(key))?.read(after, limit) ?? { kind: 'missing' }
  }

  async watch(key: TaskKey, onSignal: (signal: WatchSignal) => void): Promise<Watch> {
    const channel = channelOf(key)
    const watchers = this.#watchers.get(channel) ?? new Set()
    this.#watchers.set(channel, watchers)
    // A function of its own, so that one listener given twice counts twice.
    const watcher = (signal: WatchSignal) => onSignal(signal)
    watchers.add(watcher)
    return {
      close: async () => {
        watchers.delete(watcher)
        if (watchers.size === 0 && this.#watchers.get(channel) === watchers) this.#watchers.delete(channel)
      },
    }
  }

  async watchAll(onChange: (key: TaskKey | null) => void): Promise<Watch> {
    const watcher = (key: TaskKey) => onChange(key)
    this.#allWatchers.add(watcher)
    return {
      close: async () => {
        this.#allWatchers.delete(watcher)
      },
    }
  }

  async watchListings(onChange: (change: ListingChange) => void): Promise<Watch> {
    const watcher = (change: ListingChange) => onChange(change)
    this.#listingWatchers.add(watcher)
    return {
      close: async () => {
        this.#listingWatchers.delete(watcher)
      },
    }
  }

  async list(scope: ListScope, before: number | null, limit: number): Promise<ListPage> {
    const snapshots: Snapshot[] = []
    const isOlder = (log: MemoryLog) => before === null || log.serial < before
    if (scope === 'unfinished') {
      const older = [...this.#unfinished].filter(isOlder).reverse()
      return {
        snapshots: older.slice(0, limit).map(({ snapshot }) => snapshot),
        hasMore: older.length > limit,
      }
    }
    const [oldest] = this.#bySerial.keys()
    let serial = Math.min(this.#lastSerial, (before ?? Number.POSITIVE_INFINITY) - 1)
    for (; oldest !== undefined && serial >= oldest; serial--) {
      const log = this.#bySerial.get(serial)
      if (!log) continue
      if (snapshots.length === limit) return { snapshots, hasMore: true }
      snapshots.push(log.snapshot)
    }
    return { snapshots, hasMore: false }
  }

  async startGeneration(key: TaskKey, previous: string, common: number): Promise<void> {
    this.#logs.get(channelOf(key))?.startGeneration(previous, common)
  }

  async lease(name: string, owner: string, ttlMs: number): Promise<boolean> {
    const held = this.#leases.get(name)
    if (held && held.owner !== owner && held.until > this.#now()) return false
    this.#leases.set(name, { owner, until: this.#now() + ttlMs })
    return true
  }

  async isLeased(name: string): Promise<boolean> {
    return (this.#leases.get(name)?.until ?? 0) > this.#now()
  }

  async dropExpired(): Promise<void> {
    const expiry = this.#now() - this.#options.retainSeconds * 1000
    for (const log of this.#finished) {
      if (log.finishedAt === null || log.finishedAt > expiry) return
      this.#drop(log)
    }
  }

  async status(): Promise<EngineStatus> {
    return { name: this.name, connected: true, latencyMs: 0 }
  }

  async close(): Promise<void> {
    this.#watchers.clear()
    this.#allWatchers.clear()
    this.#listingWatchers.clear()
  }

  /**
   * Keeps the total under its bound: the oldest finished tasks go first, then the oldest events of
   * the largest unfinished ones. `keep` is the log being written to: it is not dropped under the writer.
   */
  #makeRoom(keep: MemoryLog): void {
    const { maxBytes } = this.#options
    if (this.#bytes <= maxBytes) return
    for (const log of this.#finished) {
      if (log === keep) continue
      this.#drop(log)
      if (this.#bytes <= maxBytes) return
    }
    const largestFirst = [...this.#unfinished, keep].sort((a, b) => b.bytes - a.bytes)
    for (const log of largestFirst) {
      while (log.length > 1 && this.#bytes > maxBytes) this.#bytes -= log.trimOldest()
      if (this.#bytes <= maxBytes) return
    }
  }

  #drop(log: MemoryLog): void {
    this.#logs.delete(channelOf(log.key))
    this.#bySerial.delete(log.serial)
    this.#unfinished.delete(log)
    this.#finished.delete(log)
    this.#bytes -= log.bytes
    for (const watcher of this.#listingWatchers) watcher({ kind: 'dropped', serial: log.serial })
  }

  #tellListing(listing: Listing): void {
    for (const watcher of this.#listingWatchers) watcher({ kind: 'listed', listing })
  }

  #store(
    log: MemoryLog,
    events: readonly TaskEvent[],
    texts: readonly string[],
    state: TaskState,
  ): LogEntry[] {
    const before = log.bytes
    const entries = log.append(events, texts, state)
    while (log.length > this.#options.retainEvents) log.trimOldest()
    this.#bytes += log.bytes - before
    return entries
  }

  #announce(log: MemoryLog, entries: readonly LogEntry[]): void {
    const watchers = this.#watchers.get(channelOf(log.key))
    for (const watcher of watchers ?? []) {
      const own = entries.map(({ offset, event }) => ({ offset, event: ownCopy(event) }))
      watcher({ kind: 'appended', top: log.position, entries: own })
    }
    for (const watcher of this.#allWatchers) watcher(log.key)
  }
}

const textsOf = (events: readonly TaskEvent[]): string[] => events.map((event) => JSON.stringify(event))
