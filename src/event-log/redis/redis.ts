import { randomBytes } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import type { TaskEvent } from '../../task/event.ts'
import type { Position } from '../../task/position.ts'
import { channelOf, type TaskKey, type TaskState } from '../../task/task.ts'
import type {
  AppendRequest,
  AppendResult,
  CreateResult,
  LogEntry,
  ReadResult,
  Snapshot,
  Watch,
  WatchSignal,
} from '../event-log.ts'
import { type ListingChange, listingOf } from '../listing.ts'
import { ownCopy } from '../own-copy.ts'
import type { EngineStatus, Store } from '../store.ts'
import type { ListPage, ListScope } from '../task-index.ts'
import { Announcements, type PublishedEntries } from './announcements.ts'
import { gatherWrites, type RedisConnections } from './connections.ts'
import { toPortError, translated } from './errors.ts'
import { keyOfChannel, RedisKeys } from './keys.ts'
import { publishedDrop, publishedListing, RedisListings } from './listings.ts'
import { type Scripts, withScripts } from './scripts.ts'
import { RedisTaskList } from './task-list.ts'

export interface RedisStoreOptions {
  readonly keyPrefix: string
  /** Newest events kept of one task. */
  readonly retainEvents: number
  /** Seconds for which a finished task is kept. */
  readonly retainSeconds: number
  /** Longest wait for a reply of Redis. */
  readonly commandTimeoutMs: number
  readonly onError: (error: unknown) => void
}

/** Many servers, one truth: a stream and a state for each task in Redis, announcements by pub/sub. */
export class RedisStore implements Store {
  readonly name = 'redis'
  readonly #options: RedisStoreOptions
  readonly #connections: RedisConnections
  readonly #redis: (Redis | Cluster) & Scripts
  readonly #keys: RedisKeys
  readonly #announcements: Announcements
  readonly #tasks: RedisTaskList
  readonly #listings: RedisListings

  constructor(connections: RedisConnections, options: RedisStoreOptions) {
    this.#options = { ...options, onError: (cause) => options.onError(toPortError(cause)) }
    this.#connections = connections
    this.#keys = new RedisKeys(options.keyPrefix)
    this.#redis = withScripts(connections.commands)
    this.#announcements = new Announcements(
      connections.subscriber,
      options.commandTimeoutMs,
      this.#options.onError,
    )
    this.#listings = new RedisListings(this.#announcements, this.#keys.listings)
    this.#tasks = new RedisTaskList(this.#redis, this.#keys, {
      retainSeconds: options.retainSeconds,
      snapshot: (key) => this.snapshot(key),
      onDropped: async (serials) => {
        for (const serial of serials) this.#listings.tell({ kind: 'dropped', serial })
        const { listings } = this.#keys
        await Promise.all(serials.map((serial) => this.#redis.publish(listings, publishedDrop(serial))))
      },
      onError: this.#options.onError,
    })
  }

  /** Watches that have not been closed. */
  get watchCount(): number {
    return this.#announcements.size - this.#listings.watchCount
  }

  /** Waits for the connections; false where they are not there in time (they are tried on and on). */
  async whenConnected(timeoutMs: number): Promise<boolean> {
    const end = performance.now() + timeoutMs
    while (performance.now() < end) {
      if ((await this.status()).connected) return true
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return false
  }

  async create(key: TaskKey, events: readonly TaskEvent[], state: TaskState): Promise<CreateResult> {
    return translated(async () => {
      const keys = this.#keys
      const channel = channelOf(key)
      const generation = newGeneration()
      const serial = await this.#redis.incr(keys.serial)
      // Into the lists first: an entry without its task is passed over, a task without its entry is lost.
      await this.#tasks.add(channel, serial)
      const top = { generation, offset: events.length }
      const listing = listingOf({ state, top, serial })
      const [created, ...stored] = await this.#redis.epochcastCreate(
        keys.state(key),
        keys.log(key),
        generation,
        serial,
        JSON.stringify(state),
        this.#options.retainEvents,
        keys.appended(key),
        keys.changes,
        channel,
        keys.listings,
        publishedListing(listing),
        ...textsOf(events),
      )
      // Of an earlier task of this name whose time was up.
      if (created) await this.#tasks.keep(channel).catch(this.#options.onError)
      if (created) this.#listings.tell({ kind: 'listed', listing })
      return { kind: created ? 'created' : 'exists', snapshot: snapshotOf(...stored) }
    })
  }

  async append(
    key: TaskKey,
    { expected, events, state, isFinal, texts = textsOf(events), listing }: AppendRequest,
  ): Promise<AppendResult> {
    try {
      const keys = this.#keys
      const { retainEvents, retainSeconds } = this.#options
      gatherWrites(this.#redis)
      const outcome = await this.#redis.epochcastAppend(
        keys.state(key),
        keys.log(key),
        expected.generation,
        expected.offset,
        JSON.stringify(state),
        retainEvents,
        isFinal ? retainSeconds : 0,
        keys.appended(key),
        keys.changes,
        channelOf(key),
        texts.join('\n,'),
        ...(listing ? [keys.listings, publishedListing(listing)] : []),
      )
      if (outcome === -1) return { kind: 'missing' }
      if (outcome === 0) return { kind: 'conflict' }
      if (listing) this.#listings.tell({ kind: 'listed', listing })
      // Where this fails, the task is still listed as unfinished; `list` notices and mends it.
      if (isFinal) await this.#tasks.finish(key).catch(this.#options.onError)
      return { kind: 'appended', top: { ...expected, offset: expected.offset + events.length } }
    } catch (error) {
      throw toPortError(error)
    }
  }

  async snapshot(key: TaskKey): Promise<Snapshot | null> {
    return translated(async () => {
      const [generation, top, serial, state] = await this.#redis.hmget(
        this.#keys.state(key),
        'generation',
        'top',
        'serial',
        'state',
      )
      return generation && top && serial && state ? snapshotOf(generation, top, serial, state) : null
    })
  }

  async read(key: TaskKey, after: Position | null, limit: number): Promise<ReadResult> {
    return translated(async () => {
      const reply = await this.#redis.epochcastRead(
        this.#keys.state(key),
        this.#keys.log(key),
        after?.offset ?? -1,
        limit,
      )
      if (!reply) return { kind: 'missing' }
      const [generation, topOffset, oldest, previous, lastCommon, entries] = reply
      const top = { generation, offset: Number(topOffset) }
      const beforeOldest = Number(oldest) - 1
      const resumeAt = { generation, offset: beforeOldest }
      let offset = after?.offset ?? beforeOldest
      if (after && after.generation !== generation) {
        if (after.generation !== previous)
          return { kind: 'gone', reason: 'LOG_RESET', resumeAt, skipped: null }
        const common = Number(lastCommon)
        // Of what the reader saw after the common offset nothing is left; up to it both generations are one.
        const skipped = Math.max(0, after.offset - common)
        const at = { generation, offset: Math.max(beforeOldest, Math.min(after.offset, common)) }
        return { kind: 'gone', reason: 'LOG_RESET', resumeAt: at, skipped }
      }
      if (offset > top.offset) return { kind: 'ahead', top }
      if (offset < beforeOldest) {
        return { kind: 'gone', reason: 'TRIMMED', resumeAt, skipped: beforeOldest - offset }
      }
      return {
        kind: 'entries',
        top,
        entries: (entries ?? []).map(
          ([, [, text]]): LogEntry => ({ offset: ++offset, event: JSON.parse(text) }),
        ),
      }
    })
  }

  async watch(key: TaskKey, onSignal: (signal: WatchSignal) => void): Promise<Watch> {
    return translated(() =>
      this.#announcements.listen(this.#keys.appended(key), (signal) => {
        if (signal.kind !== 'message') return onSignal(signal)
        const published = parseAnnouncement(signal.message)
        // RedisPubSub hands on as text what it cannot parse; whatever it was, the log knows better.
        onSignal(published ? appendedBy(published) : { kind: 'resumed' })
      }),
    )
  }

  async watchAll(onChange: (key: TaskKey | null) => void): Promise<Watch> {
    return translated(() =>
      this.#announcements.listen(this.#keys.changes, (signal) => {
        if (signal.kind === 'message') onChange(keyOfChannel(String(signal.message)))
        if (signal.kind === 'resumed') onChange(null)
      }),
    )
  }

  async watchListings(onChange: (change: ListingChange) => void): Promise<Watch> {
    return translated(() => this.#listings.watch(onChange))
  }

  async list(scope: ListScope, before: number | null, limit: number): Promise<ListPage> {
    return translated(() => this.#tasks.list(scope, before, limit))
  }

  async dropExpired(): Promise<void> {
    await translated(() => this.#tasks.dropExpired())
  }

  async startGeneration(key: TaskKey, previous: string, common: number): Promise<void> {
    await translated(() =>
      this.#redis.epochcastStartGeneration(this.#keys.state(key), previous, newGeneration(), common),
    )
  }

  async lease(name: string, owner: string, ttlMs: number): Promise<boolean> {
    return translated(
      async () => (await this.#redis.epochcastLease(this.#keys.lease(name), owner, ttlMs)) === 1,
    )
  }

  async isLeased(name: string): Promise<boolean> {
    return translated(async () => (await this.#redis.exists(this.#keys.lease(name))) === 1)
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
    this.#announcements.close()
    this.#listings.close()
    await this.#connections.close()
  }
}

const textsOf = (events: readonly TaskEvent[]): string[] => events.map((event) => JSON.stringify(event))
const newGeneration = (): string => randomBytes(6).toString('base64url')

function snapshotOf(generation: string, top: string, serial: string, state: string): Snapshot {
  return {
    top: { generation, offset: Number(top) },
    serial: Number(serial),
    state: JSON.parse(state) as TaskState,
  }
}

function parseAnnouncement(message: unknown): PublishedEntries | null {
  if (typeof message !== 'object' || message === null) return null
  const { generation, offset, events } = message as Partial<PublishedEntries>
  const isOurs = typeof generation === 'string' && typeof offset === 'number' && Array.isArray(events)
  return isOurs ? { generation, offset, events } : null
}

function appendedBy({ generation, offset, events }: PublishedEntries): WatchSignal {
  // RedisPubSub parses a message once for all listeners of its channel.
  const entries = events.map((event, i): LogEntry => ({ offset: offset + i, event: ownCopy(event) }))
  return { kind: 'appended', top: { generation, offset: offset + events.length - 1 }, entries }
}
