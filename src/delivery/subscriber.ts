import type { StreamReader, TrainingStream } from '../feed/training-stream.ts'
import type { Position } from '../task/position.ts'
import type { DeliveredEvent, EventsSkipped } from '../task/stream-event.ts'
import type { DeliveryCounts } from './delivery-counts.ts'
import type { SharedEncoding } from './encoding.ts'
import type { LiveGroup, LiveGroups, Member } from './live-group.ts'
import type { EventBatch, Outlet } from './outlet.ts'
import type { Turns } from './turns.ts'

/** What a process's subscribers share. */
export interface Shared {
  readonly groups: LiveGroups
  readonly turns: Turns
}

export interface SubscriberOptions {
  readonly stream: TrainingStream
  readonly encoding: SharedEncoding
  readonly shared: Shared
  readonly outlet: Outlet
  /** What it has taken of its process; given back once, at its end. */
  readonly held: Held
}

/** There are thousands of them, most of them silent: it is no closure, which would cost each a hundred bytes. */
export interface Held {
  close(): void
}

/** Events that a subscriber that catches up is sent in one turn. */
const EVENTS_PER_TURN = 64

/** How the promise of `start` is settled. */
interface Settlement {
  resolve(): void
  reject(error: unknown): void
}

type SubscriberState =
  | { readonly kind: 'new' }
  /** It reads its stream and sends what it gets: the opening first, then what it has yet to catch up with. */
  | { readonly kind: 'reading'; readonly settlement: Settlement }
  /** Nothing is read for it alone; the group sends. */
  | { readonly kind: 'live'; readonly settlement: Settlement; readonly group: LiveGroup }
  | { readonly kind: 'ended' }

const NEW: SubscriberState = { kind: 'new' }
const ENDED: SubscriberState = { kind: 'ended' }

/**
 * One subscription: it reads and sends until it stands at the top, and then is nothing but a member of a group,
 * until its outlet lags behind or there is more to say than events.
 *
 * ```
 * new ──start──▶ reading ──at the top──▶ live
 *                   ▲                     │
 *                   └──its outlet lags, the stream is interrupted or at its end
 *
 * new, reading, live ──the stream is over, stop, an error──▶ ended
 * ```
 *
 * Its position is the stream's while it reads, and the group's while it is live.
 */
export class Subscriber implements Member, StreamReader {
  readonly #stream: TrainingStream
  readonly #encoding: SharedEncoding
  readonly #shared: Shared
  readonly #outlet: Outlet
  readonly #held: Held
  #state: SubscriberState = NEW

  constructor({ stream, encoding, shared, outlet, held }: SubscriberOptions) {
    this.#stream = stream
    this.#encoding = encoding
    this.#shared = shared
    this.#outlet = outlet
    this.#held = held
    stream.reader = this
  }

  /** Begins; resolves at the end, and rejects where it failed. To be called once. */
  start(): Promise<void> {
    if (this.#state.kind !== 'new') return Promise.resolve()
    return new Promise((resolve, reject) => this.#read({ resolve, reject }))
  }

  /** Leaves: nothing more is sent, and nothing is held any more. */
  stop(): Promise<void> {
    return this.#end((settlement) => settlement.resolve())
  }

  send(batch: EventBatch): number {
    return this.#outlet.send(batch, 0, batch.texts.length)
  }

  /** Its stream has nothing more but its end, which is yet to be read. */
  expired(): void {
    if (this.#state.kind === 'live') this.catchUp(this.#state.group.leave(this))
  }

  catchUp(from: Position): void {
    if (this.#state.kind !== 'live') return
    this.#stream.position = from
    this.#read(this.#state.settlement)
  }

  #read(settlement: Settlement): void {
    this.#state = { kind: 'reading', settlement }
    this.#run(settlement).catch((error) => this.#end(() => settlement.reject(error)))
  }

  async #run(settlement: Settlement): Promise<void> {
    const { counts } = this.#shared.groups
    let hasCaughtUp = false
    for (;;) {
      // Only a subscriber that has taken all that it got is read for.
      await this.#outlet.drained()
      if (this.#state.kind !== 'reading') return
      const item = await this.#stream.read()
      if (this.#state.kind !== 'reading') return
      switch (item?.kind) {
        case undefined:
          return this.stop()
        case 'event': {
          const text = await this.#encoding.encodeOwn(item.event)
          if (this.#state.kind === 'reading') this.#outlet.sendOwn(text, item.event)
          if (item.event.type === 'EventsSkipped') countSkip(counts, item.event)
          break
        }
        case 'events':
          if (!hasCaughtUp) counts.catchUps++
          hasCaughtUp = true
          await this.#sendPage(item.events, item.from)
          break
        case 'top': {
          const { feed, standing } = this.#stream
          const joined = this.#shared.groups.join(this, feed, this.#encoding, standing)
          if (!(joined instanceof Promise)) {
            this.#state = { kind: 'live', settlement, group: joined }
            return
          }
          await joined
          // Should the group refuse again and again, the event loop still gets its turns.
          await this.#shared.turns.turn()
        }
      }
    }
  }

  async #sendPage(events: readonly DeliveredEvent[], from: number): Promise<void> {
    const page = await this.#encoding.pageOf(events)
    for (let at = from; at < events.length; ) {
      await this.#shared.turns.turn()
      if (this.#state.kind !== 'reading' || this.#stream.hasExpired) return
      const before = at
      at = this.#outlet.send(page, at, Math.min(events.length, at + EVENTS_PER_TURN))
      this.#shared.groups.counts.delivered += at - before
      this.#stream.advance(events, at)
      await this.#outlet.drained()
    }
  }

  async #end(settle: (settlement: Settlement) => void): Promise<void> {
    const state = this.#state
    if (state.kind === 'ended') return
    this.#state = ENDED
    if (state.kind === 'live') state.group.leave(this)
    let outcome = settle
    try {
      await this.#stream.close()
    } catch (error) {
      outcome = ({ reject }) => reject(error)
    }
    this.#held.close()
    if (state.kind !== 'new') outcome(state.settlement)
  }
}

function countSkip({ skips }: DeliveryCounts, { skipReason, count }: EventsSkipped): void {
  skips[skipReason].announced++
  skips[skipReason].events += count ?? 0
}
