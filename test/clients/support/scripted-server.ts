import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

export interface Subscribe {
  readonly query: string
  readonly variables?: Record<string, unknown>
}

export type Respond = (socket: WebSocket, id: string, payload: Subscribe) => void

/** A server of graphql-transport-ws that says, to one `subscribe` after the other, what it is told to. */
export async function scripted(
  script: readonly Respond[],
): Promise<{ readonly url: string; readonly received: readonly Subscribe[] }> {
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  onTestFinished(() => new Promise<void>((resolve) => sockets.close(() => resolve())))
  await once(sockets, 'listening')
  const received: Subscribe[] = []
  sockets.on('connection', (socket) => {
    socket.on('message', (data) => {
      const { id, type, payload } = JSON.parse(String(data))
      if (type === 'connection_init') send(socket, { type: 'connection_ack' })
      if (type !== 'subscribe') return
      received.push(payload)
      script[received.length - 1]?.(socket, id, payload)
    })
  })
  return { url: `http://127.0.0.1:${(sockets.address() as AddressInfo).port}/graphql`, received }
}

export const send = (socket: WebSocket, message: unknown): void => socket.send(JSON.stringify(message))

/** So that whoever reads it has all of it in one turn. */
export function sendAtOnce(socket: WebSocket, ...messages: unknown[]): void {
  const { _socket: stream } = socket as unknown as { _socket: Socket }
  stream.cork()
  for (const message of messages) send(socket, message)
  stream.uncork()
}
