import type { ExecutionResult } from 'graphql'
import type { TrainingStream } from '../../feed/training-stream.ts'
import type { TrainingEvent } from '../../task/stream-event.ts'
import type { SharedEncoding } from './encoding.ts'
import { idText, type Outlet } from './frames.ts'
import { type Shared, Subscriber } from './subscriber.ts'

/** A result whose JSON text is there already; Yoga asks for it by this name. */
export interface EncodedResult extends ExecutionResult {
  stringify(): string
}

/**
 * The results of one subscription to a task, in texts that all who get the same share. They can be read one
 * after the other, as server-sent events are, or be sent to a WebSocket without being read by anybody.
 */
export class SharedResults implements AsyncGenerator<EncodedResult, void, void> {
  readonly #stream: TrainingStream
  readonly #encoding: SharedEncoding
  readonly #shared: Shared
  readonly #onEnd: () => void

  constructor(stream: TrainingStream, encoding: SharedEncoding, shared: Shared, onEnd: () => void) {
    this.#stream = stream
    this.#encoding = encoding
    this.#shared = shared
    this.#onEnd = onEnd
  }

  /** The same subscription, for graphql-ws to run: its results go straight to the outlet. */
  to(outlet: Outlet, id: string): Subscriber {
    return new Subscriber({
      stream: this.#stream,
      encoding: this.#encoding,
      shared: this.#shared,
      outlet,
      id: idText(id),
      onEnd: this.#onEnd,
    })
  }

  async next(): Promise<IteratorResult<EncodedResult, void>> {
    try {
      const { done, value } = await this.#stream.next()
      if (done) return this.return()
      return { done: false, value: encodedResult(await this.#textOf(value)) }
    } catch (error) {
      await this.return()
      throw error
    }
  }

  async return(): Promise<IteratorResult<EncodedResult, void>> {
    await this.#stream.return()
    this.#onEnd()
    return { done: true, value: undefined }
  }

  async throw(error: unknown): Promise<IteratorResult<EncodedResult, void>> {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  #textOf(event: TrainingEvent): string | Promise<string> {
    return 'offset' in event ? this.#encoding.textOf(event) : this.#encoding.textOfStreamEvent(event)
  }
}

const encodedResult = (text: string): EncodedResult => ({
  get data() {
    return (JSON.parse(text) as ExecutionResult).data ?? null
  },
  stringify: () => text,
})
