import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A way to the server that can be cut; gone when the test is over. */
export interface Proxy {
  readonly url: string
  /** Connections made so far. */
  readonly connections: number
  /** Drops every connection, without a word to either side. */
  cut(): void
  /** Drops new connections at once, until `letGo`. */
  hold(): void
  letGo(): void
  /** As `cut`, and refuses new ones. */
  close(): Promise<void>
}

/** @param idleMs cuts connections over which nothing came for so long; never by default */
export async function startProxy(targetUrl: string, idleMs = 0): Promise<Proxy> {
  const target = new URL(targetUrl)
  const sockets = new Set<Socket>()
  let connections = 0
  let isHeld = false
  const server = createServer((downstream) => {
    connections++
    if (isHeld) return void downstream.destroy()
    const upstream = connect(Number(target.port), target.hostname)
    for (const socket of [downstream, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.setTimeout(idleMs, () => {
        downstream.resetAndDestroy()
        upstream.resetAndDestroy()
      })
      socket.on('close', () => sockets.delete(socket))
    }
    downstream.pipe(upstream)
    upstream.pipe(downstream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  let closing: Promise<void> | undefined
  const close = () => {
    closing ??= new Promise((resolve) => {
      server.close(() => resolve())
      cut()
    })
    return closing
  }
  onTestFinished(close)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${target.pathname}`,
    get connections() {
      return connections
    },
    cut,
    hold: () => {
      isHeld = true
    },
    letGo: () => {
      isHeld = false
    },
    close,
  }
}
