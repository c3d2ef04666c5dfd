import type { Announcement, EventLog, LogEntry, Watch } from '../event-log/event-log.ts'
import { taskNotFound } from '../event-log/find-task.ts'
import { cursorPrefix, type Position } from '../task/position.ts'
import { reduce } from '../task/reducer.ts'
import type { DeliveredEvent, TaskView } from '../task/stream-event.ts'
import type { TaskKey, TaskState } from '../task/task.ts'

export interface TaskFeedOptions {
  /** Newest events kept for subscribers that are close to the top; the others read the log. */
  readonly ringEvents: number
  /** How often to look whether an announcement got lost. */
  readonly checkMs: number
  readonly onError: (error: unknown) => void
}

/** Entries in one read of the log. */
export const PAGE_ENTRIES = 256

/**
 * The live end of one task's log in this process, shared by everyone here who watches the task.
 *
 * It follows the log in three phases. First it watches, so that nothing appended from then on goes
 * unnoticed. Then it reads state and top. From there on it is live: an announcement that continues
 * the top is taken over as it is; any other (a gap, another generation) makes it read the log up to
 * the top again. A slow check does the same for an announcement that never came.
 */
export class TaskFeed {
  readonly key: TaskKey
  readonly #log: EventLog
  readonly #options: TaskFeedOptions
  readonly #waiters = new Set<() => void>()
  #watch: Watch | undefined
  #check: NodeJS.Timeout | undefined
  #state: TaskState
  #top: Position
  #serial: number
  #ring: DeliveredEvent[] = []
  #catchingUp: Promise<void> | undefined
  #announcedWhileBusy = false
  #gone = false
  #closed = false

  private constructor(log: EventLog, key: TaskKey, options: TaskFeedOptions) {
    this.key = key
    this.#log = log
    this.#options = options
    // Both are set before `open` hands the feed out.
    this.#state = undefined as unknown as TaskState
    this.#top = { generation: '', offset: 0 }
    this.#serial = 0
  }

  /** @throws EpochcastError TASK_NOT_FOUND, ENGINE_UNAVAILABLE */
  static async open(log: EventLog, key: TaskKey, options: TaskFeedOptions): Promise<TaskFeed> {
    const feed = new TaskFeed(log, key, options)
    feed.#catchingUp = feed.#start()
    try {
      await feed.#catchingUp
    } catch (error) {
      await feed.close()
      throw error
    }
    feed.#settle()
    return feed
  }

  get view(): TaskView {
    return { state: this.#state, top: this.#top }
  }

  get serial(): number {
    return this.#serial
  }

  /** The log has been dropped: nothing will come any more. */
  get gone(): boolean {
    return this.#gone
  }

  /** The events after a position; empty at the top, null where only the log can tell. */
  recent(after: Position): readonly DeliveredEvent[] | null {
    if (after.generation !== this.#top.generation) return null
    const missing = this.#top.offset - after.offset
    if (missing <= 0) return []
    return missing > this.#ring.length ? null : this.#ring.slice(this.#ring.length - missing)
  }

  /** Resolves once the feed stands elsewhere than at or before `position`, is gone, or `signal` is aborted. */
  advanced(position: Position, signal: AbortSignal): Promise<void> {
    const isNews = () =>
      this.#gone ||
      this.#closed ||
      position.generation !== this.#top.generation ||
      position.offset < this.#top.offset
    return new Promise((resolve) => {
      if (signal.aborted || isNews()) return resolve()
      const look = () => {
        if (!signal.aborted && !isNews()) return
        this.#waiters.delete(look)
        signal.removeEventListener('abort', look)
        resolve()
      }
      this.#waiters.add(look)
      signal.addEventListener('abort', look)
    })
  }

  /** Makes an entry of this task's log ready for delivery. */
  deliver({ offset, event }: LogEntry, prefix = this.#cursorPrefix()): DeliveredEvent {
    return { ...event, offset, taskId: this.key.id, cursor: prefix + offset.toString(36) }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#check)
    this.#wake()
    await this.#watch?.close()
  }

  async #start(): Promise<void> {
    this.#watch = await this.#log.watch(this.key, (announcement) => this.#hear(announcement))
    await this.#reload()
    if (this.#gone) throw taskNotFound(this.key)
    this.#check = setInterval(() => this.#catchUp(), this.#options.checkMs).unref()
  }

  #hear({ top, entries }: Announcement): void {
    // While the log is being read, what is announced may or may not be in what is read: look again after.
    if (this.#catchingUp) {
      this.#announcedWhileBusy = true
      return
    }
    if (top.generation === this.#top.generation) {
      const fresh = entries.filter((entry) => entry.offset > this.#top.offset)
      if (fresh.length === 0) return
      if (fresh[0]?.offset === this.#top.offset + 1) {
        this.#take(fresh)
        this.#wake()
        return
      }
    }
    this.#catchUp()
  }

  /** Reads the log up to its top; one reading at a time. */
  #catchUp(): void {
    if (this.#catchingUp || this.#closed) return
    this.#catchingUp = this.#readToTop()
      .catch(this.#options.onError)
      .finally(() => {
        this.#settle()
        this.#wake()
      })
  }

  #settle(): void {
    this.#catchingUp = undefined
    if (!this.#announcedWhileBusy) return
    this.#announcedWhileBusy = false
    this.#catchUp()
  }

  async #readToTop(): Promise<void> {
    for (;;) {
      const result = await this.#log.read(this.key, this.#top, PAGE_ENTRIES)
      if (result.kind !== 'entries') return this.#reload()
      if (result.entries.length === 0) return
      this.#take(result.entries)
      this.#wake()
    }
  }

  /** Starts again from the present state; what lies between is for the log to tell. */
  async #reload(): Promise<void> {
    const snapshot = await this.#log.snapshot(this.key)
    this.#gone = snapshot === null
    if (!snapshot) return
    this.#state = snapshot.state
    this.#top = snapshot.top
    this.#serial = snapshot.serial
    this.#ring = []
  }

  #take(entries: readonly LogEntry[]): void {
    const prefix = this.#cursorPrefix()
    for (const entry of entries) {
      this.#state = reduce(this.#state, entry.event)
      this.#top = { generation: this.#top.generation, offset: entry.offset }
      this.#ring.push(this.deliver(entry, prefix))
    }
    const surplus = this.#ring.length - this.#options.ringEvents
    if (surplus > 0) this.#ring.splice(0, surplus)
  }

  #cursorPrefix(): string {
    return cursorPrefix(this.key, this.#top.generation)
  }

  #wake(): void {
    for (const look of [...this.#waiters]) look()
  }
}
