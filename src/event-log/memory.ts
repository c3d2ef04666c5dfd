import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { editIn } from '../task/edit.ts'
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
import { Ledger } from './ledger.ts'
import { type ListingChange, listingOf } from './listing.ts'
import { LocalLeases } from './local-leases.ts'
import { type Appended, MemoryLog } from './memory-log.ts'
import { MemoryOutputLog } from './memory-output-log.ts'
import { makeRoom } from './memory-room.ts'
import { MemoryWatches } from './memory-watches.ts'
import type { OutputBounds } from './output-log.ts'
import { SerialList } from './serial-list.ts'
import type { EngineStatus, Store } from './store.ts'
import type { ListingPage, ListPage, ListScope } from './task-index.ts'

const MAX_TOMBSTONES = 10_000
/** Expired tasks that are dropped in one turn of the event loop. */
const DROPPED_TOGETHER = 100
const WORDS = {
  engine: 'the memory engine',
  maxBytes: 'EPOCHCAST_MEMORY_BYTES',
  share: 'EPOCHCAST_STORE_SHARE',
} as const

export interface MemoryStoreOptions {
  /** Newest events kept of one task. */
  readonly retainEvents: number
  /** Seconds for which a finished task is kept. */
  readonly retainSeconds: number
  /** Bytes of events, states and curves of all tasks, counted as JSON text, and what a task takes beside them. */
  readonly maxBytes: number
  /** Part of them that unfinished tasks of one owner may hold (`Ledger`); all of them where it is left out. */
  readonly share?: number
  /** What is kept of one task's output. */
  readonly output?: OutputBounds
  readonly now?: () => number
}

/** The default engine: one process, no dependencies, gone with the process. */
export class MemoryStore implements Store {
  readonly name = 'memory'
  readonly output: MemoryOutputLog
  readonly #options: MemoryStoreOptions
  readonly #now: () => number
  readonly #logs = new Map<string, MemoryLog>()
  readonly #bySerial = new Map<number, MemoryLog>()
  /** Serials. */
  readonly #unfinished = new SerialList()
  readonly #ledger: Ledger<MemoryLog>
  readonly #watches = new MemoryWatches()
  readonly #leases: LocalLeases
  /** Of deleted tasks, the `startId`. */
  readonly #tombstones = new LRUCache<string, string>({ max: MAX_TOMBSTONES, ttl: TOMBSTONE_MS })
  #lastSerial = 0

  constructor(options: MemoryStoreOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#leases = new LocalLeases(this.#now)
    const { maxBytes, share = 1 } = options
    this.#ledger = new Ledger({ maxBytes, share, words: WORDS })
    const parts = { logs: this.#logs, ledger: this.#ledger, watches: this.#watches }
    this.output = new MemoryOutputLog(parts, (log) => this.#drop(log), options.output)
  }

  /** Bytes held at present, as `maxBytes` counts them. */
  get bytes(): number {
    return this.#ledger.bytes
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

    const log = new MemoryLog(key, this.#lastSerial + 1, state)
    const appended = { events, texts: textsOf(events), state }
    const weight = log.weigh(appended)
    const growth = log.bytes + weight.growth
    this.#makeRoom({ owner: log.owner, log: null, growth, heldGrowth: growth })
    this.#lastSerial = log.serial
    this.#logs.set(channel, log)
    this.#bySerial.set(log.serial, log)
    this.#unfinished.add(log.serial)
    this.#ledger.add(log)
    const entries = this.#store(log, appended, weight)
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

    const appended = { events, texts, state, curves }
    const weight = log.weigh(appended)
    const { owner } = log
    const { growth, stateBytes } = weight
    // What ends gives room, so it is never refused for its owner's share; what comes back takes all that it has again.
    const heldGrowth = isFinal ? null : isReturn ? log.bytes + growth : growth
    this.#makeRoom({ owner, log, growth, heldGrowth })
    const entries = this.#store(log, appended, weight)
    if (isReturn) this.#comeBack(log)
    if (isFinal) this.#finish(log)
    if (listing) this.#watches.tellListing({ kind: 'listed', listing })
    this.#watches.tellAppended(log, entries)
    return { kind: 'appended', top: log.position, stateBytes, bytes: log.bytes }
  }

  async edit(key: TaskKey, expected: StoredSnapshot, state: TaskState): Promise<EditResult> {
    const log = this.#logs.get(storedChannelOf(key))
    if (!log) return { kind: 'missing' }
    if (!log.isAt(expected.top, expected.revision)) return { kind: 'conflict' }
    const weight = log.weigh({ events: [], texts: [], state })
    const { growth } = weight
    const heldGrowth = this.#ledger.finished.has(log) ? null : growth
    this.#makeRoom({ owner: log.owner, log, growth, heldGrowth })
    log.edit(state, weight)
    this.#ledger.grew(log, growth)
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
    const snapshots: StoredSnapshot[] = []
    if (scope === 'unfinished') {
      const older = this.#unfinished.before(before, limit + 1)
      for (const serial of older.slice(0, limit))
        snapshots.push((this.#bySerial.get(serial) as MemoryLog).snapshot)
      return { snapshots, hasMore: older.length > limit }
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

  async listings(before: number | null, limit: number): Promise<ListingPage> {
    const { snapshots, hasMore } = await this.list('all', before, limit)
    return { listings: snapshots.map(listingOf), hasMore }
  }

  async startGeneration(key: TaskKey, previous: string, common: number): Promise<void> {
    this.#logs.get(storedChannelOf(key))?.startGeneration(previous, common)
  }

  lease(name: string, owner: string, ttlMs: number): Promise<boolean> {
    return this.#leases.lease(name, owner, ttlMs)
  }

  isLeased(name: string): Promise<boolean> {
    return this.#leases.isLeased(name)
  }

  async dropExpired(): Promise<void> {
    const expiry = this.#now() - this.#options.retainSeconds * 1000
    let dropped = 0
    for (const log of this.#ledger.finished) {
      if (log.finishedAt === null || log.finishedAt > expiry) return
      this.#drop(log)
      // Thousands may expire at once.
      if (++dropped % DROPPED_TOGETHER === 0) await eventLoopTurn()
    }
  }

  async status(): Promise<EngineStatus> {
    return { name: this.name, connected: true, latencyMs: 0 }
  }

  async close(): Promise<void> {
    this.#watches.close()
  }

  #makeRoom(growth: Parameters<typeof makeRoom>[1]): void {
    makeRoom(this.#ledger, growth, (log) => this.#drop(log))
  }

  #finish(log: MemoryLog): void {
    log.finishedAt ??= this.#now()
    this.#unfinished.delete(log.serial)
    this.#ledger.move(log, true)
  }

  #comeBack(log: MemoryLog): void {
    log.finishedAt = null
    this.#unfinished.add(log.serial)
    this.#ledger.move(log, false)
  }

  #drop(log: MemoryLog): void {
    this.#logs.delete(channelOf(log.key))
    this.#bySerial.delete(log.serial)
    this.#unfinished.delete(log.serial)
    this.#ledger.remove(log)
    this.#watches.tellListing({ kind: 'dropped', serial: log.serial })
  }

  #store(log: MemoryLog, appended: Appended, weight: ReturnType<MemoryLog['weigh']>): LogEntry[] {
    const before = log.bytes
    const entries = log.append(appended, weight)
    while (log.length > this.#options.retainEvents && log.isTrimmable) log.trimOldest()
    this.#ledger.grew(log, log.bytes - before)
    return entries
  }
}

const textsOf = (events: readonly TaskEvent[]): string[] => events.map((event) => JSON.stringify(event))
