import type { DeliveredEvent, TrainingEvent } from '../task/stream-event.ts'
import type { TrainingStream } from './training-stream.ts'

const DONE: IteratorResult<TrainingEvent, undefined> = { done: true, value: undefined }

/** A stream as graphql-js reads it: one event after the other, waiting for what is to come. */
export class TrainingEvents implements AsyncIterableIterator<TrainingEvent, undefined> {
  readonly stream: TrainingStream
  /** Events that were read, of which the first `next` have been handed out. */
  #batch: { readonly events: readonly DeliveredEvent[]; next: number } | null = null

  constructor(stream: TrainingStream) {
    this.stream = stream
  }

  async next(): Promise<IteratorResult<TrainingEvent, undefined>> {
    for (;;) {
      const event = this.#nextOfBatch()
      if (event) return { done: false, value: event }
      const item = await this.stream.read()
      if (item === null) return DONE
      if (item.kind === 'event') return { done: false, value: item.event }
      if (item.kind === 'top') await this.stream.beyondTop()
      else this.#batch = { events: item.events, next: item.from }
    }
  }

  async return(): Promise<IteratorResult<TrainingEvent, undefined>> {
    await this.stream.close()
    return DONE
  }

  async throw(error: unknown): Promise<IteratorResult<TrainingEvent, undefined>> {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #nextOfBatch(): DeliveredEvent | undefined {
    const batch = this.#batch
    // Where the time is over, the end comes next; it says how far the events went.
    const event = this.stream.hasExpired ? undefined : batch?.events[batch.next]
    if (!batch || !event) {
      this.#batch = null
      return undefined
    }
    batch.next++
    this.stream.advance(batch.events, batch.next)
    return event
  }
}
