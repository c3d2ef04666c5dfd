import type { EventLog, Snapshot } from '../event-log/event-log.ts'
import { channelOf, type TaskKey } from '../task/task.ts'
import type { EngineWait } from './engine-wait.ts'
import { FeedCounts } from './feed-counts.ts'
import { Pages, type PagesOptions } from './pages.ts'
import type { Receipt } from './receipts.ts'
import { RingBudget } from './ring-budget.ts'
import { TaskFeed } from './task-feed.ts'
import type { TaskFeedOptions } from './task-feed-options.ts'

interface Shared {
  readonly feed: Promise<TaskFeed>
  /** Once it is there. */
  opened?: TaskFeed
  users: number
}

export interface FeedsOptions extends TaskFeedOptions {
  readonly pages: PagesOptions
  /** Bytes of the newest events that all feeds keep together. */
  readonly ringBytes: number
  /** Of those that open a feed; without it they are refused at once. */
  readonly engineWait?: EngineWait
}

/** The feeds of this process: one for each task that somebody watches, closed when the last one leaves. */
export class Feeds {
  readonly #log: EventLog
  readonly #options: FeedsOptions
  readonly #pages: Pages
  readonly #rings: RingBudget
  readonly #shared = new Map<string, Shared>()
  readonly #lent = new WeakMap<TaskFeed, Shared>()
  /** Snapshots that are being read from the log, for all that ask meanwhile. */
  readonly #underWay = new Map<string, Promise<Snapshot | null>>()
  readonly counts = new FeedCounts()
  #isClosed = false

  constructor(log: EventLog, options: FeedsOptions) {
    this.#log = log
    this.#options = { ...options, counts: this.counts }
    this.#pages = new Pages(log, options.pages)
    this.#rings = new RingBudget(options.ringBytes)
  }

  /** A report for a task is about to be appended; of interest where somebody watches it. */
  received(channel: string, receipt: Receipt): void {
    this.#shared.get(channel)?.opened?.receipts.received(receipt)
  }

  /** Bytes of pages that are kept for several that catch up. */
  get pageBytes(): number {
    return this.#pages.bytes
  }

  /** Tasks that are watched at present. */
  get size(): number {
    return this.#shared.size
  }

  /** Bytes of the newest events that are kept at present. */
  get ringBytes(): number {
    return this.#rings.bytes
  }

  /**
   * A task as it is now, or null: from its feed where somebody watches it, else from the log, which is asked
   * once for all that want to know at the same time.
   *
   * @throws EpochcastError ENGINE_UNAVAILABLE
   */
  async snapshot(key: TaskKey): Promise<Snapshot | null> {
    const channel = channelOf(key)
    const feed = this.#shared.get(channel)?.opened
    if (feed?.isLive) return feed.snapshot
    const underWay = this.#underWay.get(channel)
    // What was asked before we were may be older than the task.
    if (underWay) return (await underWay) ?? this.freshSnapshot(key)
    const reading = this.freshSnapshot(key).finally(() => this.#underWay.delete(channel))
    this.#underWay.set(channel, reading)
    return reading
  }

  /**
   * A task as the log has it from now on.
   *
   * @throws EpochcastError ENGINE_UNAVAILABLE
   */
  freshSnapshot(key: TaskKey): Promise<Snapshot | null> {
    return this.#log.snapshot(key)
  }

  /**
   * Lends the feed of a task; it must be given back with `release`. Waits for an engine that is away, for a bounded time.
   *
   * @throws EpochcastError TASK_NOT_FOUND, ENGINE_UNAVAILABLE; then nothing is to be given back
   */
  async acquire(key: TaskKey): Promise<TaskFeed> {
    const channel = channelOf(key)
    let shared = this.#shared.get(channel)
    // What is gone stays so for those that have it; another task of this name may have begun.
    if (!shared || shared.opened?.gone) {
      shared = { feed: this.#open(key), users: 0 }
      this.#shared.set(channel, shared)
    }
    shared.users++
    try {
      const feed = await shared.feed
      if (shared.opened !== feed) {
        shared.opened = feed
        this.#lent.set(feed, shared)
      }
      return feed
    } catch (error) {
      if (this.#shared.get(channel) === shared) this.#shared.delete(channel)
      throw error
    }
  }

  async release(feed: TaskFeed): Promise<void> {
    const channel = channelOf(feed.key)
    const shared = this.#lent.get(feed)
    if (!shared || --shared.users > 0) return
    if (this.#shared.get(channel) === shared) this.#shared.delete(channel)
    await feed.close()
  }

  #open(key: TaskKey): Promise<TaskFeed> {
    const parts = { log: this.#log, pages: this.#pages, rings: this.#rings }
    const open = () => TaskFeed.open(parts, key, this.#options)
    return this.#options.engineWait?.opened(open, () => this.#isClosed) ?? open()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const feeds = [...this.#shared.values()].map(({ feed }) => feed.then((opened) => opened.close()))
    this.#shared.clear()
    this.#pages.forget()
    await Promise.allSettled(feeds)
  }
}
