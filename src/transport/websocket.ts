import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { GraphQLError } from 'graphql'
import {
  CloseCode,
  handleProtocols,
  makeServer,
  type Context as SocketContext,
  type SubscribePayload,
} from 'graphql-ws'
import type { Logger } from 'pino'
import { type WebSocket, WebSocketServer } from 'ws'
import { withoutHttpHints } from '../schema/errors.ts'
import { EpochcastError } from '../task/errors.ts'
import { GRAPHQL_PATH } from './graphql.ts'
import type { Operation, Operations } from './operations.ts'
import type { OriginRule } from './origin.ts'

export interface WebSocketOptions {
  readonly operations: Operations
  readonly logger: Logger
  readonly origins: OriginRule
  /** Largest message of a client, in bytes. */
  readonly maxMessageBytes: number
  readonly maxSubscriptionsPerSocket: number
  /** Time between pings; a socket that has not answered one by the next is ended. */
  readonly keepAliveMs: number
}

export interface WebSocketTransport {
  readonly socketCount: number
  /** Closes every socket with 1001, on which clients come back and resume. */
  close(): Promise<void>
}

/** Time for a client to answer a close before its socket is cut. */
const CLOSE_TIMEOUT_MS = 2000

/**
 * graphql-ws on the server's own port and path, subprotocol `graphql-transport-ws`. The library keeps the
 * protocol; here is what lies between it and the sockets, and between it and the operations.
 */
export function serveWebSocket(server: Server, options: WebSocketOptions): WebSocketTransport {
  const { operations, logger, origins, maxSubscriptionsPerSocket } = options
  const translate = (error: unknown) => withoutHttpHints(operations.translate(error))
  const protocol = makeServer<undefined, undefined>({
    execute: (args) => operations.execute(args),
    subscribe: (args) => operations.subscribe(args),
    // What is thrown here would close the socket and everything else that is on it.
    onSubscribe: (context, _id, payload) => {
      try {
        return prepare(operations, context, payload, maxSubscriptionsPerSocket)
      } catch (error) {
        return [translate(error)]
      }
    },
    onNext: (_context, _id, _payload, _args, { errors, data }) =>
      errors && {
        ...(data === undefined ? {} : { data }),
        errors: errors.map((error) => withoutHttpHints(error).toJSON()),
      },
    onError: (_context, _id, _payload, errors) => errors.map((error) => translate(error).toJSON()),
  })

  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxMessageBytes,
    perMessageDeflate: false,
    handleProtocols,
  })
  const answered = new WeakSet<WebSocket>()
  sockets.on('connection', (socket) => {
    answered.add(socket)
    socket.on('pong', () => answered.add(socket))
    // The client's doing, such as a message over the bound; ws closes the socket with the fitting code.
    socket.on('error', (err) => logger.debug({ err }, 'a socket failed'))
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: (data) => send(socket, data),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (take) =>
          socket.on('message', (data) => {
            take(String(data)).catch((err: unknown) => {
              logger.error({ err }, 'a message failed unexpectedly')
              socket.close(CloseCode.InternalServerError, 'Internal server error')
            })
          }),
      },
      undefined,
    )
    socket.once('close', (code, reason) => {
      closed(code, String(reason)).catch((err: unknown) => logger.error({ err }, 'a socket was not freed'))
    })
  })

  const keepAlive = setInterval(() => {
    for (const socket of sockets.clients) {
      if (!answered.delete(socket)) socket.terminate()
      else if (socket.readyState === socket.OPEN) socket.ping()
    }
  }, options.keepAliveMs)

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', (err) => logger.debug({ err }, 'a socket failed during its upgrade'))
    const refusal = refusalOf(request, origins)
    if (refusal) return void socket.end(refusal)
    sockets.handleUpgrade(request, socket, head, (webSocket) =>
      sockets.emit('connection', webSocket, request),
    )
  })

  return {
    get socketCount() {
      return sockets.clients.size
    },
    close: async () => {
      clearInterval(keepAlive)
      const cut = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate()
      }, CLOSE_TIMEOUT_MS)
      for (const socket of sockets.clients) socket.close(1001, 'the server is stopping')
      await new Promise((resolve) => sockets.close(resolve))
      clearTimeout(cut)
    },
  }
}

/** @throws EpochcastError TOO_MANY_SUBSCRIPTIONS */
function prepare(
  operations: Operations,
  { subscriptions }: SocketContext<undefined, undefined>,
  payload: SubscribePayload,
  maxOperations: number,
): Operation | readonly GraphQLError[] {
  // The one that is asked for is among them already.
  const open = Object.keys(subscriptions).length
  if (open > maxOperations) {
    throw new EpochcastError(
      'TOO_MANY_SUBSCRIPTIONS',
      `the socket has ${open - 1} operations under way; expected at most ${maxOperations} (EPOCHCAST_MAX_SUBSCRIPTIONS_PER_SOCKET)`,
    )
  }
  return operations.prepare(payload)
}

/** Resolves when the message has been handed to the system; at once where the socket is on its way out. */
function send(socket: WebSocket, data: string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) return resolve()
    // A failure to send ends the socket, and with it all that would be sent.
    socket.send(data, () => resolve())
  })
}

/** The raw answer to an upgrade that is refused; null where it is welcome. */
function refusalOf(request: IncomingMessage, origins: OriginRule): string | null {
  const answer = (status: string, message: string) =>
    [
      `HTTP/1.1 ${status}`,
      'Content-Type: text/plain; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(message)}`,
      'Connection: close',
      '',
      message,
    ].join('\r\n')
  const path = request.url?.split('?', 1)[0]
  if (path !== GRAPHQL_PATH) return answer('404 Not Found', `expected WebSocket at ${GRAPHQL_PATH}`)
  try {
    origins.check(request)
    return null
  } catch (error) {
    return answer('403 Forbidden', (error as Error).message)
  }
}
