import type { ExecutionResult } from 'graphql'
import type { Held } from '../delivery/subscriber.ts'
import { END, StoppableIterator } from '../feed/stoppable-iterator.ts'

export type Results = AsyncGenerator<ExecutionResult, void, void>

/** The results of a subscription that is not shared, one for each event of its source. */
export class EventResults extends StoppableIterator<ExecutionResult> {
  readonly #events: AsyncIterator<unknown>
  readonly #execute: (event: unknown) => Promise<ExecutionResult>
  readonly #held: Held

  /** @param held closed when nothing more will come, perhaps more than once */
  constructor(
    events: AsyncIterator<unknown>,
    execute: (event: unknown) => Promise<ExecutionResult>,
    held: Held,
  ) {
    super()
    this.#events = events
    this.#execute = execute
    this.#held = held
  }

  async next(): Promise<IteratorResult<ExecutionResult, void>> {
    try {
      const event = await this.#events.next()
      if (!event.done) return { done: false, value: await this.#execute(event.value) }
    } catch (error) {
      this.#held.close()
      throw error
    }
    this.#held.close()
    return END
  }

  protected async stop(): Promise<void> {
    try {
      await this.#events.return?.()
    } finally {
      this.#held.close()
    }
  }
}
