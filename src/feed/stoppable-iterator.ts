export const END: IteratorReturnResult<void> = { done: true, value: undefined }

/**
 * An async iterator that can be left while it waits: `return`, `throw` and disposal all stop it. It is a class without
 * fields, since there is one for each subscriber.
 */
export abstract class StoppableIterator<T> implements AsyncGenerator<T, void, void> {
  abstract next(): Promise<IteratorResult<T, void>>

  /** Gives back what is held, and lets a pending `next` end soon. May be called more than once. */
  protected abstract stop(): Promise<void>

  async return(): Promise<IteratorReturnResult<void>> {
    await this.stop()
    return END
  }

  async throw(error: unknown): Promise<IteratorReturnResult<void>> {
    await this.stop()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}
