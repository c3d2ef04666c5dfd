import type { Client as SocketClient, SubscribePayload } from 'graphql-ws/client'
import { type Client, createClient, subscriptionExchange } from 'urql'
import { requestFor } from '../../typescript/document.ts'
import { createResumingClient } from '../../typescript/resuming-client.ts'

/** The page's one connection, and its clients: that of the hooks of `epochcast/react`, and urql for what is asked once. */
export interface Link {
  readonly socket: SocketClient
  readonly urql: Client
  /** Milliseconds that a ping took; null where there is no connection. */
  roundTrip(): Promise<number | null>
  close(): void
}

const PONG_WITHIN_MS = 10_000

export function openLink(url: string, token: string | null): Link {
  let open: WebSocket | null = null
  let isClosed = false
  const socket = createResumingClient({
    // Whoever asks for something after the end waits for the next link: graphql-ws would connect once more.
    url: () => (isClosed ? new Promise<string>(() => {}) : Promise.resolve(url.replace(/^http/, 'ws'))),
    // Not as a function: a token that is refused once is asked for anew, by a form.
    ...(token !== null && { connectionParams: { authorization: `Bearer ${token}` } }),
    on: {
      opened: (opened) => {
        open = opened as WebSocket
      },
      closed: () => {
        open = null
      },
    },
  })
  const urql = createClient({
    url,
    preferGetMethod: false,
    requestPolicy: 'network-only',
    exchanges: [
      subscriptionExchange({
        enableAllOperations: true,
        forwardSubscription: (_, { query, variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe(
              { ...requestFor(query), variables } as SubscribePayload,
              sink as Parameters<SocketClient['subscribe']>[1],
            ),
          }),
        }),
      }),
    ],
  })
  return {
    socket,
    urql,
    roundTrip: () => {
      if (open?.readyState !== WebSocket.OPEN) return Promise.resolve(null)
      const sentAt = performance.now()
      const asked = open
      return new Promise((resolve) => {
        const settle = (ms: number | null) => {
          forget()
          clearTimeout(timer)
          resolve(ms)
        }
        const timer = setTimeout(() => settle(null), PONG_WITHIN_MS)
        const forget = socket.on('pong', (isReceived) => {
          if (isReceived) settle(performance.now() - sentAt)
        })
        asked.send('{"type":"ping"}')
      })
    },
    close: () => {
      isClosed = true
      void socket.dispose()
    },
  }
}
