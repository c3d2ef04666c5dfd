import type { ExecutionResult, GraphQLError } from 'graphql'
import type { EventBatch, Outlet } from '../delivery/outlet.ts'
import type { Subscriber } from '../delivery/subscriber.ts'
import type { SharedSubscription } from '../execution/fan-out.ts'
import { END, StoppableIterator } from '../feed/stoppable-iterator.ts'

/** A result whose JSON text is there already; Yoga asks for it by this name. */
export interface EncodedResult extends ExecutionResult {
  stringify(): string
}

/**
 * Texts that wait to be taken one by one, as server-sent events are: Yoga takes the next one when the response has
 * room. What waits is references to texts that others get, too, and bounded.
 */
export class EventStreamOutlet implements Outlet {
  readonly #maxBufferedBytes: number
  #texts: string[] = []
  /** Index of the next text to be taken. */
  #next = 0
  #bufferedBytes = 0
  #isClosed = false
  #onChange: (() => void)[] = []

  /** @param maxBufferedBytes of texts that wait, beside the first, counted as characters */
  constructor(maxBufferedBytes: number) {
    this.#maxBufferedBytes = maxBufferedBytes
  }

  send(batch: EventBatch, from: number, to: number): number {
    if (this.#isClosed) return to
    let at = from
    for (; at < to; at++) {
      const text = batch.texts[at] as string
      if (this.#bufferedBytes > 0 && this.#bufferedBytes + text.length > this.#maxBufferedBytes) break
      this.#add(text)
    }
    this.wake()
    return at
  }

  sendOwn(text: string): void {
    if (this.#isClosed) return
    this.#add(text)
    this.wake()
  }

  async drained(): Promise<void> {
    while (!this.#isClosed && this.#bufferedBytes > 0) await this.changed()
  }

  /** The oldest text that waits. */
  take(): string | undefined {
    const text = this.#texts[this.#next]
    if (text === undefined) return undefined
    this.#next++
    this.#bufferedBytes -= text.length
    if (this.#next === this.#texts.length) {
      this.#texts = []
      this.#next = 0
      this.wake()
    }
    return text
  }

  /** Nothing is taken any more. */
  close(): void {
    this.#isClosed = true
    this.#texts = []
    this.#next = 0
    this.#bufferedBytes = 0
    this.wake()
  }

  /** Resolves when something was sent, all of it was taken, or it was closed. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#onChange.push(resolve))
  }

  #add(text: string): void {
    this.#texts.push(text)
    this.#bufferedBytes += text.length
  }

  /** Tells those that await a change. */
  wake(): void {
    for (const resolve of this.#onChange.splice(0)) resolve()
  }
}

type EventStreamState =
  | { readonly kind: 'new' | 'open' | 'ended' }
  | { readonly kind: 'failed'; readonly error: unknown }

/** The results of a shared subscription, one after the other, for Yoga to write as server-sent events. */
export class EventStreamResults extends StoppableIterator<EncodedResult> {
  readonly #outlet: EventStreamOutlet
  readonly #subscriber: Subscriber
  #state: EventStreamState = { kind: 'new' }

  constructor(subscription: SharedSubscription, maxBufferedBytes: number) {
    super()
    this.#outlet = new EventStreamOutlet(maxBufferedBytes)
    this.#subscriber = subscription.deliverTo(this.#outlet)
  }

  async next(): Promise<IteratorResult<EncodedResult, void>> {
    if (this.#state.kind === 'new') this.#start()
    for (;;) {
      const text = this.#outlet.take()
      if (text !== undefined) return { done: false, value: encodedResult(text) }
      // Only after all that was sent before.
      if (this.#state.kind === 'failed') {
        const { error } = this.#state
        this.#state = { kind: 'ended' }
        throw error
      }
      if (this.#state.kind === 'ended') return END
      await this.#outlet.changed()
    }
  }

  protected stop(): Promise<void> {
    this.#state = { kind: 'ended' }
    this.#outlet.close()
    return this.#subscriber.stop()
  }

  #start(): void {
    this.#state = { kind: 'open' }
    const end = (state: EventStreamState) => {
      if (this.#state.kind === 'open') this.#state = state
      this.#outlet.wake()
    }
    this.#subscriber.start().then(
      () => end({ kind: 'ended' }),
      (error) => end({ kind: 'failed', error }),
    )
  }
}

/**
 * Results whose failure is their last one: an event stream that just breaks off tells its client nothing.
 */
export class WithLastError extends StoppableIterator<ExecutionResult> {
  readonly #results: AsyncGenerator<ExecutionResult, void, void>
  readonly #translate: (error: unknown) => GraphQLError

  constructor(
    results: AsyncGenerator<ExecutionResult, void, void>,
    translate: (error: unknown) => GraphQLError,
  ) {
    super()
    this.#results = results
    this.#translate = translate
  }

  async next(): Promise<IteratorResult<ExecutionResult, void>> {
    try {
      return await this.#results.next()
    } catch (error) {
      return { done: false, value: { errors: [this.#translate(error)] } }
    }
  }

  protected async stop(): Promise<void> {
    await this.#results.return()
  }
}

const encodedResult = (text: string): EncodedResult => ({
  get data() {
    return (JSON.parse(text) as ExecutionResult).data ?? null
  },
  stringify: () => text,
})
