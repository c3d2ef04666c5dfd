import type { DeliveredEvent, TrainingEvent } from '../task/stream-event.ts'
import { END, StoppableIterator } from './stoppable-iterator.ts'
import type { TrainingStream } from './training-stream.ts'

/** A stream as graphql-js reads it: one event after the other, waiting for what is to come. */
export class TrainingEvents extends StoppableIterator<TrainingEvent> {
  readonly stream: TrainingStream
  /** Events that were read, of which the first `next` have been handed out. */
  #batch: { readonly events: readonly DeliveredEvent[]; next: number } | null = null

  constructor(stream: TrainingStream) {
    super()
    this.stream = stream
  }

  async next(): Promise<IteratorResult<TrainingEvent, void>> {
    for (;;) {
      const event = this.#nextOfBatch()
      if (event) return { done: false, value: event }
      const item = await this.stream.read()
      if (item === null) return END
      if (item.kind === 'event') return { done: false, value: item.event }
      if (item.kind === 'top') await this.stream.beyondTop()
      else this.#batch = { events: item.events, next: item.from }
    }
  }

  protected stop(): Promise<void> {
    return this.stream.close()
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
