import type { EventLog } from '../event-log/event-log.ts'
import { channelOf, type TaskKey } from '../task/task.ts'
import { TaskFeed, type TaskFeedOptions } from './task-feed.ts'

interface Shared {
  readonly feed: Promise<TaskFeed>
  users: number
}

/** The feeds of this process: one for each task that somebody watches, closed when the last one leaves. */
export class Feeds {
  readonly #log: EventLog
  readonly #options: TaskFeedOptions
  readonly #shared = new Map<string, Shared>()

  constructor(log: EventLog, options: TaskFeedOptions) {
    this.#log = log
    this.#options = options
  }

  /** Tasks that are watched at present. */
  get size(): number {
    return this.#shared.size
  }

  /**
   * Lends the feed of a task; it must be given back with `release`.
   *
   * @throws EpochcastError TASK_NOT_FOUND, ENGINE_UNAVAILABLE; then nothing is to be given back
   */
  async acquire(key: TaskKey): Promise<TaskFeed> {
    const channel = channelOf(key)
    let shared = this.#shared.get(channel)
    if (!shared) {
      shared = { feed: TaskFeed.open(this.#log, key, this.#options), users: 0 }
      this.#shared.set(channel, shared)
    }
    shared.users++
    try {
      return await shared.feed
    } catch (error) {
      if (this.#shared.get(channel) === shared) this.#shared.delete(channel)
      throw error
    }
  }

  async release(feed: TaskFeed): Promise<void> {
    const channel = channelOf(feed.key)
    const shared = this.#shared.get(channel)
    if (!shared || --shared.users > 0) return
    this.#shared.delete(channel)
    await feed.close()
  }

  async close(): Promise<void> {
    const feeds = [...this.#shared.values()].map(({ feed }) => feed.then((opened) => opened.close()))
    this.#shared.clear()
    await Promise.allSettled(feeds)
  }
}
