import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ExecutionArgs, GraphQLError } from 'graphql'
import type { OperationResult, Context as SocketContext, SubscribePayload } from 'graphql-ws'
import { type Extra, useServer } from 'graphql-ws/use/ws'
import type { Logger } from 'pino'
import { WebSocketServer } from 'ws'
import { toGraphQLError, withoutHttpHints } from '../schema/errors.ts'
import { EpochcastError } from '../task/errors.ts'
import { GRAPHQL_PATH, type Yoga } from './graphql.ts'
import { checkOrigin } from './origin.ts'

export interface WebSocketOptions {
  readonly yoga: Yoga
  readonly logger: Logger
  readonly allowedOrigins: readonly string[]
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

type Run = (args: ExecutionArgs) => OperationResult

/** An operation that passed the same checks as over HTTP, with the functions that run it. */
interface PreparedArgs extends ExecutionArgs {
  readonly execute: Run
  readonly subscribe: Run
}

/** graphql-ws on the server's own port and path, subprotocol `graphql-transport-ws`. */
export function serveWebSocket(server: Server, options: WebSocketOptions): WebSocketTransport {
  const { yoga, logger, allowedOrigins, maxSubscriptionsPerSocket } = options
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxMessageBytes,
    perMessageDeflate: false,
  })
  const translate = (error: unknown) =>
    withoutHttpHints(
      toGraphQLError(error, (cause) => logger.error({ err: cause }, 'an operation failed unexpectedly')),
    )

  const prepare = async (
    { subscriptions, extra }: SocketContext<undefined, Extra>,
    payload: SubscribePayload,
  ): Promise<PreparedArgs | readonly GraphQLError[]> => {
    const open = Object.keys(subscriptions).length
    if (open > maxSubscriptionsPerSocket) {
      throw new EpochcastError(
        'TOO_MANY_SUBSCRIPTIONS',
        `the socket has ${open - 1} operations under way; expected at most ${maxSubscriptionsPerSocket} (EPOCHCAST_MAX_SUBSCRIPTIONS_PER_SOCKET)`,
      )
    }
    const { schema, parse, validate, contextFactory, execute, subscribe } = yoga.getEnveloped({
      ...extra,
      params: payload,
    })
    const document = parse(payload.query)
    const errors: readonly GraphQLError[] = validate(schema, document)
    if (errors.length > 0) return errors.map(translate)
    return {
      schema,
      document,
      operationName: payload.operationName,
      variableValues: payload.variables,
      contextValue: await contextFactory(),
      execute,
      subscribe,
    }
  }

  const graphqlWs = useServer<undefined>(
    {
      execute: (args) => (args as PreparedArgs).execute(args),
      subscribe: (args) => (args as PreparedArgs).subscribe(args),
      // What is thrown here would close the socket and everything else that is on it.
      onSubscribe: async (context, _id, payload) => {
        try {
          return await prepare(context as SocketContext<undefined, Extra>, payload)
        } catch (error) {
          return [translate(error)]
        }
      },
      onNext: (_context, _id, _payload, _args, { errors, data = null }) =>
        errors ? { data, errors: errors.map((error) => withoutHttpHints(error).toJSON()) } : undefined,
      onError: (_context, _id, _payload, errors) => errors.map((error) => translate(error).toJSON()),
    },
    sockets,
    options.keepAliveMs,
  )

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refuse = (status: string, message: string) => {
      const headers = `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(message)}`
      socket.end(`HTTP/1.1 ${status}\r\n${headers}\r\nConnection: close\r\n\r\n${message}`)
    }
    socket.on('error', (err) => logger.debug({ err }, 'a socket failed during its upgrade'))
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname !== GRAPHQL_PATH) return refuse('404 Not Found', `expected WebSocket at ${GRAPHQL_PATH}`)
    try {
      checkOrigin(request, allowedOrigins)
    } catch (error) {
      return refuse('403 Forbidden', (error as Error).message)
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) =>
      sockets.emit('connection', webSocket, request),
    )
  })

  return {
    get socketCount() {
      return sockets.clients.size
    },
    close: async () => {
      await graphqlWs.dispose()
    },
  }
}
