import type { DeliveredEvent, StreamEvent } from '../task/stream-event.ts'

/**
 * Consecutive events of one task's log and their texts. One batch is given to many outlets; an engine that
 * makes something of its texts, such as frames, may keep that by the batch.
 */
export interface EventBatch {
  /** Each with its cursor. */
  readonly events: readonly DeliveredEvent[]
  /** What the subscription's encoder made of each. */
  readonly texts: readonly string[]
  /** Whether other outlets may get it, too; what is made for one alone is not worth keeping. */
  readonly isShared: boolean
}

/**
 * Where one subscription's events go; its engines are the doors' (`transport/`). What waits in an outlet is bounded
 * by its engine: the subscriber goes on with what did not fit once the outlet has drained.
 */
export interface Outlet {
  /**
   * Sends the texts of a batch from index `from` up to, but not including, `to`: as many as the bound of what may
   * wait allows, and at least one where nothing waits. A closed outlet swallows all of them.
   *
   * @returns the index up to which it sent
   */
  send(batch: EventBatch, from: number, to: number): number

  /** Sends what only this subscription is told, whatever waits; `drained` says when it has left. */
  sendOwn(text: string, event: StreamEvent): void

  /** Resolves once all that was sent before has left this process, or the outlet is closed. */
  drained(): Promise<void>
}
