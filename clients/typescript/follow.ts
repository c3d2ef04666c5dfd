import { requestFor } from './document.ts'
import { TrainingProgressDocument, type TrainingProgressSubscription } from './generated/graphql.ts'
import { type ReceiveOptions, receive } from './receive.ts'
import type { Reconnection } from './reconnection.ts'
import type { Socket } from './socket.ts'

/** One event of a training, or of the stream that carries it; `__typename` says which. */
export type TrainingProgressEvent = TrainingProgressSubscription['trainingProgress']

export interface FollowRequest {
  readonly taskId: string
  /** Without it, the task is looked for under each prefix of the server, in their order. */
  readonly channelPrefix?: string | null | undefined
  /** The cursor of the last event that was seen; wins over `last`. */
  readonly after?: string | null | undefined
  /** Replays this many of the newest events first. */
  readonly last?: number | null | undefined
}

/**
 * The stream's position is the cursor of the event that came last. Whatever ends a subscription before
 * StreamClosing (a lost socket, the maximum duration, a buffer that is full), the next one goes on there;
 * its StreamOpened is left out, as the events that follow lead to the same state.
 */
export async function* followEvents(
  socket: Socket,
  { taskId, channelPrefix, after, last }: FollowRequest,
  reconnection: Reconnection,
  limits: Pick<ReceiveOptions<never>, 'signal' | 'maxBuffered'>,
): AsyncGenerator<TrainingProgressEvent, void, undefined> {
  let cursor = after
  let opened = false
  const payload = {
    ...requestFor(TrainingProgressDocument),
    // Read at each sending: on close code 1000 graphql-ws subscribes again by itself.
    get variables() {
      return { taskId, channelPrefix, after: cursor, last }
    },
  }
  const options: ReceiveOptions<TrainingProgressSubscription> = {
    ...limits,
    onFull: 'end',
    onReceived: ({ trainingProgress }) => {
      cursor = trainingProgress.cursor
    },
  }
  for (;;) {
    let failure: unknown
    try {
      for await (const { trainingProgress: event } of receive(socket, payload, options)) {
        if (event.__typename === 'StreamTimedOut') break
        if (event.__typename === 'StreamOpened') {
          reconnection.opened()
          if (opened) continue
          opened = true
        } else {
          reconnection.progressed()
        }
        yield event
        if (event.__typename === 'StreamClosing') return
      }
    } catch (error) {
      failure = error
    }
    await reconnection.next(failure)
  }
}
