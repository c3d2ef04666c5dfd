import { requestFor } from './document.ts'
import { EpochcastClientError } from './error.ts'
import type { FollowRequest } from './follow.ts'
import { TaskOutputDocument, type TaskOutputSubscription } from './generated/graphql.ts'
import { type ReceiveOptions, receive } from './receive.ts'
import type { Reconnection } from './reconnection.ts'
import type { Socket } from './socket.ts'

/** A line that a trainer printed, or a note in the place of lines that are missing (`skip`). */
export type OutputLineEvent = TaskOutputSubscription['taskOutput']

/** As `followEvents`: whatever ends a subscription but the server's completion, the next one goes on after the last line. */
export async function* followLines(
  socket: Socket,
  { taskId, channelPrefix, after, last }: FollowRequest,
  reconnection: Reconnection,
  limits: Pick<ReceiveOptions<never>, 'signal' | 'maxBuffered'>,
): AsyncGenerator<OutputLineEvent, void, undefined> {
  let cursor = after
  const payload = {
    ...requestFor(TaskOutputDocument),
    // Read at each sending: on close code 1000 graphql-ws subscribes again by itself.
    get variables() {
      return { taskId, channelPrefix, after: cursor, last }
    },
  }
  const options: ReceiveOptions<TaskOutputSubscription> = {
    ...limits,
    onFull: 'fail',
    onReceived: ({ taskOutput }) => {
      cursor = taskOutput.cursor
    },
  }
  for (;;) {
    try {
      for await (const { taskOutput: line } of receive(socket, payload, options)) {
        reconnection.opened()
        reconnection.progressed()
        yield line
      }
      return
    } catch (error) {
      // All that was received has been taken, so there is room again.
      const isFull = error instanceof EpochcastClientError && error.code === 'CONSUMER_TOO_SLOW'
      if (!isFull) await reconnection.next(error)
    }
  }
}
