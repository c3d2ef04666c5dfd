import { LRUCache } from 'lru-cache'
import { editIn } from '../task/edit.ts'
import { EpochcastError } from '../task/errors.ts'
import type { TaskEvent } from '../task/event.ts'
import type { Position } from '../task/position.ts'
import { channelOf, type TaskKey, type TaskState } from '../task/task.ts'
import type { CurvesRead } from './curve-store.ts'
import {
  type AppendRequest,
  type AppendResult,
  type CreateResult,
  type DropResult,
  type EditResult,
  type LogEntry,
  type ReadResult,
  type Snapshot,
  type StoredSnapshot,
  TOMBSTONE_MS,
  type Watch,
  type WatchSignal,
} from './event-log.ts'
import { storedChannelOf } from './find-task.ts'
import { type ListingChange, listingOf } from './listing.ts'
import { type Appended, MemoryLog } from './memory-log.ts'
import { MemoryWatches } from './memory-watches.ts'
import type { EngineStatus, Store } from './store.ts'
import type { ListPage, ListScope } from './task-index.ts'

const MAX_TOMBSTONES = 10_000

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
  /** In the order in which they were created. */
  readonly #unfinished = new Set<MemoryLog>()
  /** In the order in which they finished. */
  readonly #finished = new Set<MemoryLog>()
  readonly #watches = new MemoryWatches()
  readonly #leases = new Map<string, { owner: string; until: number }>()
  /** Of deleted tasks, the `startId`. */
  readonly #tombstones = new LRUCache<string, string>({ max: MAX_TOMBSTONES, ttl: TOMBSTONE_MS })
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
    return this.#watches.count
  }

  async create(key: TaskKey, events: readonly TaskEvent[], state: TaskState): Promise<CreateResult> {
    const channel = storedChannelOf(key)
    const existing = this.#logs.get(channel)
    if (existing) return { kind: 'exists', snapshot: existing.snapshot }
    if (this.#tombstones.get(channel) === state.spec.startId) return { kind: 'dropped' }

    const log = new MemoryLog(key, ++this.#lastSerial, state)
    this.#bytes += log.bytes
    this.#logs.set(channel, log)
    this.#bySerial.set(log.serial, log)
    this.#unfinished.add(log)
    const entries = this.#store(log, { events, texts: textsOf(events), state })
    this.#makeRoom(log)
    if (this.#bytes > this.#options.maxBytes) {
      this.#drop(log)
      throw new EpochcastError(
        'STORE_FULL',
        `the memory engine holds ${this.#bytes} of ${this.#options.maxBytes} bytes in unfinished tasks; raise EPOCHCAST_MEMORY_BYTES, or finish or cancel some`,
      )
    }
    this.#watches.tellListing({ kind: 'listed', listing: listingOf(log.snapshot) })
    this.#watches.tellAppended(log, entries)
    return { kind: 'created', snapshot: log.snapshot }
  }

  async append(
    key: TaskKey,
    {
      expected,
      events,
      state,
      isFinal,
      isReturn = false,
      texts = textsOf(events),
      curves,
      listing,
      revision = 0,
    }: AppendRequest,
  ): Promise<AppendResult> {
    const log = this.#logs.get(storedChannelOf(key))
    if (!log) return { kind: 'missing' }
    if (!log.isAt(expected, revision)) return { kind: 'conflict' }

    const entries = this.#store(log, { events, texts, state, curves })
    if (isReturn) this.#comeBack(log)
    if (isFinal) this.#finish(log)
    this.#makeRoom(log)
    if (listing) this.#watches.tellListing({ kind: 'listed', listing })
    this.#watches.tellAppended(log, entries)
    return { kind: 'appended', top: log.position }
  }

  async edit(key: TaskKey, expected: Snapshot, state: TaskState): Promise<EditResult> {
    const log = this.#logs.get(storedChannelOf(key))
    if (!log) return { kind: 'missing' }
    if (!log.isAt(expected.top, expected.revision)) return { kind: 'conflict' }
    const before = log.bytes
    log.edit(state)
    this.#bytes += log.bytes - before
    this.#makeRoom(log)
    const { snapshot } = log
    const { generation } = snapshot.top
    this.#watches.tellListing({ kind: 'listed', listing: listingOf(snapshot) })
    const { revision } = snapshot
    this.#watches.tellEdited(log, { kind: 'edited', generation, revision, edit: editIn(state) })
    return { kind: 'edited', snapshot }
  }

  async drop(key: TaskKey, { top, state }: Snapshot): Promise<DropResult> {
    const channel = storedChannelOf(key)
    const log = this.#logs.get(channel)
    if (!log) return { kind: 'missing' }
    if (!log.isAt(top)) return { kind: 'conflict' }
    this.#drop(log)
    this.#tombstones.set(channel, state.spec.startId)
    this.#watches.tellDropped(key)
    return { kind: 'dropped' }
  }

  async snapshot(key: TaskKey): Promise<StoredSnapshot | null> {
    const log = this.#logs.get(storedChannelOf(key))
    return log?.snapshot ?? null
  }

  async read(key: TaskKey, after: Position | null, limit: number): Promise<ReadResult> {
    return this.#logs.get(storedChannelOf(key))?.read(after, limit) ?? { kind: 'missing' }
  }

  async readCurves(key: TaskKey): Promise<CurvesRead | null> {
    return this.#logs.get(storedChannelOf(key))?.curves ?? null
  }

  async readSegments(key: TaskKey, names: readonly string[]): Promise<readonly (Uint8Array | null)[]> {
    const log = this.#logs.get(storedChannelOf(key))
    return names.map((name) => log?.segment(name) ?? null)
  }

  async watch(key: TaskKey, onSignal: (signal: WatchSignal) => void): Promise<Watch> {
    return this.#watches.watch(key, onSignal)
  }

  async watchAll(onChange: (key: TaskKey | null) => void): Promise<Watch> {
    return this.#watches.watchAll(onChange)
  }

  async watchListings(onChange: (change: ListingChange) => void): Promise<Watch> {
    return this.#watches.watchListings(onChange)
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
    this.#logs.get(storedChannelOf(key))?.startGeneration(previous, common)
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
    this.#watches.close()
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
      while (log.isTrimmable && this.#bytes > maxBytes) this.#bytes -= log.trimOldest()
      if (this.#bytes <= maxBytes) return
    }
  }

  #finish(log: MemoryLog): void {
    log.finishedAt ??= this.#now()
    this.#unfinished.delete(log)
    this.#finished.add(log)
  }

  #comeBack(log: MemoryLog): void {
    log.finishedAt = null
    this.#finished.delete(log)
    // Back in its place: they are listed in this order.
    const younger = [...this.#unfinished].filter(({ serial }) => serial > log.serial)
    for (const one of younger) this.#unfinished.delete(one)
    for (const one of [log, ...younger]) this.#unfinished.add(one)
  }

  #drop(log: MemoryLog): void {
    this.#logs.delete(channelOf(log.key))
    this.#bySerial.delete(log.serial)
    this.#unfinished.delete(log)
    this.#finished.delete(log)
    this.#bytes -= log.bytes
    this.#watches.tellListing({ kind: 'dropped', serial: log.serial })
  }

  #store(log: MemoryLog, appended: Appended): LogEntry[] {
    const before = log.bytes
    const entries = log.append(appended)
    while (log.length > this.#options.retainEvents && log.isTrimmable) log.trimOldest()
    this.#bytes += log.bytes - before
    return entries
  }
}

const textsOf = (events: readonly TaskEvent[]): string[] => events.map((event) => JSON.stringify(event))
