import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import type { Snapshot, Watch } from '../event-log/event-log.ts'
import { type Listing, type ListingChange, listingOf } from '../event-log/listing.ts'
import type { ListPage, TaskIndex } from '../event-log/task-index.ts'
import { type LivenessWindows, silenceDeadline } from '../task/lifecycle.ts'
import { isFinalStatus, type TaskKey, type TaskState } from '../task/task.ts'
import { Deadlines, type Due } from './deadlines.ts'

export interface WatchedTask extends Due {
  readonly key: TaskKey
  readonly serial: number
  readonly holder: string | null
}

/** So few that nobody notices, of an engine in this process, too. */
const LIST_PAGE = 100
const CHECKED_TOGETHER = 5000
/** Lists are read again now and then: engines mend them while they are read, and an announcement may get lost. */
const RELOAD_MS = 600_000

/**
 * The unfinished tasks, by when their silence would mean something, so that a look at them costs what is due and not what
 * there is. First it listens, then it reads the list.
 */
export class WatchedTasks {
  readonly #tasks: TaskIndex
  readonly #windows: LivenessWindows
  readonly #bySerial = new Map<number, WatchedTask>()
  readonly #byHolder = new Map<string, Set<WatchedTask>>()
  readonly #deadlines = new Deadlines<WatchedTask>()
  #watch: Watch | undefined
  #loadedAt: number | null = null

  constructor(tasks: TaskIndex, windows: LivenessWindows) {
    this.#tasks = tasks
    this.#windows = windows
  }

  get size(): number {
    return this.#bySerial.size
  }

  /** The servers whose child processes some trainers are. */
  get holders(): readonly string[] {
    return [...this.#byHolder.keys()]
  }

  heldBy(holder: string): readonly WatchedTask[] {
    return [...(this.#byHolder.get(holder) ?? [])]
  }

  /**
   * Makes sure that it knows of all unfinished tasks.
   *
   * @throws EpochcastError ENGINE_UNAVAILABLE; may then be tried again
   */
  async open(now = Date.now()): Promise<void> {
    this.#watch ??= await this.#tasks.watchListings((change) => this.#hear(change))
    if (this.#loadedAt !== null && now - this.#loadedAt < RELOAD_MS) return
    this.#loadedAt = now
    try {
      await this.#load()
    } catch (error) {
      this.#loadedAt = null
      throw error
    }
  }

  add(snapshot: Snapshot): void {
    this.#set(listingOf(snapshot))
  }

  /** Those whose time has come, each once: `keep` or `forget` decides what follows. */
  takeDue(now: number, limit: number): WatchedTask[] {
    return this.#deadlines.take(now, limit)
  }

  /** Looks at a task again when its state as it is may mean something, but not before `notBefore`. */
  keep(task: WatchedTask, state: TaskState, notBefore: number): void {
    if (this.#bySerial.get(task.serial) !== task) return
    this.#deadlines.set(task, Math.max(silenceDeadline(state, this.#windows), notBefore))
  }

  retry(task: WatchedTask, at: number): void {
    if (this.#bySerial.get(task.serial) === task) this.#deadlines.set(task, at)
  }

  forget(serial: number): void {
    const task = this.#bySerial.get(serial)
    if (!task) return
    this.#bySerial.delete(serial)
    this.#deadlines.delete(task)
    if (task.holder === null) return
    const held = this.#byHolder.get(task.holder)
    held?.delete(task)
    if (held?.size === 0) this.#byHolder.delete(task.holder)
  }

  async close(): Promise<void> {
    const watch = this.#watch
    this.#watch = undefined
    this.#loadedAt = null
    this.#bySerial.clear()
    this.#byHolder.clear()
    this.#deadlines.clear()
    await watch?.close()
  }

  async #load(): Promise<void> {
    const found = new Set<number>()
    const known = [...this.#bySerial.keys()]
    let before: number | null = null
    for (;;) {
      const page: ListPage = await this.#tasks.list('unfinished', before, LIST_PAGE)
      for (const snapshot of page.snapshots) {
        found.add(snapshot.serial)
        this.add(snapshot)
      }
      const last = page.snapshots.at(-1)
      if (!page.hasMore || !last) break
      // An engine in this process never waits for the network, so a long list would block everything else.
      await eventLoopTurn()
      before = last.serial
    }
    for (let i = 0; i < known.length; i++) {
      if (!found.has(known[i] as number)) this.forget(known[i] as number)
      if (i % CHECKED_TOGETHER === 0) await eventLoopTurn()
    }
  }

  #hear(change: ListingChange): void {
    if (change.kind === 'unknown') this.#loadedAt = null
    else if (change.kind === 'dropped') this.forget(change.serial)
    else if (isFinalStatus(change.listing.status)) this.forget(change.listing.serial)
    else this.#set(change.listing)
  }

  #set({ serial, channelPrefix, id, status, heardAt, stopRequested = false, holder }: Listing): void {
    // A server of an older version does not tell: the task is looked at.
    const dueAt =
      heardAt === undefined ? 0 : silenceDeadline({ status, heardAt, stopRequested }, this.#windows)
    const known = this.#bySerial.get(serial)
    if (known) {
      // Where it is later by now, the look at the former time will tell.
      if (known.place >= 0 && dueAt < known.dueAt) this.#deadlines.set(known, dueAt)
      return
    }
    const task = { key: { channelPrefix, id }, serial, holder: holder ?? null, dueAt, place: -1 }
    this.#bySerial.set(serial, task)
    this.#deadlines.set(task, dueAt)
    if (task.holder === null) return
    const held = this.#byHolder.get(task.holder) ?? new Set()
    this.#byHolder.set(task.holder, held.add(task))
  }
}
