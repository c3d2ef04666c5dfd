import { editIn } from '../../task/edit.ts'
import type { TaskEvent } from '../../task/event.ts'
import type { Position } from '../../task/position.ts'
import type { TaskKey, TaskState } from '../../task/task.ts'
import type { CurvesRead } from '../curve-store.ts'
import type {
  AppendRequest,
  AppendResult,
  CreateResult,
  DropResult,
  EditResult,
  LogEntry,
  ReadResult,
  Snapshot,
  StoredSnapshot,
  Watch,
  WatchSignal,
} from '../event-log.ts'
import { type Holding, Ledger } from '../ledger.ts'
import { type ListingChange, listingOf } from '../listing.ts'
import { LocalLeases } from '../local-leases.ts'
import { MemoryWatches } from '../memory-watches.ts'
import type { EngineStatus, Store } from '../store.ts'
import type { ListingPage, ListPage, ListScope } from '../task-index.ts'
import { Changes, lastSerialIn, textsOf } from './changes.ts'
import type { CheckedFile } from './check-file.ts'
import { markEnd } from './clean-end.ts'
import { Committer } from './committer.ts'
import type { DataDirectory } from './data-directory.ts'
import { tellingDiskErrors } from './errors.ts'
import { growthOfAppend, growthOfCreate, growthOfEdit } from './growth.ts'
import { type Head, topOf } from './head.ts'
import { Lists } from './lists.ts'
import { openDirectory } from './open-directory.ts'
import { type LmdbStoreOptions, WORDS } from './options.ts'
import { LmdbOutputLog } from './output.ts'
import { loadOutputs } from './output-head.ts'
import { Reads } from './reads.ts'
import { Retention } from './retention.ts'
import { type Growth, Room } from './room.ts'
import { nameOf, type Tables } from './tables.ts'
import { type StoredTask, Tasks } from './tasks.ts'
import { Tombstones } from './tombstones.ts'
import { Turns } from './turns.ts'

/** A commit that takes longer than this is no commit of a disk that works. */
const STUCK_MS = 5000
/** Free pages lie between those in use; address space costs nothing. */
const MAP_BYTES = { perByte: 4, min: 2 ** 30, max: 2 ** 42 } as const

/** The default engine: one process and its files. What is acknowledged, or shown, is on disk. */
export class LmdbStore implements Store {
  readonly name = 'lmdb'
  readonly output: LmdbOutputLog
  /** Why the directory may lack what was shown, so that logs have new generations; null where it cannot. */
  readonly mayBeOlder: string | null
  readonly #options: LmdbStoreOptions
  readonly #now: () => number
  readonly #directory: DataDirectory
  readonly #tables: Tables
  readonly #committer: Committer
  readonly #tasks: Tasks
  readonly #changes: Changes
  readonly #reads: Reads
  readonly #retention: Retention
  readonly #room: Room
  readonly #lists: Lists
  readonly #watches = new MemoryWatches()
  readonly #leases: LocalLeases

  /** @throws DataDirectoryError */
  constructor(options: LmdbStoreOptions) {
    this.#options = options
    const now = options.now ?? Date.now
    this.#now = now
    this.#leases = new LocalLeases(now)
    const { perByte, min, max } = MAP_BYTES
    const mapBytes = Math.min(max, Math.max(min, options.maxBytes * perByte))
    const { directory, tables, lastEnd } = openDirectory({ ...options, mapBytes })
    this.#directory = directory
    this.#tables = tables
    this.mayBeOlder = lastEnd.mayBeOlder
    this.#committer = new Committer(this.#tables, { ...options, directory: options.path })
    const ledger = new Ledger<Holding>({ ...options, words: WORDS })
    this.#tasks = new Tasks(this.#tables.tasks, ledger)
    this.#lists = new Lists(this.#tasks, options.onError)
    this.#load(lastEnd)
    this.#reads = new Reads(this.#tables, (what) => this.#tellDamage(what))
    const tombstones = new Tombstones(this.#tables.tombstones, now)
    tombstones.load()
    const turns = new Turns()
    this.#changes = new Changes({
      tables: this.#tables,
      committer: this.#committer,
      tasks: this.#tasks,
      tombstones,
      outputTurns: turns,
      retainEvents: options.retainEvents,
      now,
      lastSerial: lastSerialIn(this.#tables),
    })
    this.output = new LmdbOutputLog({
      ...{ path: options.path, tables: this.#tables, committer: this.#committer, tasks: this.#tasks, turns },
      ...{ watches: this.#watches, bounds: options.output, onDamaged: (what) => this.#tellDamage(what) },
    })
    this.#retention = new Retention(this.#tasks, this.#changes, this.output, (task) =>
      this.#tellDropped(task),
    )
    this.#room = new Room(ledger, this.#retention)
    this.output.room = this.#room
  }

  /** About what all tasks take on disk, as `maxBytes` counts it. */
  get bytes(): number {
    return this.#tasks.bytes
  }

  /** Transactions, and the calls that they served. */
  get counts(): Readonly<{ commits: number; calls: number }> {
    return this.#committer.counts
  }

  get watchCount(): number {
    return this.#watches.count
  }

  async create(key: TaskKey, events: readonly TaskEvent[], state: TaskState): Promise<CreateResult> {
    const texts = textsOf(events)
    const stateText = JSON.stringify(state)
    const isNew = this.#tasks.get(nameOf(key)) === undefined
    return this.#withRoom(isNew ? growthOfCreate(texts, state, stateText) : null, () =>
      this.#changes.create(key, texts, state, stateText, (task) => {
        this.#watches.tellListing({ kind: 'listed', listing: listingOf(this.#tasks.snapshot(task)) })
        this.#watches.tellAppended(logOf(task.head), entriesOf(events, task.head.top))
      }),
    )
  }

  async append(key: TaskKey, request: AppendRequest): Promise<AppendResult> {
    const { events, texts = textsOf(events), state, listing } = request
    const stateText = JSON.stringify(state)
    const task = this.#tasks.get(nameOf(key))
    return this.#withRoom(task ? growthOfAppend(task, texts, request, stateText) : null, () =>
      this.#changes.append(key, texts, request, stateText, ({ head }) => {
        if (listing) this.#watches.tellListing({ kind: 'listed', listing })
        this.#watches.tellAppended(logOf(head), entriesOf(events, head.top))
      }),
    )
  }

  async edit(key: TaskKey, expected: StoredSnapshot, state: TaskState): Promise<EditResult> {
    const stateText = JSON.stringify(state)
    const task = this.#tasks.get(nameOf(key))
    return this.#withRoom(task ? growthOfEdit(task, state, stateText) : null, () =>
      this.#changes.edit(key, expected, state, stateText, (edited) => {
        const { generation, revision } = edited.head
        const edit = editIn(state)
        this.#watches.tellListing({ kind: 'listed', listing: listingOf(this.#tasks.snapshot(edited)) })
        this.#watches.tellEdited(logOf(edited.head), { kind: 'edited', generation, revision, edit })
      }),
    )
  }

  async drop(key: TaskKey, expected: Snapshot): Promise<DropResult> {
    const onDropped = (task: StoredTask) => {
      this.#tellDropped(task)
      this.#watches.tellDropped(key)
    }
    return this.#told(() => this.#changes.drop(key, expected, onDropped))
  }

  async snapshot(key: TaskKey): Promise<StoredSnapshot | null> {
    const task = this.#tasks.get(nameOf(key))
    return task ? this.#told(() => this.#tasks.snapshot(task)) : null
  }

  async read(key: TaskKey, after: Position | null, limit: number): Promise<ReadResult> {
    const task = this.#tasks.get(nameOf(key))
    return task ? this.#told(() => this.#reads.read(task.head, after, limit)) : { kind: 'missing' }
  }

  async readCurves(key: TaskKey): Promise<CurvesRead | null> {
    const task = this.#tasks.get(nameOf(key))
    return task ? this.#told(() => this.#reads.curves(task.head.serial)) : null
  }

  async readSegments(key: TaskKey, names: readonly string[]): Promise<readonly (Uint8Array | null)[]> {
    const task = this.#tasks.get(nameOf(key))
    return task ? this.#told(() => this.#reads.segments(task.head, names)) : names.map(() => null)
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

  list(scope: ListScope, before: number | null, limit: number): Promise<ListPage> {
    return this.#told(() => this.#lists.list(scope, before, limit))
  }

  listings(before: number | null, limit: number): Promise<ListingPage> {
    return this.#told(() => this.#lists.listings(before, limit))
  }

  startGeneration(key: TaskKey, previous: string, common: number): Promise<void> {
    return this.#told(() => this.#changes.startGeneration(key, previous, common))
  }

  lease(name: string, owner: string, ttlMs: number): Promise<boolean> {
    return this.#leases.lease(name, owner, ttlMs)
  }

  isLeased(name: string): Promise<boolean> {
    return this.#leases.isLeased(name)
  }

  dropExpired(): Promise<void> {
    const expiry = this.#now() - this.#options.retainSeconds * 1000
    return this.#told(() => this.#retention.dropExpired(expiry))
  }

  async status(): Promise<EngineStatus> {
    const { latencyMs, isBroken } = this.#committer
    const connected = latencyMs < STUCK_MS && !isBroken
    return { name: this.name, connected, latencyMs: connected ? latencyMs : null }
  }

  async close(): Promise<void> {
    this.#watches.close()
    try {
      await this.#committer.close()
      await this.#tables.root.close()
      markEnd(this.#options.path)
    } finally {
      this.#directory.release()
    }
  }

  /** @param growth null for what will change nothing */
  async #withRoom<T>(growth: Growth | null, write: () => Promise<T>): Promise<T> {
    if (growth === null) return this.#told(write)
    const reserved = this.#room.reserve(growth)
    const { release } = reserved instanceof Promise ? await reserved : reserved
    try {
      return await this.#told(write)
    } finally {
      release()
    }
  }

  #told<T>(use: () => T | Promise<T>): Promise<T> {
    return tellingDiskErrors(this.#options.path, use)
  }

  /** Each that is damaged is told once, by the name of its task where that can be read. */
  #load({ damaged, rebuilt }: CheckedFile): void {
    const onDamaged = (serial: number) => {
      if (!damaged.has(serial)) this.#tellDamage(`task number ${serial}`)
    }
    this.#tasks.load(onDamaged, loadOutputs(this.#tables.output, onDamaged))
    for (const [serial, records] of damaged) {
      const of = serial === 0 ? '' : ` of ${this.#tasks.nameOf(serial)}`
      this.#tellDamage(`${records} record${records === 1 ? '' : 's'}${of}`)
    }
    if (rebuilt !== null) this.#tellDamage(`the list of free pages (${rebuilt})`)
  }

  #tellDropped({ head }: StoredTask): void {
    this.#watches.tellListing({ kind: 'dropped', serial: head.serial })
  }

  #tellDamage(what: string): void {
    const { path, onError } = this.#options
    onError(new Error(`${path} is damaged: ${what} cannot be read as written; left out`))
  }
}

const logOf = (head: Head) => ({ key: head.key, position: topOf(head) })

const entriesOf = (events: readonly TaskEvent[], top: number): LogEntry[] =>
  events.map((event, i) => ({ offset: top - events.length + 1 + i, event }))
