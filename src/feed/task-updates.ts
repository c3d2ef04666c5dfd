import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import type { EventLog, Snapshot, Watch } from '../event-log/event-log.ts'
import { listingOf } from '../event-log/listing.ts'
import type { ListPage, TaskIndex } from '../event-log/task-index.ts'
import { type TaskFilter, taskQuery } from '../repository/task-filter.ts'
import { channelOf, type TaskKey } from '../task/task.ts'
import { deadlineAfter, delay, stoppable, whenInReach } from './stoppable.ts'
import type { ConflationOptions } from './task-progress.ts'
import { Waiters } from './waiters.ts'

export interface TaskUpdatesOptions extends ConflationOptions {
  /** Which tasks the subscriber has a right to see; all by default. */
  readonly mayRead?: (key: TaskKey) => boolean
}

/** Changes kept for subscribers that are behind; twice as many, before the list is compacted. */
const MAX_CHANGES = 10_000
const LIST_PAGE = 200
const CLOCK_TOLERANCE_MS = 60_000

interface Change {
  readonly key: TaskKey
  readonly number: number
  /** Read once for all subscribers that pass this change. */
  snapshot: Promise<Snapshot | null> | null
}

/**
 * Which tasks changed, in order, each at the place of its newest change only: that is the conflation.
 * A subscriber is a position in this list. One for a process, listening while somebody subscribes.
 */
export class TaskUpdates {
  readonly #store: EventLog & TaskIndex
  readonly #newest = new Map<string, Change>()
  readonly #waiters = new Waiters()
  #changes: Change[] = []
  #lastNumber = 0
  #users = 0
  #watch: Promise<Watch> | undefined

  constructor(store: EventLog & TaskIndex) {
    this.#store = store
  }

  /** Subscribers at present. */
  get size(): number {
    return this.#users
  }

  /**
   * Opens with every matching task that is unfinished (those named by `filter.ids`, finished or not), then
   * yields each matching task whenever it has changed.
   */
  stream(
    filter: TaskFilter,
    { minIntervalMs, maxStreamMs, mayRead = () => true }: TaskUpdatesOptions,
  ): AsyncIterableIterator<Snapshot, void> {
    const updates = this
    const query = taskQuery(filter)
    const isWanted = (snapshot: Snapshot) =>
      mayRead(snapshot.state.spec) && query.matches(listingOf(snapshot))
    return stoppable(async function* (stop) {
      await updates.#enter()
      const deadline = deadlineAfter(maxStreamMs, stop)
      try {
        let position = updates.#lastNumber
        // Fixed, and early enough for clocks of servers that differ; to tell a change again is harmless.
        const since = Date.now() - CLOCK_TOLERANCE_MS
        for await (const snapshot of updates.#present(filter, isWanted, deadline.signal)) {
          if (deadline.signal.aborted) return
          yield snapshot
        }
        while (!deadline.signal.aborted) {
          const end = updates.#lastNumber
          if (position < updates.#forgottenThrough) {
            // Too far back for the list; the tasks themselves say when they changed last.
            position = end
            for await (const snapshot of updates.#changedSince(isWanted, since, deadline.signal))
              yield snapshot
          }
          for (; position < end && !deadline.signal.aborted; position++) {
            // Forgotten under a slow reader: the list of tasks is looked at instead, next.
            if (position < updates.#forgottenThrough) break
            const snapshot = await updates.#changedAt(position + 1, deadline.signal)
            if (snapshot && isWanted(snapshot)) yield snapshot
          }
          if (position < end) continue
          await delay(minIntervalMs, deadline.signal)
          await updates.#waiters.until(() => updates.#lastNumber > position, deadline.signal)
        }
      } finally {
        deadline.clear()
        await updates.#leave()
      }
    })
  }

  get #forgottenThrough(): number {
    return (this.#changes[0]?.number ?? this.#lastNumber + 1) - 1
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
    this.#changes = []
    this.#newest.clear()
    await watch?.close()
  }

  /** @param key null where any task may have changed: subscribers then look at all of them */
  #note(key: TaskKey | null): void {
    if (key === null) {
      this.#lastNumber++
      this.#changes = []
      this.#newest.clear()
      this.#waiters.wake()
      return
    }
    const change: Change = { key, number: ++this.#lastNumber, snapshot: null }
    const replaced = this.#newest.get(channelOf(key))
    if (replaced) replaced.snapshot = null
    this.#changes.push(change)
    this.#newest.set(channelOf(key), change)
    if (this.#changes.length > 2 * MAX_CHANGES) {
      for (const old of this.#changes.splice(0, MAX_CHANGES)) {
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
    change.snapshot ??= this.#store.snapshot(change.key)
    try {
      return await change.snapshot
    } catch {
      return (await whenInReach(() => this.#store.snapshot(change.key), signal)) ?? null
    }
  }

  async *#present(
    { ids }: TaskFilter,
    isWanted: (snapshot: Snapshot) => boolean,
    signal: AbortSignal,
  ): AsyncGenerator<Snapshot, void, undefined> {
    for await (const snapshot of this.#list(ids ? 'all' : 'unfinished', signal))
      if (isWanted(snapshot)) yield snapshot
  }

  async *#changedSince(
    isWanted: (snapshot: Snapshot) => boolean,
    since: number,
    signal: AbortSignal,
  ): AsyncGenerator<Snapshot, void, undefined> {
    for await (const snapshot of this.#list('all', signal)) {
      if (snapshot.state.updatedAt >= since && isWanted(snapshot)) yield snapshot
    }
  }

  async *#list(scope: 'all' | 'unfinished', signal: AbortSignal): AsyncGenerator<Snapshot, void, undefined> {
    let before: number | null = null
    for (;;) {
      const from: number | null = before
      const page: ListPage | undefined = await whenInReach(
        () => this.#store.list(scope, from, LIST_PAGE),
        signal,
      )
      if (!page) return
      yield* page.snapshots
      // An engine in this process never waits for the network, so a long list would block everything else.
      await eventLoopTurn()
      const last = page.snapshots.at(-1)
      if (!page.hasMore || !last) return
      before = last.serial
    }
  }
}
