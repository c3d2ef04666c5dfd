import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import type { Cluster, Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import { channelOf, type TaskKey } from '../../task/task.ts'
import type { Snapshot, StoredSnapshot } from '../event-log.ts'
import { type Listing, listingOf } from '../listing.ts'
import type { ListingPage, ListPage, ListScope } from '../task-index.ts'
import { keyOfChannel, type RedisKeys } from './keys.ts'
import { LISTING_FIELDS, storedListing } from './replies.ts'

export interface RedisTaskListOptions {
  /** Seconds for which a finished task is kept. */
  readonly retainSeconds: number
  /** Reads a task as its log has it. */
  readonly snapshot: (key: TaskKey) => Promise<StoredSnapshot | null>
  /** Told the serials of tasks that were taken out because their retention has passed. */
  readonly onDropped: (serials: readonly number[]) => Promise<void>
  readonly onError: (error: unknown) => void
}

/** Expired tasks that are taken out together; more follow in the next turn of the event loop. */
const EXPIRED_TOGETHER = 200
/** How long a listed task may be missing before its entry is taken out. */
const MISSING_MS = 60_000
const MAX_MISSING = 10_000

/**
 * The sorted sets that list tasks. They live under other hash tags than the tasks, so nothing changes both in
 * one step: the sets may name a task that is finished or gone. Listing looks each task up, and
 * mends what is wrong.
 */
export class RedisTaskList {
  readonly #redis: Redis | Cluster
  readonly #keys: RedisKeys
  readonly #options: RedisTaskListOptions
  /** Entries whose task was not found, and since when. */
  readonly #missingSince = new LRUCache<string, number>({ max: MAX_MISSING })

  constructor(redis: Redis | Cluster, keys: RedisKeys, options: RedisTaskListOptions) {
    this.#redis = redis
    this.#keys = keys
    this.#options = options
  }

  async add(channel: string, serial: number): Promise<void> {
    await this.#redis.zadd(this.#keys.tasks, 'NX', serial, channel)
    await this.#redis.zadd(this.#keys.unfinished, 'NX', serial, channel)
  }

  /**
   * The task has been created. Said again, since an entry of an earlier task of this name may have been taken out
   * meanwhile; one that was finished would expire.
   */
  async keep(channel: string, serial: number): Promise<void> {
    await Promise.all([
      this.#redis.zadd(this.#keys.tasks, serial, channel),
      this.#redis.zadd(this.#keys.unfinished, serial, channel),
      this.#redis.zrem(this.#keys.expiries, channel),
    ])
  }

  /** By its serial: another task of this name may be listed already. */
  async drop(channel: string, serial: number): Promise<void> {
    await Promise.all([
      this.#redis.zremrangebyscore(this.#keys.tasks, serial, serial),
      this.#redis.zremrangebyscore(this.#keys.unfinished, serial, serial),
      this.#redis.zrem(this.#keys.expiries, channel),
    ])
  }

  async finish(key: TaskKey): Promise<void> {
    const channel = channelOf(key)
    const expiry = Date.now() + this.#options.retainSeconds * 1000
    await Promise.all([
      this.#redis.zrem(this.#keys.unfinished, channel),
      this.#redis.zadd(this.#keys.expiries, expiry, channel),
    ])
  }

  /** It had been given up; where its append then does not take place, `list` notices and mends it. */
  async comeBack(key: TaskKey): Promise<void> {
    const snapshot = await this.#options.snapshot(key)
    if (snapshot) await this.keep(channelOf(key), snapshot.serial)
  }

  async list(scope: ListScope, before: number | null, limit: number): Promise<ListPage> {
    const { page, hasMore } = await this.#page(scope, before, limit, this.#options.snapshot)
    return { snapshots: page, hasMore }
  }

  async listings(before: number | null, limit: number): Promise<ListingPage> {
    const { page, hasMore } = await this.#page('all', before, limit, (key) => this.#listing(key))
    return { listings: page, hasMore }
  }

  async #listing(key: TaskKey): Promise<Listing | null> {
    const listing = storedListing(await this.#redis.hmget(this.#keys.state(key), ...LISTING_FIELDS))
    if (listing !== 'stale') return listing
    const snapshot = await this.#options.snapshot(key)
    return snapshot && listingOf(snapshot)
  }

  async #page<T extends StoredSnapshot | Listing>(
    scope: ListScope,
    before: number | null,
    limit: number,
    read: (key: TaskKey) => Promise<T | null>,
  ): Promise<{ page: T[]; hasMore: boolean }> {
    const set = scope === 'all' ? this.#keys.tasks : this.#keys.unfinished
    const page: T[] = []
    let below = before
    for (;;) {
      const found = await this.#redis.zrevrangebyscore(
        set,
        below === null ? '+inf' : `(${below}`,
        '-inf',
        'WITHSCORES',
        'LIMIT',
        0,
        limit + 1,
      )
      for (const { channel, serial, task } of await lookUp(found, read)) {
        below = serial
        const isListed = task && (scope === 'all' || !isFinished(task))
        if (!isListed) this.#mend(scope, channel, task)
        else if (task.serial !== serial) this.#correct(set, channel, task.serial)
        if (!isListed) continue
        if (page.length === limit) return { page, hasMore: true }
        else page.push(task.serial === serial ? task : { ...task, serial })
      }
      if (found.length < 2 * (limit + 1)) return { page, hasMore: false }
    }
  }

  /** Takes them out of the lists; Redis drops their keys by itself. One that has come back stays. */
  async dropExpired(): Promise<void> {
    while ((await this.#dropSomeExpired()) === EXPIRED_TOGETHER) await eventLoopTurn()
  }

  /** Returns how many were due. */
  async #dropSomeExpired(): Promise<number> {
    const { expiries } = this.#keys
    const due = await this.#redis.zrangebyscore(expiries, '-inf', Date.now(), 'LIMIT', 0, EXPIRED_TOGETHER)
    const snapshots = await Promise.all(due.map((channel) => this.#options.snapshot(keyOfChannel(channel))))
    const expired: string[] = []
    for (const [i, channel] of due.entries()) {
      const snapshot = snapshots[i]
      if (snapshot && !isFinished(snapshot)) await this.keep(channel, snapshot.serial)
      else expired.push(channel)
    }
    if (expired.length === 0) return due.length
    const serials = await this.#redis.zmscore(this.#keys.tasks, ...expired)
    await this.#redis.zrem(this.#keys.tasks, ...expired)
    await this.#redis.zrem(this.#keys.expiries, ...expired)
    await this.#options.onDropped(serials.flatMap((serial) => (serial === null ? [] : Number(serial))))
    return due.length
  }

  /** Of two that create a task at once, one lists it and the other may create it; and a name may be used again. */
  #correct(set: string, channel: string, serial: number): void {
    this.#redis.zadd(set, 'XX', serial, channel).catch(this.#options.onError)
  }

  /**
   * An entry of a list without a place in it: the task is finished, or not there. The latter may be because its
   * creation is under way, so an entry is taken out only when its task has been missing for a while.
   */
  #mend(scope: ListScope, channel: string, task: Snapshot | Listing | null): void {
    if (!task && !this.#hasBeenMissing(channel)) return
    const set = scope === 'all' ? this.#keys.tasks : this.#keys.unfinished
    const mending = task ? this.finish(keyOfChannel(channel)) : this.#redis.zrem(set, channel)
    mending.catch(this.#options.onError)
  }

  #hasBeenMissing(channel: string): boolean {
    const since = this.#missingSince.get(channel)
    if (since === undefined) {
      this.#missingSince.set(channel, Date.now())
      return false
    }
    if (Date.now() - since < MISSING_MS) return false
    this.#missingSince.delete(channel)
    return true
  }
}

/** @param found channels, and behind each its serial */
function lookUp<T>(found: readonly string[], read: (key: TaskKey) => Promise<T | null>) {
  const listed: Promise<{ channel: string; serial: number; task: T | null }>[] = []
  for (let i = 0; i < found.length; i += 2) {
    const channel = found[i] as string
    const serial = Number(found[i + 1])
    // In one event-loop turn, so that ioredis sends them as one pipeline.
    listed.push(read(keyOfChannel(channel)).then((task) => ({ channel, serial, task })))
  }
  return Promise.all(listed)
}

const isFinished = (task: Snapshot | Listing): boolean =>
  ('state' in task ? task.state.finishedAt : task.finishedAt) !== null
