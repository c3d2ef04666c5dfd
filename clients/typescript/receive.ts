import type { SubscribePayload } from 'graphql-ws'
import { EpochcastClientError, refused, socketFailure } from './error.ts'
import type { Socket } from './socket.ts'
import { subscribe } from './subscribe.ts'

export interface ReceiveOptions<Data> {
  readonly signal: AbortSignal
  /** Values that may wait to be taken. */
  readonly maxBuffered: number
  /** Beyond the bound, to `end` after what is buffered (the caller resumes from there), or to `fail`. */
  readonly onFull: 'end' | 'fail'
  /** Told of each value when it arrives, before it is taken. */
  readonly onReceived?: (data: Data) => void
}

type Ending = { readonly kind: 'completed' } | { readonly kind: 'failed'; readonly error: unknown }

/**
 * One subscription, on one socket: no retry, and a bounded buffer. Unsubscribes when it is left.
 *
 * @throws EpochcastClientError after everything that was received; the signal's reason at once
 */
export async function* receive<Data>(
  socket: Socket,
  payload: SubscribePayload,
  { signal, maxBuffered, onFull, onReceived }: ReceiveOptions<Data>,
): AsyncGenerator<Data, void, undefined> {
  signal.throwIfAborted()
  const buffered: Data[] = []
  let ending: Ending | undefined
  let wake = () => {}
  const end = (how: Ending) => {
    ending ??= how
    wake()
  }
  const unsubscribe = subscribe<Data>(socket.client, payload, {
    next: ({ data, errors }) => {
      // What the socket had already read is still delivered after unsubscribing.
      if (ending) return
      if (errors || !data) {
        end({ kind: 'failed', error: refused(errors ?? []) })
        unsubscribe()
      } else if (buffered.length >= maxBuffered) {
        end(onFull === 'end' ? { kind: 'completed' } : { kind: 'failed', error: tooSlow(maxBuffered) })
        unsubscribe()
      } else {
        buffered.push(data)
        onReceived?.(data)
        wake()
      }
    },
    error: (problem) => end({ kind: 'failed', error: socketFailure(socket.url, problem) }),
    complete: () => end({ kind: 'completed' }),
  })
  const abort = () => wake()
  signal.addEventListener('abort', abort)
  try {
    for (;;) {
      signal.throwIfAborted()
      const data = buffered.shift()
      if (data !== undefined) {
        yield data
      } else if (ending?.kind === 'failed') {
        throw ending.error
      } else if (ending) {
        return
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    end({ kind: 'completed' })
    signal.removeEventListener('abort', abort)
    unsubscribe()
  }
}

export function tooSlow(maxBuffered: number): EpochcastClientError {
  return new EpochcastClientError(
    `${maxBuffered} values are waiting to be taken; the subscription was ended`,
    { code: 'CONSUMER_TOO_SLOW', retryable: true },
  )
}
