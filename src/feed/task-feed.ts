import type { EventLog, LogEntry, Snapshot, Watch, WatchSignal } from '../event-log/event-log.ts'
import { taskNotFound } from '../event-log/find-task.ts'
import { EpochcastError } from '../task/errors.ts'
import type { Position } from '../task/position.ts'
import type { DeliveredEvent, TaskView } from '../task/stream-event.ts'
import type { TaskKey } from '../task/task.ts'
import { FeedCounts } from './feed-counts.ts'
import { CLOSED, DELETED, type FeedPhase, GONE, LIVE } from './feed-phase.ts'
import { LogTail } from './log-tail.ts'
import { OutputSignals } from './output-signals.ts'
import type { PageResult, Pages } from './pages.ts'
import { Receipts } from './receipts.ts'
import type { FeedParts, TaskFeedOptions } from './task-feed-options.ts'
import { Waiters } from './waiters.ts'

/** Time between two tries to reach an engine that is out of reach. */
export const RETRY_MS = 250

/**
 * The live end of one task's log in this process, shared by all that watch the task here.
 *
 * First it watches, so that nothing appended from then on goes unnoticed. Then it reads state and top. From there
 * on an announcement that continues the top is taken over as it is; any other (a gap, another generation) makes it
 * read the log up to the top again. A check after a silence does the same for an announcement that never came.
 *
 * ```
 * live ──the watch or a command fails──▶ interrupted ──the log is verified and read──▶ live
 * live ──the watch was away──▶ unverified ──the log is verified and read──▶ live
 * any of them ──the log is no longer there──▶ gone      any ──close──▶ closed
 * ```
 *
 * Verifying finds out whether the log is still the one that the feed knew (`event-log/recovery.ts`); readers learn
 * of one that is not as LOG_RESET.
 */
export class TaskFeed {
  readonly key: TaskKey
  /** When its newest events came to this process. */
  readonly receipts = new Receipts()
  readonly output = new OutputSignals()
  readonly #log: EventLog
  readonly #tail: LogTail
  readonly #pages: Pages
  readonly #options: TaskFeedOptions
  readonly #counts: FeedCounts
  readonly #waiters = new Waiters()
  #watch: Watch | undefined
  #check: NodeJS.Timeout | undefined
  #phase: FeedPhase = LIVE
  #interruptions = 0
  /** The log is being read; `again` where it has to be read once more after that. */
  #reading: { again: boolean } | undefined
  #retry: NodeJS.Timeout | undefined

  private constructor({ log, pages, rings }: FeedParts, key: TaskKey, options: TaskFeedOptions) {
    this.key = key
    this.#log = log
    this.#pages = pages
    this.#options = options
    this.#counts = options.counts ?? new FeedCounts()
    this.#tail = new LogTail(log, key, options.ringEvents, rings)
  }

  /** @throws EpochcastError TASK_NOT_FOUND, ENGINE_UNAVAILABLE */
  static async open(parts: FeedParts, key: TaskKey, options: TaskFeedOptions): Promise<TaskFeed> {
    const feed = new TaskFeed(parts, key, options)
    feed.#reading = { again: false }
    try {
      await feed.#start()
    } catch (error) {
      await feed.close()
      throw error
    }
    feed.#settle(feed.#reading)
    return feed
  }

  get view(): TaskView {
    return this.#tail.view
  }

  /** Position of the newest event. */
  get top(): Position {
    return this.#tail.top
  }

  /** How many events before the top `recent` has at most. */
  get ringEvents(): number {
    return this.#options.ringEvents
  }

  get snapshot(): Snapshot {
    return this.#tail.snapshot
  }

  /** The log is no longer there: nothing will come any more. */
  get gone(): boolean {
    return this.#phase.kind === 'gone'
  }

  /** Somebody deleted the task. */
  get deleted(): boolean {
    return this.#phase.kind === 'gone' && this.#phase.isDeleted
  }

  /** The server is stopping. */
  get closed(): boolean {
    return this.#phase.kind === 'closed'
  }

  /** Whether it hears of everything: what it shows is the log's own. */
  get isLive(): boolean {
    return this.#phase.kind === 'live'
  }

  /** Why nothing can be heard at present; null while all is well. */
  get interruption(): string | null {
    return this.#phase.kind === 'interrupted' ? this.#phase.error : null
  }

  /** Counts the interruptions so far. */
  get interruptions(): number {
    return this.#interruptions
  }

  /**
   * The events after a position; empty at the top, null where only the log can tell. That includes a position past
   * the top: a reader that came from another server may have seen more than this feed has heard of.
   */
  recent(after: Position): readonly DeliveredEvent[] | null {
    return this.#tail.recent(after)
  }

  /**
   * What the log has after a position.
   *
   * @throws EpochcastError ENGINE_UNAVAILABLE
   */
  read(after: Position): Promise<PageResult> {
    return this.#pages.read(this.key, after)
  }

  /** Has `look` called after every change of what is shown here, at once, until the returned function is called. */
  observe(look: () => void): () => void {
    return this.#waiters.add(look)
  }

  /**
   * Resolves once the feed stands elsewhere than at or before `position`, is gone, is interrupted once more
   * than `interruptions`, or `signal` is aborted.
   */
  advanced(position: Position, signal: AbortSignal, interruptions = Number.POSITIVE_INFINITY): Promise<void> {
    return this.#waiters.until(
      () =>
        this.gone ||
        this.closed ||
        this.#interruptions > interruptions ||
        position.generation !== this.top.generation ||
        position.offset < this.top.offset,
      signal,
    )
  }

  /** Resolves once the engine is in reach again, or `signal` is aborted. */
  restored(signal: AbortSignal): Promise<void> {
    return this.#waiters.until(() => this.#phase.kind !== 'interrupted', signal)
  }

  /** Called by a reader whose own reading failed: the feed finds out when it works again. */
  interrupt(): void {
    // Whatever made a command fail may have been a failover.
    this.#pages.forget()
    this.#interrupted('the engine is out of reach')
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined
      this.#catchUp()
    }, RETRY_MS)
  }

  /** Rechecks the log, for a reader that found something the feed does not know yet. */
  async recheck(signal: AbortSignal): Promise<void> {
    this.#catchUp()
    await this.#waiters.until(() => this.closed || this.#reading === undefined, signal)
  }

  async close(): Promise<void> {
    this.#phase = CLOSED
    clearInterval(this.#check)
    clearTimeout(this.#retry)
    this.#tail.close()
    this.#waiters.wake()
    await this.#watch?.close()
  }

  async #start(): Promise<void> {
    this.#watch = await this.#log.watch(this.key, (signal) => this.#hear(signal))
    if (!(await this.#tail.load())) throw taskNotFound(this.key)
    this.#check = setInterval(() => this.#catchUp(), this.#options.checkMs).unref()
  }

  #hear(signal: WatchSignal): void {
    this.output.hear(signal)
    switch (signal.kind) {
      case 'appended':
        this.#hearAppended(signal.top, signal.entries)
        return
      case 'edited':
        if (this.#reading || !this.isLive || !this.#tail.edit(signal)) this.#catchUp()
        return
      case 'dropped':
        this.#pages.forget()
        if (!this.closed) this.#phase = DELETED
        this.#waiters.wake()
        return
      case 'interrupted':
        this.#interrupted(signal.error)
        return
      case 'resumed':
        // A new object each time: what a reading that began before has verified proves nothing of what came since.
        if (this.#phase.kind === 'interrupted') this.#phase = { ...this.#phase }
        else if (!this.gone && !this.closed) this.#phase = { kind: 'unverified' }
        this.#pages.forget()
        this.#catchUp()
    }
  }

  #interrupted(error: string): void {
    const { kind } = this.#phase
    if (kind === 'gone' || kind === 'closed') return
    if (kind !== 'interrupted') {
      this.#interruptions++
      this.#counts.interruptions++
    }
    this.#phase = { kind: 'interrupted', error }
    this.#waiters.wake()
  }

  #hearAppended(top: Position, entries: readonly LogEntry[]): void {
    // While the log is being read, what is announced may or may not be in what is read: look again after.
    if (this.#reading) {
      this.#reading.again = true
      return
    }
    // Until the log has been verified, what continues our top may continue another past: a replica that was promoted
    // numbers new events from where it stood.
    if (this.#phase.kind !== 'live') {
      this.#catchUp()
      return
    }
    this.receipts.announced(top.offset, performance.now())
    const added = this.#tail.add(top, entries)
    if (added === 'added') {
      // It continued the top, so nothing before it was lost: only a silence has to be checked.
      this.#check?.refresh()
      this.#waiters.wake()
    } else if (added === 'gap') {
      this.#counts.gaps++
      this.#catchUp()
    }
  }

  /** Reads the log up to its top; one reading at a time. */
  #catchUp(): void {
    if (this.gone || this.closed) return
    if (this.#reading) {
      this.#reading.again = true
      return
    }
    const reading = { again: false }
    this.#reading = reading
    this.#readToTop()
      .catch((error: unknown) => {
        if (error instanceof EpochcastError && error.code === 'ENGINE_UNAVAILABLE') this.interrupt()
        else this.#options.onError(error)
      })
      .finally(() => {
        this.#settle(reading)
        this.#waiters.wake()
      })
  }

  #settle({ again }: { readonly again: boolean }): void {
    this.#reading = undefined
    if (again) this.#catchUp()
  }

  async #readToTop(): Promise<void> {
    const phase = this.#phase
    // Reading on finds a new generation by itself.
    if (phase.kind !== 'live') await this.#tail.verify()
    if (!(await this.#tail.readOn(() => this.#waiters.wake()))) await this.#reload()
    if (this.#phase === phase) this.#phase = LIVE
  }

  /** Starts again from the present state; what lies between is for the log to tell. */
  async #reload(): Promise<void> {
    this.#pages.forget()
    const isFound = await this.#tail.load()
    if (!isFound && !this.closed && !this.gone) this.#phase = GONE
  }
}
