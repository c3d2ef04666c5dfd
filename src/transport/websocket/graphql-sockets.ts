import type { GraphQLError } from 'graphql'
import { handleProtocols, makeServer, type Context as SocketContext, type SubscribePayload } from 'graphql-ws'
import type { Logger } from 'pino'
import { SharedSubscription } from '../../execution/fan-out.ts'
import type { Opening } from '../../schema/context.ts'
import { withoutHttpHints } from '../../schema/errors.ts'
import { EpochcastError } from '../../task/errors.ts'
import { LIMITS } from '../../task/limits.ts'
import type { Callers } from '../callers.ts'
import { isGraphQLPath } from '../graphql.ts'
import type { Operation, Operations } from '../operations.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { GraphQLWsOutlet, SubscriberResults } from './graphql-ws-outlet.ts'
import { SocketServer, type SocketServerOptions } from './socket-server.ts'
import type { SocketDoor } from './upgrades.ts'

export interface WebSocketOptions extends Omit<SocketServerOptions, 'handleProtocols'> {
  readonly operations: Operations
  readonly callers: Callers
  readonly logger: Logger
  readonly maxSubscriptionsPerSocket: number
  /** Bytes that may wait in this process for one socket to take the events of trainings. */
  readonly maxBufferedBytes: number
  /** Time for a new socket to send connection_init; it is then closed with 4408. */
  readonly connectionInitMs: number
}

/**
 * graphql-ws on the server's own port and path, subprotocol `graphql-transport-ws`. The library keeps the
 * protocol; here is what lies between it and the sockets, and between it and the operations.
 */
export function graphqlSockets(options: WebSocketOptions): SocketDoor {
  const { operations, clients, callers, logger } = options
  const { maxSubscriptionsPerSocket, maxBufferedBytes } = options
  const translate = (error: unknown) => withoutHttpHints(operations.translate(error))
  const protocol = makeServer<undefined, Connection>({
    // A timer for each of thousands, which it keeps as long as the socket; `Connection` looks at the time instead.
    connectionInitWaitTimeout: 0,
    execute: (args) => operations.execute(args),
    subscribe: async (args) => {
      const results = await operations.subscribe(args)
      if (!(results instanceof SharedSubscription)) return results
      const { connection, id } = args as SocketOperation
      return new SubscriberResults(results.deliverTo(new GraphQLWsOutlet(connection.writer, id)))
    },
    onConnect: (context) => {
      const { connectionParams, extra } = context
      // Nobody else reads them, and they would be kept as long as the socket.
      if (connectionParams) Object.assign(context, { connectionParams: undefined })
      return extra.authenticate(connectionParams)
    },
    // What is thrown here would close the socket and everything else that is on it.
    onSubscribe: (context, id, payload) => {
      try {
        return prepare(operations, context, id, payload, maxSubscriptionsPerSocket)
      } catch (error) {
        return [translate(error)]
      }
    },
    onNext: ({ extra }, _id, _payload, _args, { errors, data }) => {
      if (!errors) return
      clients.refusals.addAll(errors, 'websocket', extra.caller.address)
      return {
        ...(data === undefined ? {} : { data }),
        errors: errors.map((error) => withoutHttpHints(error).toJSON()),
      }
    },
    onError: ({ extra }, _id, _payload, errors) => {
      const translated = errors.map((error) => translate(error))
      clients.refusals.addAll(translated, 'websocket', extra.caller.address)
      return translated.map((error) => error.toJSON())
    },
  })

  const { maxMessageBytes, connectionInitMs } = options
  const connection: ConnectionOptions = {
    ...{ protocol, logger, clients, callers, maxMessageBytes, maxBufferedBytes, connectionInitMs, translate },
  }
  const sockets = new SocketServer<Connection>({ ...options, handleProtocols }, (upgraded) => {
    new Connection(upgraded, connection)
  })
  return {
    accepts: isGraphQLPath,
    identifiesLater: true,
    get socketCount() {
      return sockets.count
    },
    upgrade: (...upgrade) => sockets.upgrade(...upgrade),
    close: (withinMs) => sockets.close(withinMs),
  }
}

/** An operation and where its results go. */
interface SocketOperation extends Operation {
  connection: Connection
  id: string
}

/** The opening of an operation on a socket. */
class SocketOpening implements Opening {
  readonly #socket: SocketContext<undefined, Connection>
  readonly #id: string

  constructor(socket: SocketContext<undefined, Connection>, id: string) {
    this.#socket = socket
    this.#id = id
  }

  /** graphql-ws forgets what its client completes, and everything once the socket is closed. */
  get isLeft(): boolean {
    return !(this.#id in this.#socket.subscriptions)
  }
}

/** @throws EpochcastError TOO_MANY_SUBSCRIPTIONS, BAD_REQUEST, RATE_LIMITED, OVERLOADED */
function prepare(
  operations: Operations,
  socket: SocketContext<undefined, Connection>,
  id: string,
  payload: SubscribePayload,
  maxOperations: number,
): SocketOperation | readonly GraphQLError[] {
  const { subscriptions, extra: connection } = socket
  connection.checkOperation()
  // The one that is asked for is among them already.
  const open = Object.keys(subscriptions).length
  if (open > maxOperations) {
    throw new EpochcastError(
      'TOO_MANY_SUBSCRIPTIONS',
      `the socket has ${open - 1} operations under way; expected at most ${maxOperations} (EPOCHCAST_MAX_SUBSCRIPTIONS_PER_SOCKET)`,
    )
  }
  if (id.length > LIMITS.operationIdLength) {
    throw new EpochcastError(
      'BAD_REQUEST',
      `the operation's id has ${id.length} characters; expected at most ${LIMITS.operationIdLength}`,
    )
  }
  const operation = operations.prepare(payload, connection.caller, new SocketOpening(socket, id))
  if (!('document' in operation)) return operation
  // graphql-ws keeps the message as long as the subscription lasts: let it be the text that all share, and no more.
  const kept: { -readonly [Key in keyof SubscribePayload]: SubscribePayload[Key] } = payload
  kept.query = operation.text
  kept.variables = null
  kept.extensions = null
  // Into the operation, which is of this call alone: a spread with further properties costs ten times as much.
  const own = operation as SocketOperation
  own.connection = connection
  own.id = id
  return own
}
