import type { TaskFeed } from '../feed/task-feed.ts'
import { isFinalEvent } from '../task/event.ts'
import { type Position, positionAfter } from '../task/position.ts'
import type { DeliveredEvent } from '../task/stream-event.ts'
import { channelOf } from '../task/task.ts'
import { DeliveryCounts } from './delivery-counts.ts'
import type { SharedEncoding } from './encoding.ts'
import type { EventBatch } from './outlet.ts'

/** A subscriber that has got everything so far. */
export interface Member {
  /** Sends a whole batch; returns up to which its outlet took it. */
  send(batch: EventBatch): number
  /** It is no member any more, and has got everything up to a position: from there it reads for itself. */
  catchUp(from: Position): void
}

/** Up to where a subscriber knows everything. */
export interface Standing {
  readonly position: Position
  /** How many interruptions of the feed it has been told of. */
  readonly interruptions: number
}

/**
 * Subscribers of one task that get the same results and stand at the top of its feed. What is appended is encoded
 * once, after the event loop has read all that had arrived, so that events that arrive together, by however many
 * calls, are one write for each member. A member whose outlet does not take all of it catches up by itself; so do
 * all of them where there is more to say than events: an end, an interruption, a loss.
 */
export class LiveGroup {
  readonly #feed: TaskFeed
  readonly #encoding: SharedEncoding
  readonly #members = new Set<Member>()
  readonly #stopObserving: () => void
  readonly #onEmpty: () => void
  readonly #soon: Soon
  readonly #observer: DeliveryObserver
  readonly #interruptions: number
  #position: Position
  /** What has been appended is flushed soon, or texts for it are being made. */
  #flush: 'idle' | 'scheduled' | 'encoding' = 'idle'
  #waiting: (() => void)[] = []

  constructor(
    feed: TaskFeed,
    encoding: SharedEncoding,
    { position, interruptions }: Standing,
    soon: Soon,
    observer: DeliveryObserver,
    onEmpty: () => void,
  ) {
    this.#feed = feed
    this.#encoding = encoding
    this.#position = position
    this.#interruptions = interruptions
    this.#soon = soon
    this.#observer = observer
    this.#onEmpty = onEmpty
    this.#stopObserving = feed.observe(() => this.#flushSoon())
    // The feed may have got on since the first member looked at it.
    this.#flushSoon()
  }

  /** True where the member stands where the group stands; it then gets what follows. */
  join(member: Member, { position: { generation, offset }, interruptions }: Standing): boolean {
    const isHere = generation === this.#position.generation && offset === this.#position.offset
    if (!isHere || interruptions !== this.#interruptions) return false
    this.#members.add(member)
    return true
  }

  /** Returns up to where the member has got everything. */
  leave(member: Member): Position {
    this.#members.delete(member)
    if (this.#members.size === 0) {
      this.#stopObserving()
      this.#onEmpty()
    }
    return this.#position
  }

  /** Resolves once what the feed has at present has been sent. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#flushSoon()
    })
  }

  #flushSoon(): void {
    if (this.#flush === 'idle') {
      this.#flush = 'scheduled'
      this.#soon.run(this)
      return
    }
    // What does not fit into the feed's ring any more would have to be read from the log, by each member.
    const pending = this.#feed.top.offset - this.#position.offset
    if (this.#flush === 'scheduled' && pending >= this.#feed.ringEvents / 2) this.#soon.runNow(this)
  }

  /** Sends what the feed has, where that is still to be done. Only `Soon` calls it. */
  flush(): void {
    if (this.#flush === 'scheduled') this.#sendAll()
  }

  #sendAll(): void {
    this.#flush = 'encoding'
    const feed = this.#feed
    let events = feed.recent(this.#position)
    while (events && events.length > 0) {
      const batch = this.#encoding.batchOf(events, this.#members.size > 1)
      if (batch instanceof Promise) {
        // Each of them meets the same failure, and can tell its client.
        batch.then(
          () => this.#sendAll(),
          () => this.#finish(true),
        )
        return
      }
      this.#send(batch)
      events = feed.recent(this.#position)
    }
    // The members are told of an interruption each by themselves; the group is over with it.
    const isInterrupted = feed.interruptions > this.#interruptions
    this.#finish(!events || isInterrupted || feed.gone || feed.closed)
  }

  #finish(isOver: boolean): void {
    this.#flush = 'idle'
    if (isOver) this.#dissolve()
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #send(batch: EventBatch): void {
    const { events } = batch
    const { generation, offset } = this.#position
    const members = this.#members.size
    let delivered = 0
    // Set first: a member that joins from now on stands after these.
    this.#position = positionAfter(generation, events, events.length)
    for (const member of this.#members) {
      const count = member.send(batch)
      delivered += count
      if (count < events.length) {
        this.#observer.counts.slowReaders++
        this.#dismiss(member, positionAfter(generation, events, count))
      }
    }
    this.#observer.sent(this.#feed, offset, this.#position.offset, delivered, members)
    if (isFinalEvent(events[events.length - 1] as DeliveredEvent)) this.#dissolve()
  }

  #dissolve(): void {
    for (const member of this.#members) this.#dismiss(member, this.#position)
  }

  #dismiss(member: Member, position: Position): void {
    this.leave(member)
    member.catchUp(position)
  }
}

/**
 * Flushes groups, all of them in one go, after the event loop has read every socket that had something: the
 * calls of eight trainers that wait there become one write for each member. A single event does not wait for
 * anything by that.
 */
class Soon {
  #groups: LiveGroup[] = []
  readonly #flushAll = () => {
    const groups = this.#groups
    this.#groups = []
    for (const group of groups) group.flush()
  }

  run(group: LiveGroup): void {
    if (this.#groups.push(group) === 1) setImmediate(this.#flushAll)
  }

  /** For a group that cannot wait so long. */
  runNow(group: LiveGroup): void {
    queueMicrotask(() => group.flush())
  }
}

/** Sees what is written to live subscribers. */
class DeliveryObserver {
  readonly counts: DeliveryCounts

  constructor(counts: DeliveryCounts) {
    this.counts = counts
  }

  /** Once for each batch and group, however many its members: events after one offset up to another. */
  sent({ receipts, key }: TaskFeed, after: number, upTo: number, delivered: number, members: number): void {
    const { counts } = this
    counts.delivered += delivered
    const now = performance.now()
    for (const { receivedAt, isOwn, origin } of receipts.between(after, upTo)) {
      const lag = isOwn ? counts.reportLag : counts.announcementLag
      lag.observe((now - receivedAt) / 1000)
      if (origin) counts.onDelivered?.(origin, channelOf(key), members)
    }
  }
}

/** The groups of a process: one for each task and each kind of results that somebody waits for. */
export class LiveGroups {
  readonly #groups = new Map<TaskFeed, Map<SharedEncoding, LiveGroup>>()
  readonly #soon = new Soon()
  readonly counts = new DeliveryCounts()
  readonly #observer = new DeliveryObserver(this.counts)

  get size(): number {
    let size = 0
    for (const groups of this.#groups.values()) size += groups.size
    return size
  }

  /**
   * Makes a subscriber that stands at the top of its feed a member of the group that it returns; where there is
   * something for it to read first, a promise that resolves when it can be one.
   */
  join(
    member: Member,
    feed: TaskFeed,
    encoding: SharedEncoding,
    standing: Standing,
  ): LiveGroup | Promise<void> {
    let groups = this.#groups.get(feed)
    if (!groups) {
      groups = new Map()
      this.#groups.set(feed, groups)
    }
    let group = groups.get(encoding)
    if (!group) {
      group = new LiveGroup(feed, encoding, standing, this.#soon, this.#observer, () =>
        this.#drop(feed, encoding),
      )
      groups.set(encoding, group)
    }
    if (group.join(member, standing)) return group
    // Either of the two has yet to get what the other one has got.
    return group.flushed()
  }

  #drop(feed: TaskFeed, encoding: SharedEncoding): void {
    const groups = this.#groups.get(feed)
    groups?.delete(encoding)
    if (groups?.size === 0) this.#groups.delete(feed)
  }
}
