import type { ExecutionResult } from 'graphql'
import type { TrainingStream } from '../../feed/training-stream.ts'
import type { Position } from '../../task/position.ts'
import type { DeliveredEvent, StreamEvent } from '../../task/stream-event.ts'
import type { Turns } from '../turns.ts'
import type { SharedEncoding } from './encoding.ts'
import type { Outlet, ResultBatch } from './frames.ts'
import type { LiveGroups, Member } from './live-group.ts'

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
  /** As `idText` gives it. */
  readonly id: string
  readonly onEnd: () => void
}

/** Events that one who catches up is sent in one turn. */
const EVENTS_PER_TURN = 64

type End = IteratorResult<never, void>
const END: End = { done: true, value: undefined }

/**
 * One subscription over a WebSocket: it reads and sends until it stands at the top, and then is nothing but a
 * member of a group, until its socket lags behind or there is more to say than events.
 *
 * To graphql-ws it looks like results that are long in coming: none is ever given to it, only the end.
 */
export class Subscriber implements AsyncGenerator<ExecutionResult, void, void>, Member {
  readonly #stream: TrainingStream
  readonly #encoding: SharedEncoding
  readonly #shared: Shared
  readonly #outlet: Outlet
  readonly #id: string
  readonly #onEnd: () => void
  #leaveGroup: (() => Position) | null = null
  #isStopped = false
  #isOutOfTime = false
  #waiting: { resolve: (end: End) => void; reject: (error: unknown) => void } | null = null

  constructor({ stream, encoding, shared, outlet, id, onEnd }: SubscriberOptions) {
    this.#stream = stream
    this.#encoding = encoding
    this.#shared = shared
    this.#outlet = outlet
    this.#id = id
    this.#onEnd = onEnd
    stream.onDeadline = () => {
      this.#isOutOfTime = true
      if (this.#leaveGroup) this.goOnAlone(this.#leaveGroup())
    }
  }

  /** Begins at the first call; resolves at the end. */
  next(): Promise<End> {
    if (this.#isStopped || this.#waiting) return Promise.resolve(END)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      void this.#run()
    })
  }

  async return(): Promise<End> {
    await this.#stop()
    this.#waiting?.resolve(END)
    return END
  }

  async throw(error: unknown): Promise<End> {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  send(results: ResultBatch, from: number): number {
    return this.#outlet.send(this.#id, results, from)
  }

  sendOne(text: string): number {
    return this.#outlet.sendOne(this.#id, text)
  }

  goOnAlone(from: Position): void {
    this.#leaveGroup = null
    this.#stream.seek(from)
    void this.#run()
  }

  async #run(): Promise<void> {
    try {
      while (!this.#isStopped) {
        // Only who has taken all that it got is read for.
        await this.#outlet.drained()
        const item = this.#isStopped ? null : await this.#stream.read()
        if (item === null) break
        if (item.kind === 'event') await this.#tell(item.event)
        else if (item.kind === 'events') await this.#catchUp(item.events, item.from)
        else if (!this.#isOutOfTime && !this.#isStopped) {
          const joined = this.#shared.groups.join(
            this,
            this.#stream.feed,
            this.#encoding,
            this.#stream.standing,
          )
          if (!(joined instanceof Promise)) {
            this.#leaveGroup = joined
            return
          }
          await joined
          // Should the group refuse again and again, the event loop still gets its turns.
          await this.#shared.turns.turn()
        }
      }
      await this.return()
    } catch (error) {
      await this.#stop()
      this.#waiting?.reject(error)
    }
  }

  async #tell(event: StreamEvent): Promise<void> {
    const text = await this.#encoding.textOfStreamEvent(event)
    if (!this.#isStopped) await this.#outlet.sendResult(this.#id, text)
  }

  async #catchUp(events: readonly DeliveredEvent[], from: number): Promise<void> {
    const results = await this.#encoding.pageOf(events)
    for (let at = from; at < events.length; ) {
      await this.#shared.turns.turn()
      if (this.#isStopped) return
      if (this.#isOutOfTime) {
        const undelivered = events[at] as DeliveredEvent
        return this.#stream.seek({ ...this.#stream.position, offset: undelivered.offset - 1 })
      }
      const to = Math.min(events.length, at + EVENTS_PER_TURN)
      at = this.#outlet.send(this.#id, results, at, to)
      await this.#outlet.drained()
    }
  }

  async #stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#leaveGroup?.()
    this.#leaveGroup = null
    await this.#stream.return()
    this.#onEnd()
  }
}
