import type { TaskEvent } from '../task/event.ts'
import type { Position } from '../task/position.ts'
import type { TaskKey, TaskState } from '../task/task.ts'
import type { CurvesRead } from './curve-store.ts'
import type {
  AppendRequest,
  AppendResult,
  CreateResult,
  DropResult,
  EditResult,
  ReadResult,
  Snapshot,
  StoredSnapshot,
  Watch,
  WatchSignal,
} from './event-log.ts'
import type { LedgerOptions } from './ledger.ts'
import { type ListingChange, storedBytes } from './listing.ts'
import type { OutputLog } from './output-log.ts'
import type { EngineStatus, Store } from './store.ts'
import { StoreRoom } from './store-room.ts'
import type { ListingPage, ListPage, ListScope } from './task-index.ts'

export interface BoundedStoreOptions extends LedgerOptions {
  readonly onError: (error: unknown) => void
}

/** What a task takes beside its texts, until the engine tells. */
const NEW_TASK_BYTES = 1024

/**
 * An engine that keeps its data elsewhere, and of which this server uses only so much: what is too much is refused before
 * it is written, after finished tasks have been dropped for it (`StoreRoom`).
 */
export class BoundedStore implements Store {
  readonly #store: Store
  readonly #room: StoreRoom
  readonly #onError: (error: unknown) => void
  #watch: Promise<Watch | undefined>
  #isClosed = false

  constructor(store: Store, { onError, ...options }: BoundedStoreOptions) {
    this.#store = store
    this.#onError = onError
    this.#room = new StoreRoom({
      ...options,
      listings: (before, limit) => store.listings(before, limit),
      drop: (key) => this.#dropFinished(key),
      onError,
    })
    this.#watch = this.#listen()
  }

  get name(): Store['name'] {
    return this.#store.name
  }

  /** About how many bytes all tasks take. */
  get bytes(): number {
    return this.#room.bytes
  }

  /** What there is no room for is refused, after finished tasks have been dropped for it. */
  get output(): OutputLog {
    return {
      find: (key) => this.#store.output.find(key),
      read: (key, after, limit) => this.#store.output.read(key, after, limit),
      append: async (key, request) => {
        const task = this.#room.find(key)
        const bytes = request.texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
        await this.#room.make({ owner: task?.owner ?? null, task, bytes, isFinal: false })
        const result = await this.#store.output.append(key, request)
        if (result.kind === 'appended' && task) this.#room.resize(task, result.bytes)
        return result
      },
    }
  }

  get watchCount(): number {
    return this.#store.watchCount
  }

  async create(key: TaskKey, events: readonly TaskEvent[], state: TaskState): Promise<CreateResult> {
    const owner = state.spec.owner ?? null
    const bytes =
      NEW_TASK_BYTES + storedBytes(state) + events.reduce((sum, event) => sum + jsonBytes(event), 0)
    try {
      await this.#room.make({ owner, task: null, bytes, isFinal: false })
    } catch (full) {
      const snapshot = await this.#store.snapshot(key)
      if (snapshot) return { kind: 'exists', snapshot }
      throw full
    }
    const result = await this.#store.create(key, events, state)
    if (result.kind === 'created') this.#count(key, result.snapshot)
    return result
  }

  async append(key: TaskKey, request: AppendRequest): Promise<AppendResult> {
    const { state, isFinal, texts = request.events.map((event) => JSON.stringify(event)), curves } = request
    const task = this.#room.find(key)
    const stateBytes = jsonBytes(state)
    let bytes = stateBytes - (task?.stateBytes ?? stateBytes)
    for (const text of texts) bytes += text.length
    for (const { bytes: segment } of curves?.put ?? []) bytes += segment.byteLength
    await this.#room.make({ owner: state.spec.owner ?? null, task, bytes, isFinal })
    const result = await this.#store.append(key, { ...request, texts })
    if (result.kind === 'appended' && task) {
      this.#room.count(key, task.serial, task.owner, result.bytes, isFinal)
      task.stateBytes = result.stateBytes
    }
    return result
  }

  async edit(key: TaskKey, expected: StoredSnapshot, state: TaskState): Promise<EditResult> {
    const bytes = storedBytes(state) - storedBytes(expected.state)
    const task = this.#room.find(key)
    const isFinal = expected.state.finishedAt !== null
    await this.#room.make({ owner: state.spec.owner ?? null, task, bytes, isFinal })
    const result = await this.#store.edit(key, expected, state)
    if (result.kind === 'edited') this.#count(key, result.snapshot)
    return result
  }

  drop(key: TaskKey, expected: Snapshot): Promise<DropResult> {
    return this.#store.drop(key, expected)
  }

  snapshot(key: TaskKey): Promise<StoredSnapshot | null> {
    return this.#store.snapshot(key)
  }

  read(key: TaskKey, after: Position | null, limit: number): Promise<ReadResult> {
    return this.#store.read(key, after, limit)
  }

  readCurves(key: TaskKey): Promise<CurvesRead | null> {
    return this.#store.readCurves(key)
  }

  readSegments(key: TaskKey, names: readonly string[]): Promise<readonly (Uint8Array | null)[]> {
    return this.#store.readSegments(key, names)
  }

  watch(key: TaskKey, onSignal: (signal: WatchSignal) => void): Promise<Watch> {
    return this.#store.watch(key, onSignal)
  }

  watchAll(onChange: (key: TaskKey | null) => void): Promise<Watch> {
    return this.#store.watchAll(onChange)
  }

  watchListings(onChange: (change: ListingChange) => void): Promise<Watch> {
    return this.#store.watchListings(onChange)
  }

  list(scope: ListScope, before: number | null, limit: number): Promise<ListPage> {
    return this.#store.list(scope, before, limit)
  }

  listings(before: number | null, limit: number): Promise<ListingPage> {
    return this.#store.listings(before, limit)
  }

  dropExpired(): Promise<void> {
    return this.#store.dropExpired()
  }

  startGeneration(key: TaskKey, previous: string, common: number): Promise<void> {
    return this.#store.startGeneration(key, previous, common)
  }

  lease(name: string, owner: string, ttlMs: number): Promise<boolean> {
    return this.#store.lease(name, owner, ttlMs)
  }

  isLeased(name: string): Promise<boolean> {
    return this.#store.isLeased(name)
  }

  status(): Promise<EngineStatus> {
    return this.#store.status()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#room.close()
    await (await this.#watch)?.close()
    await this.#store.close()
  }

  #count(key: TaskKey, { state, serial, bytes }: StoredSnapshot): void {
    this.#room.count(key, serial, state.spec.owner ?? null, bytes, state.finishedAt !== null)
  }

  async #dropFinished(key: TaskKey): Promise<void> {
    const snapshot = await this.#store.snapshot(key)
    if (snapshot && snapshot.state.finishedAt !== null) await this.#store.drop(key, snapshot)
    // It has come back, so it counts again.
    else if (snapshot) this.#count(key, snapshot)
  }

  /** First it listens, then it counts what there is; an engine that is away is tried until it is there. */
  async #listen(): Promise<Watch | undefined> {
    while (!this.#isClosed) {
      try {
        const watch = await this.#store.watchListings((change) => this.#room.hear(change))
        this.#room.load()
        return watch
      } catch (error) {
        this.#onError(error)
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref())
      }
    }
    return undefined
  }
}

const RETRY_MS = 500
const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))
