import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { Turns } from './turns.ts'

/** New connections taken up in one round of the event loop; each brings a request, or a subscription, with it. */
export const CONNECTIONS_PER_ROUND = 8

type TakeUp = (this: Server, socket: Socket) => void

/**
 * Has a server take up its new connections in turns. The system hands over hundreds at once, after another
 * server has died, say; without this all of them would be parsed, upgraded and subscribed in the same round,
 * and everybody who is there already would wait for it.
 */
export function admitInTurns(server: Server): void {
  const turns = new Turns(CONNECTIONS_PER_ROUND)
  // Node's own: `connection` may be emitted for any socket, at any time, as its documentation says.
  const takeUps = server.listeners('connection') as TakeUp[]
  server.removeAllListeners('connection')
  // As the option of `net.createServer`, which `http.createServer` does not pass on: nothing is read meanwhile.
  Object.assign(server, { pauseOnConnect: true })
  server.on('connection', (socket: Socket) =>
    turns.take(() => {
      // Once the server is closing nobody would end it.
      if (!server.listening) socket.destroy()
      if (socket.destroyed) return
      for (const takeUp of takeUps) takeUp.call(server, socket)
      socket.resume()
    }),
  )
}
