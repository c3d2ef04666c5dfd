import type { Client } from 'graphql-ws/client'

export const PING_INTERVAL_MS = 10_000
const PONG_WITHIN_MS = 5000

/** A connection that died without a word (a laptop that slept, a lost NAT entry) stays "open": it is given up. */
export function terminateWithoutPong(client: Client): void {
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
  client.on('ping', (received) => {
    if (!received) awaitPong()
  })
  client.on('message', () => {
    isHeard = true
  })
  client.on('pong', (received) => {
    if (received) ponged()
  })
  client.on('closed', ponged)
  client.on('error', ponged)
}
