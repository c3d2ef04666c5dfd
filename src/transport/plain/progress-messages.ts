import type { Encoder } from '../../delivery/encoding.ts'
import { stringify } from '../../execution/raw-json.ts'
import { type Published, progressMessageOf } from '../../task/progress-message.ts'
import type { DeliveredEvent, StreamEvent } from '../../task/stream-event.ts'
import { channelOf } from '../../task/task.ts'

/*
 * The messages of a hand-made relay of progress, as pages of that kind read them: what a publisher puts on the channel
 * of a task is passed on as it is, and the relay's own messages have a `type`.
 */

/** Events of one task for the pages of such a relay. */
export class ProgressMessages implements Encoder {
  readonly #spec: Published

  constructor(spec: Published) {
    this.#spec = spec
  }

  encode(event: DeliveredEvent): string {
    return stringify(progressMessageOf(this.#spec, event))
  }

  encodeOwn(event: StreamEvent): string {
    return stringify(ownMessage(event, channelOf(this.#spec)))
  }
}

/** What the relay itself says, whichever pages it is for. */
export function ownMessage(event: StreamEvent, channel: string): object {
  const { timestamp, cursor } = event
  const common = { channel, timestamp, cursor }
  switch (event.type) {
    case 'StreamOpened':
      return { type: 'connected', ...common, message: event.message, status: event.task.state.status }
    case 'EventsSkipped':
      return {
        type: 'skipped',
        ...common,
        count: event.count,
        reason: event.skipReason,
        message: 'some events can no longer be delivered',
      }
    case 'StreamInterrupted':
      return { type: 'error', ...common, message: event.error, retryable: true }
    case 'StreamTimedOut':
      return { type: 'timeout', ...common, message: event.message }
    case 'StreamClosing':
      return { type: 'closing', ...common, reason: event.reason, message: event.reason }
  }
}
