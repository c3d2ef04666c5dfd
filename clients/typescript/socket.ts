import { createClient, type Client as GraphQLWsClient } from 'graphql-ws/client'
import { PING_INTERVAL_MS, terminateWithoutPong } from './pong-watch.ts'

export interface Socket {
  readonly url: string
  readonly client: GraphQLWsClient
}

export interface SocketOptions {
  readonly url: string
  readonly webSocketImpl: unknown
  readonly authorization: () => Promise<string | undefined>
}

const ACK_WITHIN_MS = 10_000

/** One socket for all subscriptions, open while there are any. Trying again is left to its users. */
export function createSocket({ url, webSocketImpl, authorization }: SocketOptions): Socket {
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
  })
  terminateWithoutPong(client)
  return { url, client }
}

/** `http://host/graphql` → `ws://host/graphql`, `https:` → `wss:`. A page may give a path only. */
export function webSocketUrl(url: string): string {
  const { location } = globalThis as { location?: { href: string } }
  // React Native's URL puts a slash behind what is whole already.
  const absolute = /^https?:/i.test(url) ? url : new URL(url, location?.href).href
  return absolute.replace(/^http/i, 'ws')
}
