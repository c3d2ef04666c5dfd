import { taskNotFound } from '../event-log/find-task.ts'
import { cursorAhead, decodeCursor, encodeCursor, type Position } from '../task/position.ts'
import type { DeliveredEvent, StreamEvent, TaskView, TrainingEvent } from '../task/stream-event.ts'
import { channelOf, isFinalStatus, type TaskKey } from '../task/task.ts'
import type { Feeds } from './feeds.ts'
import { Follower } from './follower.ts'
import { Stop } from './stoppable.ts'
import type { TaskFeed } from './task-feed.ts'

export interface Replay {
  /** Everything after this cursor; it wins over `last`, so that a client may always send both. */
  readonly after: string | null
  /** The newest events, as many as this. */
  readonly last: number | null
}

export interface TrainingStreamOptions {
  readonly maxStreamMs: number
  readonly now?: () => number
}

export type StreamItem =
  /** Of the log: `events[from]` and all after it; readers of one page share the array. */
  | { readonly kind: 'events'; readonly events: readonly DeliveredEvent[]; readonly from: number }
  /** Of this stream itself. */
  | { readonly kind: 'event'; readonly event: StreamEvent }
  /** There is nothing more at present. */
  | { readonly kind: 'top' }

/**
 * Opens one subscriber's stream of a task that was found; nothing is held until it is read.
 *
 * @throws EpochcastError TASK_NOT_FOUND, BAD_CURSOR, CURSOR_OF_ANOTHER_TASK, CURSOR_AHEAD, ENGINE_UNAVAILABLE
 */
export async function trainingStream(
  feeds: Feeds,
  found: TaskView,
  replay: Replay,
  options: TrainingStreamOptions,
): Promise<TrainingStream> {
  const key = found.state.spec
  // What can be refused is refused here, before the stream.
  const after = replay.after === null ? null : decodeCursor(key, replay.after)
  const isAhead = ({ generation, offset }: Position) =>
    after?.generation === generation && after.offset > offset
  if (after && isAhead(found.top)) {
    // A feed hears of the newest events a moment later than a reader elsewhere may have.
    const stored = await feeds.freshSnapshot(key)
    if (!stored) throw taskNotFound(key)
    if (isAhead(stored.top)) throw cursorAhead(after.offset, stored.top.offset)
  }
  return new TrainingStream(feeds, key, { after, last: replay.last }, options)
}

/**
 * One subscriber's stream of a task: StreamOpened, what was asked to be replayed, then everything live, until
 * the final event (StreamClosing follows) or the maximum duration (StreamTimedOut).
 *
 * It can be read in two ways. As an iterable it gives one event after the other and waits for what is to
 * come. `read` gives what is there at once, and never waits for an event: who stands at the top with others
 * (`feed`, `position`) can get the next events together with them, and `seek` says so afterwards.
 */
export class TrainingStream implements AsyncIterableIterator<TrainingEvent, undefined> {
  readonly #feeds: Feeds
  readonly #key: TaskKey
  readonly #replay: { readonly after: Position | null; readonly last: number | null }
  readonly #maxStreamMs: number
  readonly #now: () => number
  readonly #stop = new Stop()
  #feed: TaskFeed | undefined
  #follower: Follower | undefined
  #deadline: NodeJS.Timeout | undefined
  #phase: 'new' | 'open' | 'over' = 'new'
  #hasLeft = false
  #onDeadline: (() => void) | undefined
  #mayClamp: boolean
  /** Where the stream stood when it opened. */
  #openedAt = 0
  /** Handed to the iterating reader one by one. */
  #batch: { readonly events: readonly DeliveredEvent[]; next: number } | null = null

  constructor(
    feeds: Feeds,
    key: TaskKey,
    replay: { readonly after: Position | null; readonly last: number | null },
    { maxStreamMs, now = Date.now }: TrainingStreamOptions,
  ) {
    this.#feeds = feeds
    this.#key = key
    this.#replay = replay
    this.#maxStreamMs = maxStreamMs
    this.#now = now
    // Asked for by number, fewer may be left than were asked for; that is no loss to announce.
    this.#mayClamp = replay.after === null
  }

  /** What it follows, once it has been opened by the first read. */
  get feed(): TaskFeed {
    if (!this.#feed) throw new Error('the stream has not been read yet')
    return this.#feed
  }

  /** After the last event that was handed out. */
  get position(): Position {
    if (!this.#follower) throw new Error('the stream has not been read yet')
    return this.#follower.position
  }

  /** Up to where its reader knows everything. */
  get standing(): { readonly position: Position; readonly interruptions: number } {
    const position = this.position
    return { position, interruptions: this.#follower?.toldInterruptions ?? 0 }
  }

  /** Goes on after a position up to which the events were delivered otherwise. */
  seek(position: Position): void {
    if (this.#follower) this.#follower.position = position
  }

  /** Has `tell` called when the maximum duration is over; `read` then says so. */
  set onDeadline(tell: () => void) {
    this.#onDeadline = tell
  }

  /** What comes next, as far as it is there; null after the end. Not to be called while a read is under way. */
  read(): Promise<StreamItem | null> {
    return this.#step((follower) => follower.step(this.#stop))
  }

  async next(): Promise<IteratorResult<TrainingEvent, undefined>> {
    if (this.#batch && !this.#stop.isStopped) {
      const { events, next } = this.#batch
      const event = events[next] as DeliveredEvent
      this.#batch = next + 1 < events.length ? { events, next: next + 1 } : null
      return { done: false, value: event }
    }
    if (this.#batch) {
      // Not all of it was delivered when the time was over.
      const undelivered = this.#batch.events[this.#batch.next] as DeliveredEvent
      this.seek({ generation: this.position.generation, offset: undelivered.offset - 1 })
      this.#batch = null
    }
    const item = await this.#step((follower) => follower.next(this.#stop))
    if (item === null || item.kind === 'top') return { done: true, value: undefined }
    if (item.kind === 'event') return { done: false, value: item.event }
    this.#batch = { events: item.events, next: item.from }
    return this.next()
  }

  /** Leaves the stream: a read under way ends soon, and nothing is held any more. */
  async return(): Promise<IteratorResult<TrainingEvent, undefined>> {
    this.#hasLeft = true
    this.#stop.stop()
    await this.#release()
    return { done: true, value: undefined }
  }

  async throw(error: unknown): Promise<IteratorResult<TrainingEvent, undefined>> {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #step(follow: (follower: Follower) => ReturnType<Follower['step']>): Promise<StreamItem | null> {
    if (this.#phase === 'new') return this.#open()
    if (this.#phase === 'over' || !this.#follower) return null
    try {
      for (;;) {
        const item = await follow(this.#follower)
        if (this.#hasLeft) return null
        if (item === null) return await this.#end()
        if (item.kind === 'interrupted') {
          return { kind: 'event', event: { type: 'StreamInterrupted', ...this.#here(), error: item.error } }
        }
        if (item.kind === 'skipped') {
          const { reason, count, resumeAt } = item
          const isClamped = this.#mayClamp && reason === 'TRIMMED' && resumeAt.offset <= this.#openedAt
          this.#mayClamp = false
          if (isClamped) continue
          return { kind: 'event', event: { type: 'EventsSkipped', ...this.#here(), count, reason } }
        }
        if (item.kind === 'events') this.#mayClamp = false
        return item
      }
    } catch (error) {
      await this.#release()
      throw error
    }
  }

  async #open(): Promise<StreamItem | null> {
    this.#phase = 'open'
    const feed = await this.#feeds.acquire(this.#key)
    if (this.#hasLeft) {
      await this.#feeds.release(feed)
      return null
    }
    this.#feed = feed
    this.#deadline = setTimeout(() => {
      this.#stop.stop()
      this.#onDeadline?.()
    }, this.#maxStreamMs)
    const { view } = feed
    this.#openedAt = view.top.offset
    this.#follower = new Follower(feed, this.#replay.after ?? startOf(this.#replay.last, view))
    const channel = channelOf(this.#key)
    return {
      kind: 'event',
      event: { type: 'StreamOpened', ...this.#here(), channel, message: `watching ${channel}`, task: view },
    }
  }

  async #end(): Promise<StreamItem | null> {
    const { closed, gone, view } = this.feed
    const here = this.#here()
    await this.#release()
    if (closed) return null
    const { status } = view.state
    if (!this.#stop.isStopped && isFinalStatus(status)) {
      return {
        kind: 'event',
        event: { type: 'StreamClosing', ...here, reason: `the task ended with ${status}` },
      }
    }
    if (!this.#stop.isStopped && gone) {
      return {
        kind: 'event',
        event: { type: 'StreamClosing', ...here, reason: 'the task is no longer retained' },
      }
    }
    const message = `the stream reached its maximum duration of ${this.#maxStreamMs / 1000} s; subscribe again with this cursor to go on`
    return { kind: 'event', event: { type: 'StreamTimedOut', ...here, message } }
  }

  async #release(): Promise<void> {
    this.#phase = 'over'
    clearTimeout(this.#deadline)
    const feed = this.#feed
    if (!feed) return
    this.#feed = undefined
    await this.#feeds.release(feed)
  }

  /** What every event of the stream itself says: whose it is, when, and where the stream stands. */
  #here(): Pick<StreamEvent, 'taskId' | 'timestamp' | 'cursor'> {
    return {
      taskId: this.#key.id,
      timestamp: new Date(this.#now()).toISOString(),
      cursor: encodeCursor(this.#key, this.position),
    }
  }
}

function startOf(last: number | null, { state, top }: TaskView): Position {
  // Who comes after the end and asks for nothing still learns how it ended.
  const atLeast = isFinalStatus(state.status) ? 1 : 0
  return { generation: top.generation, offset: Math.max(0, top.offset - Math.max(last ?? 0, atLeast)) }
}
