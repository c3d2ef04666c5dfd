import { createClient, type Client as GraphQLWsClient } from 'graphql-ws/client'

export interface Socket {
  readonly url: string
  readonly client: GraphQLWsClient
}

export interface SocketOptions {
  readonly url: string
  readonly webSocketImpl: unknown
  readonly authorization: () => Promise<string | undefined>
}

const PING_INTERVAL_MS = 10_000
const PONG_WITHIN_MS = 5000
const ACK_WITHIN_MS = 10_000

/** One socket for all subscriptions, open while there are any. Trying again is left to its users. */
export function createSocket({ url, webSocketImpl, authorization }: SocketOptions): Socket {
  let pongDue: ReturnType<typeof setTimeout> | undefined
  let isHeard = false
  const ponged = () => clearTimeout(pongDue)
  const awaitPong = () => {
    ponged()
    isHeard = false
    pongDue = setTimeout(() => {
      // The pong waits behind what was sent before it: a server that can be heard is there.
      if (isHeard) awaitPong()
      else client.terminate()
    }, PONG_WITHIN_MS)
  }
  let token: Promise<string | undefined> | undefined
  const client = createClient({
    // Asked for before the socket is opened: the server bounds the time from there to the token.
    url: async () => {
      token = authorization()
      // A failure is told below, where graphql-ws can tell it on.
      await token.catch(() => undefined)
      return url
    },
    webSocketImpl,
    connectionParams: async () => {
      const value = await token
      return value === undefined ? undefined : { authorization: value }
    },
    retryAttempts: 0,
    connectionAckWaitTimeout: ACK_WITHIN_MS,
    keepAlive: PING_INTERVAL_MS,
    on: {
      ping: (received) => {
        // A connection that died without a word (a laptop that slept, a lost NAT entry) stays "open".
        if (!received) awaitPong()
      },
      message: () => {
        isHeard = true
      },
      pong: (received) => {
        if (received) ponged()
      },
      closed: ponged,
      error: ponged,
    },
  })
  return { url, client }
}
