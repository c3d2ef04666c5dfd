import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { textSize } from '../bounds/text-size.ts'
import type { EventLog, Snapshot, Watch } from '../event-log/event-log.ts'
import type { Listing } from '../event-log/listing.ts'
import type { TaskIndex } from '../event-log/task-index.ts'
import { ANYONE, accountOf, type Caller } from '../repository/access.ts'
import type { TaskCatalog } from '../repository/task-catalog.ts'
import { type TaskFilter, taskQuery } from '../repository/task-filter.ts'
import { channelOf, type TaskKey } from '../task/task.ts'
import type { EngineWait } from './engine-wait.ts'
import { Pacing } from './pacing.ts'
import { ShownTasks } from './shown-tasks.ts'
import { deadlineAfter, delay, stoppable, unlessAborted, whenInReach } from './stoppable.ts'
import type { ConflationOptions } from './task-progress.ts'
import { Waiters } from './waiters.ts'

export interface TaskUpdatesOptions extends ConflationOptions {
  /** Who subscribes, and sees only what that gives a right to; anyone by default. */
  readonly caller?: Caller
  /** How long ago tasks may have ended that are told at the beginning; 0 by default. */
  readonly finishedWithinMs?: number
}

/** Changes kept for subscribers that are behind; twice as many, before the list is compacted. */
const MAX_CHANGES = 10_000
/** Tasks that are looked up at the same time. */
const LOOKED_UP_TOGETHER = 50
const CLOCK_TOLERANCE_MS = 60_000
/** Characters, about, of tasks that were read for one subscriber and are kept for those that pass the change after it. */
const KEPT_SNAPSHOTS_SIZE = 16 * 1024 * 1024
const SNAPSHOT_OVERHEAD = 1000

interface Change {
  readonly key: TaskKey
  readonly number: number
  /** Being read, once for all subscribers that pass this change meanwhile. */
  reading: Promise<Snapshot | null> | null
}

/**
 * Which tasks changed, in order, each at the place of its newest change only: that is the conflation.
 * A subscriber is a position in this list. One for a process, listening while somebody subscribes.
 */
export class TaskUpdates {
  readonly #store: EventLog & TaskIndex
  readonly #catalog: TaskCatalog
  readonly #engineWait: EngineWait
  readonly #pacing: Pacing
  readonly #newest = new Map<string, Change>()
  readonly #waiters = new Waiters()
  /** By the numbers of their changes; null where the task is gone. */
  readonly #kept: LRUCache<number, { readonly snapshot: Snapshot | null }>
  #changes: Change[] = []
  #lastNumber = 0
  #users = 0
  #watch: Promise<Watch> | undefined

  constructor(
    store: EventLog & TaskIndex,
    catalog: TaskCatalog,
    engineWait: EngineWait,
    pacing = new Pacing(),
    keptSize = KEPT_SNAPSHOTS_SIZE,
  ) {
    this.#kept = new LRUCache({ maxSize: keptSize })
    this.#pacing = pacing
    this.#store = store
    this.#catalog = catalog
    this.#engineWait = engineWait
  }

  /** Subscribers at present. */
  get size(): number {
    return this.#users
  }

  /**
   * Opens with the matching tasks that are unfinished or have just ended (those named by `filter.ids`, whatever their
   * status), then yields each matching task whenever it has changed, and once more when it no longer matches.
   *
   * @throws EpochcastError BAD_INPUT; while it is read, ENGINE_UNAVAILABLE where the engine was away for too long at first
   */
  stream(
    filter: TaskFilter,
    { minIntervalMs, maxStreamMs, caller = ANYONE, finishedWithinMs = 0 }: TaskUpdatesOptions,
  ): AsyncIterableIterator<Snapshot, void> {
    const updates = this
    const shown = new ShownTasks(taskQuery(filter, caller))
    return stoppable(async function* (stop) {
      await updates.#open(stop)
      const pace = updates.#pacing.open(accountOf(caller))
      const deadline = deadlineAfter(maxStreamMs, stop)
      const { signal } = deadline
      // Changes sent since the last pause; what it opens with is no change.
      let sent = 0
      try {
        let position = updates.#lastNumber
        // All that changed before was told; early enough for clocks of servers that differ, since to tell a change again
        // is harmless.
        let since = Date.now() - CLOCK_TOLERANCE_MS
        yield* updates.#present(shown, Date.now() - finishedWithinMs, signal)
        while (!signal.aborted) {
          const end = updates.#lastNumber
          if (position < updates.#forgottenThrough) {
            // Too far back for the list; the tasks themselves say when they changed last.
            position = end
            sent += yield* updates.#changedSince(shown, since, signal)
          }
          for (; position < end && !signal.aborted; position++) {
            // Forgotten under a slow reader: the catalog is looked at instead, next.
            if (position < updates.#forgottenThrough) break
            const snapshot = await updates.#changedAt(position + 1, signal)
            if (!snapshot || !shown.isToBeTold(snapshot)) continue
            yield snapshot
            sent++
          }
          if (position < end) continue
          since = Date.now() - CLOCK_TOLERANCE_MS
          await delay(pace.intervalMs(minIntervalMs, sent), signal)
          sent = 0
          await updates.#waiters.until(() => updates.#lastNumber > position, signal)
        }
        deadline.throwIfPassed()
      } finally {
        deadline.clear()
        pace.close()
        shown.forget()
        await updates.#leave()
      }
    })
  }

  get #forgottenThrough(): number {
    return (this.#changes[0]?.number ?? this.#lastNumber + 1) - 1
  }

  /** Later, streams wait for the engine as long as it takes. */
  async #open(signal: AbortSignal): Promise<void> {
    await this.#engineWait.openedInReach(
      () => this.#enter(),
      () => signal.aborted,
    )
  }

  async #enter(): Promise<void> {
    this.#watch ??= this.#store.watchAll((key) => this.#note(key))
    const watch = this.#watch
    this.#users++
    try {
      await watch
    } catch (error) {
      this.#users--
      if (this.#watch === watch) this.#watch = undefined
      throw error
    }
  }

  async #leave(): Promise<void> {
    if (--this.#users > 0) return
    const watch = await this.#watch
    if (this.#users > 0) return
    this.#watch = undefined
    this.#forget()
    await watch?.close()
  }

  #forget(): void {
    this.#changes = []
    this.#newest.clear()
    this.#kept.clear()
  }

  /** @param key null where any task may have changed: subscribers then look at all of them */
  #note(key: TaskKey | null): void {
    if (key === null) {
      this.#lastNumber++
      this.#forget()
      this.#waiters.wake()
      return
    }
    if (!this.#catalog.covers(key)) return
    const change: Change = { key, number: ++this.#lastNumber, reading: null }
    const replaced = this.#newest.get(channelOf(key))
    if (replaced) this.#kept.delete(replaced.number)
    this.#changes.push(change)
    this.#newest.set(channelOf(key), change)
    if (this.#changes.length > 2 * MAX_CHANGES) {
      for (const old of this.#changes.splice(0, MAX_CHANGES)) {
        this.#kept.delete(old.number)
        if (this.#newest.get(channelOf(old.key)) === old) this.#newest.delete(channelOf(old.key))
      }
    }
    this.#waiters.wake()
  }

  /** The task of a change, unless it changed again later and will come then. */
  async #changedAt(number: number, signal: AbortSignal): Promise<Snapshot | null> {
    const first = this.#changes[0]?.number ?? 0
    const change = this.#changes[number - first]
    if (!change || this.#newest.get(channelOf(change.key)) !== change) return null
    const kept = this.#kept.get(number)
    if (kept) return kept.snapshot
    change.reading ??= this.#read(change)
    try {
      return await change.reading
    } catch {
      return (await whenInReach(() => this.#store.snapshot(change.key), signal)) ?? null
    }
  }

  async #read(change: Change): Promise<Snapshot | null> {
    try {
      const snapshot = await this.#store.snapshot(change.key)
      if (this.#newest.get(channelOf(change.key)) === change) {
        const size = SNAPSHOT_OVERHEAD + (snapshot ? textSize(snapshot.state, this.#kept.maxSize) : 0)
        this.#kept.set(change.number, { snapshot }, { size })
      }
      return snapshot
    } finally {
      change.reading = null
    }
  }

  async *#present(
    shown: ShownTasks,
    endedSince: number,
    signal: AbortSignal,
  ): AsyncGenerator<Snapshot, number, undefined> {
    await whenInReach(() => this.#catalog.loaded(), signal)
    const { query } = shown
    const { walk } = this.#catalog
    const found = query.namesTasks ? walk.byCreation(query, true) : walk.unfinishedOrEnded(query, endedSince)
    return yield* this.#lookUp(shown, found, signal)
  }

  async *#changedSince(
    shown: ShownTasks,
    since: number,
    signal: AbortSignal,
  ): AsyncGenerator<Snapshot, number, undefined> {
    await unlessAborted(this.#catalog.caughtUp(), signal)
    const changed = this.#catalog.walk.changedSince(since)
    return yield* this.#lookUp(
      shown,
      filtered(changed, (listing) => shown.mayConcern(listing)),
      signal,
    )
  }

  async *#lookUp(
    shown: ShownTasks,
    listings: AsyncIterable<Listing>,
    signal: AbortSignal,
  ): AsyncGenerator<Snapshot, number, undefined> {
    let sent = 0
    for await (const together of batches(listings, LOOKED_UP_TOGETHER)) {
      if (signal.aborted) break
      const snapshots = await Promise.all(
        together.map((listing) => whenInReach(() => this.#catalog.fresh(listing), signal)),
      )
      for (const snapshot of snapshots) {
        if (signal.aborted) return sent
        if (!snapshot || !shown.isToBeTold(snapshot)) continue
        yield snapshot
        sent++
      }
      // An engine in this process never waits for the network, so many tasks would block everything else.
      await eventLoopTurn()
    }
    return sent
  }
}

async function* batches<T>(all: AsyncIterable<T>, size: number): AsyncGenerator<T[], void, undefined> {
  let batch: T[] = []
  for await (const one of all) {
    batch.push(one)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

async function* filtered<T>(all: AsyncIterable<T>, isMeant: (one: T) => boolean) {
  for await (const one of all) if (isMeant(one)) yield one
}
