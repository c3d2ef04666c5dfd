import { taskNotFound } from '../event-log/find-task.ts'
import { cursorAhead, decodeCursor, encodeCursor, type Position } from '../task/position.ts'
import type { DeliveredEvent, StreamEvent, TaskView } from '../task/stream-event.ts'
import { channelOf, isFinalStatus, type TaskKey, type TaskSpec } from '../task/task.ts'
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
  /** Whether a task that was deleted and started again under its name since it was found counts as gone. */
  readonly onlyThisStart?: boolean
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
  return new TrainingStream(feeds, found.state.spec, { after, last: replay.last }, options)
}

/** Whoever reads a stream. */
export interface StreamReader {
  /** Nothing more is to be read but its end. */
  expired(): void
}

/** For the timer of each of thousands of streams, so no closure. */
const expire = (stream: TrainingStream): void => stream.expire()

/** What is held while the stream is open. */
interface Open {
  readonly kind: 'open'
  readonly feed: TaskFeed
  readonly follower: Follower
  readonly deadline: NodeJS.Timeout
  /** Offset of the top when it opened. */
  readonly openedAt: number
}

type StreamState =
  | { readonly kind: 'new' }
  | Open
  /** Nothing is held; an opening that is under way gives back what it got. */
  | { readonly kind: 'over' }

const OVER: StreamState = { kind: 'over' }

/**
 * One subscriber's stream of a task: StreamOpened, what was asked to be replayed, then everything live, until
 * the final event (StreamClosing follows) or the maximum duration (StreamTimedOut).
 *
 * `read` returns what is there at once, and never waits for an event. Reading events does not move the stream; its
 * reader says with `advance` how many of them it has delivered. A reader at the top waits with `beyondTop`, or gets
 * the next events together with others that stand there and sets `position` afterwards.
 */
export class TrainingStream {
  readonly #feeds: Feeds
  readonly #key: TaskKey
  /** The only one that it follows; null for whichever it finds. */
  readonly #startId: string | null
  readonly #replay: { readonly after: Position | null; readonly last: number | null }
  readonly #maxStreamMs: number
  readonly #now: () => number
  /** Stopped when the maximum duration is over, or the stream is closed. */
  readonly #stop = new Stop()
  #state: StreamState = { kind: 'new' }
  #mayClamp: boolean
  #reader: StreamReader | undefined

  constructor(
    feeds: Feeds,
    spec: TaskSpec,
    replay: { readonly after: Position | null; readonly last: number | null },
    { maxStreamMs, onlyThisStart = false, now = Date.now }: TrainingStreamOptions,
  ) {
    this.#feeds = feeds
    this.#key = spec
    this.#startId = onlyThisStart ? spec.startId : null
    this.#replay = replay
    this.#maxStreamMs = maxStreamMs
    this.#now = now
    // Asked for by number, fewer may be left than were asked for; that is no loss to announce.
    this.#mayClamp = replay.after === null
  }

  /** What it follows, once it has been opened by the first read. */
  get feed(): TaskFeed {
    return this.#open.feed
  }

  /** After the last event that was delivered. */
  get position(): Position {
    return this.#open.follower.position
  }

  /** Events up to here were delivered in another way. */
  set position(position: Position) {
    if (this.#state.kind === 'open') this.#state.follower.position = position
  }

  /** Up to where its reader knows everything. */
  get standing(): { readonly position: Position; readonly interruptions: number } {
    const { position, toldInterruptions } = this.#open.follower
    return { position, interruptions: toldInterruptions }
  }

  /** Whether there is nothing to read any more but the end. */
  get hasExpired(): boolean {
    return this.#stop.isStopped
  }

  /** Told when the maximum duration is over; `read` then returns StreamTimedOut. */
  set reader(reader: StreamReader) {
    this.#reader = reader
  }

  /** What comes next, as far as it is there; null after the end. Not to be called while a read is under way. */
  async read(): Promise<StreamItem | null> {
    if (this.#state.kind === 'new') return this.#start()
    if (this.#state.kind === 'over') return null
    const { follower, openedAt } = this.#state
    try {
      for (;;) {
        const step = await follower.step(this.#stop)
        // Closed meanwhile.
        if ((this.#state as StreamState).kind === 'over') return null
        if (step === null) return await this.#end()
        if (step.kind === 'interrupted') {
          return { kind: 'event', event: { type: 'StreamInterrupted', ...this.#here(), error: step.error } }
        }
        if (step.kind === 'skipped') {
          const { reason, count, resumeAt } = step
          const isClamped = this.#mayClamp && reason === 'TRIMMED' && resumeAt.offset <= openedAt
          this.#mayClamp = false
          if (isClamped) continue
          const event = { type: 'EventsSkipped', ...this.#here(), count, skipReason: reason } as const
          return { kind: 'event', event }
        }
        if (step.kind === 'events') this.#mayClamp = false
        return step
      }
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** The reader has delivered the first `count` of events that it read. */
  advance(events: readonly DeliveredEvent[], count: number): void {
    if (this.#state.kind === 'open') this.#state.follower.advance(events, count)
  }

  /** At the top, resolves once there is more to read. */
  async beyondTop(): Promise<void> {
    if (this.#state.kind === 'open') await this.#state.follower.beyondTop(this.#stop)
  }

  /** To be called when the maximum duration is over. */
  expire(): void {
    this.#stop.stop()
    this.#reader?.expired()
  }

  /** Leaves the stream: a read under way ends soon, and nothing is held any more. */
  async close(): Promise<void> {
    const state = this.#state
    this.#state = OVER
    this.#stop.stop()
    if (state.kind !== 'open') return
    clearTimeout(state.deadline)
    await this.#feeds.release(state.feed)
  }

  get #open(): Open {
    if (this.#state.kind !== 'open') throw new Error(`the stream is ${this.#state.kind}; expected it open`)
    return this.#state
  }

  async #start(): Promise<StreamItem | null> {
    const feed = await this.#feeds.acquire(this.#key)
    const { view } = feed
    const isAnother = this.#startId !== null && view.state.spec.startId !== this.#startId
    if (this.#state.kind === 'over' || isAnother) {
      await this.#feeds.release(feed)
      if (this.#state.kind === 'over') return null
      throw taskNotFound(this.#key)
    }
    const deadline = setTimeout(expire, this.#maxStreamMs, this)
    const follower = new Follower(feed, this.#replay.after ?? startOf(this.#replay.last, view))
    this.#state = { kind: 'open', feed, follower, deadline, openedAt: view.top.offset }
    const channel = channelOf(this.#key)
    return {
      kind: 'event',
      event: { type: 'StreamOpened', ...this.#here(), channel, message: `watching ${channel}`, task: view },
    }
  }

  async #end(): Promise<StreamItem | null> {
    const { closed, gone, deleted } = this.feed
    const { endedWith } = this.#open.follower
    const here = this.#here()
    const isExpired = this.#stop.isStopped
    await this.close()
    if (closed) return null
    const closing = (reason: string): StreamItem => ({
      kind: 'event',
      event: { type: 'StreamClosing', ...here, reason },
    })
    if (!isExpired && endedWith) return closing(`the task ended with ${endedWith}`)
    if (!isExpired && gone)
      return closing(deleted ? 'the task was deleted' : 'the task is no longer retained')
    const message = `the stream reached its maximum duration of ${this.#maxStreamMs / 1000} s; subscribe again with this cursor to go on`
    return { kind: 'event', event: { type: 'StreamTimedOut', ...here, message } }
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
  // A viewer that comes after the end and asks for nothing still learns how it ended.
  const atLeast = isFinalStatus(state.status) ? 1 : 0
  return { generation: top.generation, offset: Math.max(0, top.offset - Math.max(last ?? 0, atLeast)) }
}
