import { EpochcastError } from '../task/errors.ts'
import { END_STATUS, type FinalEvent, isFinalEvent } from '../task/event.ts'
import { type Position, positionAfter } from '../task/position.ts'
import type { DeliveredEvent } from '../task/stream-event.ts'
import { isFinalStatus, type TaskStatus } from '../task/task.ts'
import type { PageResult } from './pages.ts'
import { delay, type Stop } from './stoppable.ts'
import { RETRY_MS, type TaskFeed } from './task-feed.ts'

export type ReadStep =
  /** What comes next is `events[from]` and all after it; readers of one page share the array. */
  | { readonly kind: 'events'; readonly events: readonly DeliveredEvent[]; readonly from: number }
  /** These can no longer be delivered; the following events come after `resumeAt`. */
  | {
      readonly kind: 'skipped'
      readonly reason: 'TRIMMED' | 'LOG_RESET'
      readonly count: number | null
      readonly resumeAt: Position
    }
  /** The engine is out of reach; what follows comes without a gap when it is back. */
  | { readonly kind: 'interrupted'; readonly error: string }
  /** There is nothing more at present. */
  | { readonly kind: 'top' }

const TOP: ReadStep = { kind: 'top' }

/**
 * Reads a task from a position on.
 *
 * A reader is nothing but its position, which is that of the last event it got: reading does not move it, `advance`
 * does, so that what was read and not delivered is read again. Close to the top it takes events from the feed's ring, further
 * back it reads pages of the log, and at the top it waits, or joins others that are there. Since each step
 * starts from the position, there is no cut-over between replay and live in which an event could be lost
 * or doubled, and a reader that is slow to ask for more is simply further back when it does.
 */
export class Follower {
  /** After the last event that the reader got; set where it got events in another way. */
  position: Position
  readonly #feed: TaskFeed
  #toldInterruptions: number
  #end: FinalEvent | null = null
  #endedWith: TaskStatus | null = null

  constructor(feed: TaskFeed, from: Position) {
    this.#feed = feed
    this.position = from
    this.#toldInterruptions = feed.interruptions
  }

  /** How many interruptions of the feed were handed out. */
  get toldInterruptions(): number {
    return this.#toldInterruptions
  }

  /** How the task had ended when there was nothing more to read; null where that was for another reason. */
  get endedWith(): TaskStatus | null {
    return this.#endedWith
  }

  /** The reader has got the first `count` of events that it read. */
  advance(events: readonly DeliveredEvent[], count: number): void {
    this.position = positionAfter(this.position.generation, events, count)
    const last = events[count - 1]
    this.#end = last !== undefined && isFinalEvent(last) ? last : null
  }

  /** Resolves once there is something after the top, or when stopped. */
  async beyondTop(stop: Stop): Promise<void> {
    await this.#feed.advanced(this.position, stop.signal, this.#toldInterruptions)
  }

  /** What comes next, as far as it is there: it waits for the engine, never for an event. */
  async step(stop: Stop): Promise<ReadStep | null> {
    const feed = this.#feed
    for (let rounds = 0; !stop.isStopped && !feed.closed; rounds++) {
      if (this.#end && !this.#goesOn()) {
        this.#endedWith = END_STATUS[this.#end.type]
        return null
      }
      // One recheck is enough unless something is wrong; then the engine must not be polled at full speed.
      if (rounds > 1) await delay(RETRY_MS, stop.signal)
      const recent = feed.recent(this.position)
      if (recent?.length === 0) {
        const { state, top } = feed.view
        const isAtEnd = isFinalStatus(state.status) && this.position.offset >= top.offset
        if (isAtEnd) this.#endedWith = state.status
        if (feed.gone || isAtEnd) return null
        return this.#newInterruption() ?? TOP
      }
      if (recent) return { kind: 'events', events: recent, from: 0 }

      const page = await this.#readOrInterrupt()
      if (page === 'interrupted') {
        const interruption = this.#newInterruption()
        if (interruption) return interruption
        await feed.restored(stop.signal)
        continue
      }
      switch (page.kind) {
        case 'page':
          if (page.from < page.events.length) return { kind: 'events', events: page.events, from: page.from }
          // This reader knows more of the log than the feed does yet: it came from another server.
          await feed.recheck(stop.signal)
          await feed.restored(stop.signal)
          continue
        case 'missing':
          // The feed finds out whether the log is gone for good or recreated.
          if (feed.gone) return null
          await feed.recheck(stop.signal)
          await feed.restored(stop.signal)
          continue
        case 'gone':
          this.position = page.resumeAt
          return { kind: 'skipped', reason: page.reason, count: page.skipped, resumeAt: page.resumeAt }
        case 'ahead': {
          // A store that lost its newest events; this reader had seen more of them than the feed.
          await feed.recheck(stop.signal)
          const count = this.position.offset - page.top.offset
          this.position = page.top
          return { kind: 'skipped', reason: 'LOG_RESET', count, resumeAt: page.top }
        }
      }
    }
    return null
  }

  /** Whether the feed knows that the task, which had been given up, has come back. */
  #goesOn(): boolean {
    const { top } = this.#feed
    return top.generation === this.position.generation && top.offset > this.position.offset
  }

  #newInterruption(): ReadStep | null {
    const { interruptions, interruption } = this.#feed
    if (interruptions <= this.#toldInterruptions) return null
    this.#toldInterruptions = interruptions
    return { kind: 'interrupted', error: interruption ?? 'the engine was out of reach for a moment' }
  }

  async #readOrInterrupt(): Promise<PageResult | 'interrupted'> {
    try {
      return await this.#feed.read(this.position)
    } catch (error) {
      if (!(error instanceof EpochcastError) || error.code !== 'ENGINE_UNAVAILABLE') throw error
      this.#feed.interrupt()
      return 'interrupted'
    }
  }
}
