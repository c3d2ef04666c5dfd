import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster, Redis } from 'ioredis'
import type { EpochcastError } from '../../task/errors.ts'
import type { TaskEvent } from '../../task/event.ts'
import type { Position } from '../../task/position.ts'
import { channelOf, type TaskKey, type TaskState } from '../../task/task.ts'
import type { CurvesRead } from '../curve-store.ts'
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
} from '../event-log.ts'
import { storedChannelOf } from '../find-task.ts'
import { type ListingChange, listingOf } from '../listing.ts'
import { newGeneration } from '../log-extent.ts'
import type { OutputBounds } from '../output-log.ts'
import type { EngineStatus, Store } from '../store.ts'
import type { ListingPage, ListPage, ListScope } from '../task-index.ts'
import { Announcements } from './announcements.ts'
import { expectedOf, RedisChanges } from './changes.ts'
import { gatherWrites, type RedisConnections } from './connections.ts'
import { curveArgs, RedisCurves } from './curves.ts'
import { PortErrors } from './errors.ts'
import { RedisKeys } from './keys.ts'
import { RedisLeases } from './leases.ts'
import { RedisOutputLog } from './output.ts'
import { bytesOfNew, createResultOf, readResultOf, SNAPSHOT_FIELDS, storedSnapshot } from './replies.ts'
import { type Scripts, withScripts } from './scripts.ts'
import { RedisTaskList } from './task-list.ts'
import { publishedDrop, publishedListing, RedisWatches } from './watches.ts'

export interface RedisStoreOptions {
  readonly keyPrefix: string
  /** Newest events kept of one task. */
  readonly retainEvents: number
  /** Seconds for which a finished task is kept. */
  readonly retainSeconds: number
  /** What is kept of one task's output. */
  readonly output?: OutputBounds
  /** Longest wait for a reply of Redis. */
  readonly commandTimeoutMs: number
  readonly onError: (error: unknown) => void
  /** Told each time that Redis does not serve a call, why: the error's cause. */
  readonly onRefused?: (error: EpochcastError) => void
}

/** Many servers, one truth: a stream and a state for each task in Redis, announcements by pub/sub. */
export class RedisStore implements Store {
  readonly name = 'redis'
  readonly output: RedisOutputLog
  readonly #options: RedisStoreOptions
  readonly #connections: RedisConnections
  readonly #redis: (Redis | Cluster) & Scripts
  readonly #keys: RedisKeys
  readonly #announcements: Announcements
  readonly #changes: RedisChanges
  readonly #curves: RedisCurves
  readonly #errors: PortErrors
  readonly #leases: RedisLeases
  readonly #tasks: RedisTaskList
  readonly #watches: RedisWatches

  constructor(connections: RedisConnections, options: RedisStoreOptions) {
    this.#errors = new PortErrors(options.onRefused ?? (() => {}))
    this.#options = { ...options, onError: (cause) => options.onError(this.#errors.of(cause)) }
    this.#connections = connections
    this.#keys = new RedisKeys(options.keyPrefix)
    this.#redis = withScripts(connections.commands)
    this.output = new RedisOutputLog(this.#redis, this.#keys, this.#errors, options.output)
    this.#curves = new RedisCurves(this.#redis, this.#keys)
    this.#leases = new RedisLeases(this.#redis, this.#keys)
    this.#announcements = new Announcements(
      connections.subscriber,
      options.commandTimeoutMs,
      this.#options.onError,
    )
    this.#watches = new RedisWatches(this.#announcements, this.#keys)
    this.#tasks = new RedisTaskList(this.#redis, this.#keys, {
      retainSeconds: options.retainSeconds,
      snapshot: (key) => this.snapshot(key),
      onDropped: async (serials) => {
        for (const serial of serials) this.#watches.tellListing({ kind: 'dropped', serial })
        const { listings } = this.#keys
        await Promise.all(serials.map((serial) => this.#redis.publish(listings, publishedDrop(serial))))
      },
      onError: this.#options.onError,
    })
    this.#changes = new RedisChanges(this.#redis, this.#keys, {
      tasks: this.#tasks,
      watches: this.#watches,
      onError: this.#options.onError,
    })
  }

  /** Watches that have not been closed. */
  get watchCount(): number {
    return this.#watches.count
  }

  /** Waits for the connections; false where they are not there in time (they are tried on and on). */
  async whenConnected(timeoutMs: number): Promise<boolean> {
    for (const end = performance.now() + timeoutMs; performance.now() < end; ) {
      if ((await this.status()).connected) return true
      await sleep(20)
    }
    return false
  }

  async create(key: TaskKey, events: readonly TaskEvent[], state: TaskState): Promise<CreateResult> {
    return this.#errors.translated(async () => {
      const keys = this.#keys
      const channel = storedChannelOf(key)
      const generation = newGeneration()
      const serial = await this.#redis.incr(keys.serial)
      // Into the lists first: an entry without its task is passed over, a task without its entry is lost.
      await this.#tasks.add(channel, serial)
      const top = { generation, offset: events.length }
      const stateText = JSON.stringify(state)
      const texts = textsOf(events)
      const unweighed = listingOf({ state, top, serial, revision: 0 })
      const bytes = bytesOfNew(stateText, publishedListing(unweighed), texts)
      const listing = { ...unweighed, bytes }
      const reply = await this.#redis.epochcastCreate(
        keys.state(key),
        keys.log(key),
        keys.curves(key),
        keys.dropped(key),
        keys.output(key),
        generation,
        serial,
        stateText,
        this.#options.retainEvents,
        keys.appended(key),
        keys.changes,
        channel,
        keys.listings,
        publishedListing(listing),
        state.spec.startId,
        ...texts,
      )
      const result = createResultOf(reply)
      if (result.kind === 'created') {
        // An earlier task of this name may have been listed, or its deletion be under way.
        await this.#tasks.keep(channel, serial).catch(this.#options.onError)
        this.#watches.tellListing({ kind: 'listed', listing })
      }
      return result
    })
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
    try {
      const keys = this.#keys
      const { retainEvents, retainSeconds } = this.#options
      const comesBack = isReturn && !isFinal
      // Into the lists first, as in `create`; and once more, in case that somebody mended them meanwhile.
      if (comesBack) await this.#tasks.comeBack(key)
      const stateText = JSON.stringify(state)
      gatherWrites(this.#redis)
      const outcome = await this.#redis.epochcastAppend(
        keys.state(key),
        keys.log(key),
        keys.curves(key),
        keys.output(key),
        expectedOf(expected, revision),
        expected.offset,
        stateText,
        retainEvents,
        isFinal ? retainSeconds : isReturn ? -1 : 0,
        keys.appended(key),
        keys.changes,
        channelOf(key),
        texts.join('\n,'),
        ...(listing || curves ? [keys.listings, listing ? publishedListing(listing) : ''] : []),
        ...(curves ? curveArgs(curves) : []),
      )
      if (outcome === -1) return { kind: 'missing' }
      if (outcome === 0) return { kind: 'conflict' }
      if (listing) this.#watches.tellListing({ kind: 'listed', listing })
      if (comesBack) await this.#tasks.comeBack(key).catch(this.#options.onError)
      // Where this fails, the task is still listed as unfinished; `list` notices and mends it.
      if (isFinal) await this.#tasks.finish(key).catch(this.#options.onError)
      const top = { ...expected, offset: expected.offset + events.length }
      return { kind: 'appended', top, stateBytes: Buffer.byteLength(stateText), bytes: outcome }
    } catch (error) {
      throw this.#errors.of(error)
    }
  }

  edit(key: TaskKey, expected: StoredSnapshot, state: TaskState): Promise<EditResult> {
    return this.#errors.translated(() => this.#changes.edit(key, expected, state))
  }

  drop(key: TaskKey, expected: Snapshot): Promise<DropResult> {
    return this.#errors.translated(() => this.#changes.drop(key, expected))
  }

  async snapshot(key: TaskKey): Promise<StoredSnapshot | null> {
    return this.#errors.translated(async () => {
      const found = await this.#redis.hmget(this.#keys.state(key), ...SNAPSHOT_FIELDS)
      return storedSnapshot(found)
    })
  }

  async read(key: TaskKey, after: Position | null, limit: number): Promise<ReadResult> {
    return this.#errors.translated(async () => {
      const reply = await this.#redis.epochcastRead(
        this.#keys.state(key),
        this.#keys.log(key),
        after?.offset ?? -1,
        limit,
      )
      return reply ? readResultOf(reply, after) : { kind: 'missing' }
    })
  }

  readCurves(key: TaskKey): Promise<CurvesRead | null> {
    return this.#errors.translated(() => this.#curves.read(key))
  }

  readSegments(key: TaskKey, names: readonly string[]): Promise<readonly (Uint8Array | null)[]> {
    return this.#errors.translated(() => this.#curves.segments(key, names))
  }

  async watch(key: TaskKey, onSignal: (signal: WatchSignal) => void): Promise<Watch> {
    return this.#errors.translated(() => this.#watches.watch(key, onSignal))
  }

  async watchAll(onChange: (key: TaskKey | null) => void): Promise<Watch> {
    return this.#errors.translated(() => this.#watches.watchAll(onChange))
  }

  async watchListings(onChange: (change: ListingChange) => void): Promise<Watch> {
    return this.#errors.translated(() => this.#watches.watchListings(onChange))
  }

  async list(scope: ListScope, before: number | null, limit: number): Promise<ListPage> {
    return this.#errors.translated(() => this.#tasks.list(scope, before, limit))
  }

  listings(before: number | null, limit: number): Promise<ListingPage> {
    return this.#errors.translated(() => this.#tasks.listings(before, limit))
  }

  async dropExpired(): Promise<void> {
    await this.#errors.translated(() => this.#tasks.dropExpired())
  }

  async startGeneration(key: TaskKey, previous: string, common: number): Promise<void> {
    await this.#errors.translated(() =>
      this.#redis.epochcastStartGeneration(this.#keys.state(key), previous, newGeneration(), common),
    )
  }

  lease(name: string, owner: string, ttlMs: number): Promise<boolean> {
    return this.#errors.translated(() => this.#leases.take(name, owner, ttlMs))
  }

  isLeased(name: string): Promise<boolean> {
    return this.#errors.translated(() => this.#leases.isTaken(name))
  }

  async status(): Promise<EngineStatus> {
    const start = performance.now()
    try {
      await this.#redis.ping()
      const latencyMs = performance.now() - start
      return { name: this.name, connected: this.#announcements.connected, latencyMs }
    } catch {
      return { name: this.name, connected: false, latencyMs: null }
    }
  }

  async close(): Promise<void> {
    this.#watches.close()
    await this.#connections.close()
  }
}

const textsOf = (events: readonly TaskEvent[]): string[] => events.map((event) => JSON.stringify(event))
