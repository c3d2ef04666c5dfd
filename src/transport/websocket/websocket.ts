import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { GraphQLError } from 'graphql'
import { handleProtocols, makeServer, type Context as SocketContext, type SubscribePayload } from 'graphql-ws'
import type { Logger } from 'pino'
import { WebSocketServer } from 'ws'
import { Turns } from '../../delivery/turns.ts'
import { SharedSubscription } from '../../execution/fan-out.ts'
import type { Caller } from '../../repository/access.ts'
import type { Opening } from '../../schema/context.ts'
import { withoutHttpHints } from '../../schema/errors.ts'
import { EpochcastError, quote } from '../../task/errors.ts'
import { LIMITS } from '../../task/limits.ts'
import type { Callers } from '../callers.ts'
import type { Clients } from '../clients.ts'
import { httpRefusal } from '../gate.ts'
import { GRAPHQL_PATH, isGraphQLPath } from '../graphql.ts'
import type { Operation, Operations } from '../operations.ts'
import type { OriginRule } from '../origin.ts'
import { endSoon, rawResponse } from '../refusals.ts'
import { pathOf } from '../request-target.ts'
import { spread } from '../spread.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import { GraphQLWsOutlet, SubscriberResults } from './graphql-ws-outlet.ts'
import { Peer } from './peer.ts'

export interface WebSocketOptions {
  readonly operations: Operations
  readonly clients: Clients
  readonly callers: Callers
  readonly logger: Logger
  readonly origins: OriginRule
  /** Largest message of a client, in bytes. */
  readonly maxMessageBytes: number
  readonly maxSubscriptionsPerSocket: number
  /** Bytes that may wait in this process for one socket to take the events of trainings. */
  readonly maxBufferedBytes: number
  /** Whether messages are compressed for clients that offer it. */
  readonly compression: boolean
  /** Time between pings; a socket that then stands still is ended. */
  readonly keepAliveMs: number
  /** Time for a new socket to send connection_init; it is then closed with 4408. */
  readonly connectionInitMs: number
}

export interface WebSocketTransport {
  readonly socketCount: number
  /**
   * Closes every socket with 1001, on which clients come back and resume, spread over a time, and takes no more.
   *
   * @param withinMs for those that are open; the last ones then have a moment to confirm it
   */
  close(withinMs?: number): Promise<void>
}

/** Sockets opened in one round of the event loop. */
const UPGRADES_PER_ROUND = 8
/** Parts of the time between pings, in each of which a part of the sockets is pinged. */
const KEEP_ALIVE_SLICES = 50
/** Time for a client to confirm a close before its socket is cut, and when the server stops. */
const CLOSE_TIMEOUT_MS = 5000
const STOP_TIMEOUT_MS = 2000
/** Of the close codes that are not fatal to graphql-ws clients, the one for a server that goes down. */
const GOING_AWAY = 1001
const STOPPING = new EpochcastError('SHUTTING_DOWN', 'the server is stopping')
/** Frames and pieces of them in which one message may come. */
const MAX_FRAGMENTS = 256
const MAX_PIECES = 4096

/**
 * graphql-ws on the server's own port and path, subprotocol `graphql-transport-ws`. The library keeps the
 * protocol; here is what lies between it and the sockets, and between it and the operations.
 */
export function serveWebSocket(server: Server, options: WebSocketOptions): WebSocketTransport {
  const { operations, clients, callers, logger, origins } = options
  const { maxSubscriptionsPerSocket, maxBufferedBytes } = options
  const translate = (error: unknown) => withoutHttpHints(operations.translate(error))
  const protocol = makeServer<undefined, Connection>({
    connectionInitWaitTimeout: options.connectionInitMs,
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
      Object.assign(context, { connectionParams: undefined })
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

  // Not among the library's types yet.
  const closing: object = { closeTimeout: CLOSE_TIMEOUT_MS }
  const sockets = new WebSocketServer<typeof Peer<Connection>>({
    noServer: true,
    WebSocket: Peer,
    maxPayload: options.maxMessageBytes,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_PIECES,
    ...closing,
    perMessageDeflate: options.compression,
    handleProtocols,
  })
  const upgrades = new Turns(UPGRADES_PER_ROUND)
  const { maxMessageBytes } = options
  const connection: ConnectionOptions = {
    protocol,
    logger,
    clients,
    callers,
    maxMessageBytes,
    maxBufferedBytes,
    translate,
  }
  clients.everySweep(() => {
    const now = performance.now()
    const date = Date.now()
    for (const { connection } of sockets.clients) connection?.checkTimes(now, date)
  })

  // Each of them once in the time, but never all at once: thousands of pings and pongs would hold up events.
  let slice = 0
  const keepAlive = setInterval(() => {
    slice = (slice + 1) % KEEP_ALIVE_SLICES
    for (const { connection } of sockets.clients) if (connection?.slice === slice) connection.probe()
  }, options.keepAliveMs / KEEP_ALIVE_SLICES)
  let newest = 0
  let isClosing = false

  // Not a closure over the request, which would be kept as long as the socket is.
  const onError = (err: Error) => logger.debug({ err }, 'a socket failed during its upgrade')
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', onError)
    // Of a connection that has been refused.
    if (socket.writableEnded) return
    const stranger = callers.of(request)
    const refuse = (status: string, error: EpochcastError, headers = {}) => {
      clients.refusals.add(error.code, 'websocket', stranger.address)
      endSoon(socket, rawResponse(status, error, headers))
    }
    if (isClosing) return refuse(UNAVAILABLE, STOPPING)
    const refusal = refusalOf(request, origins)
    if (refusal) return refuse(...refusal)
    try {
      socket.once('close', clients.takeSocket(request, stranger))
    } catch (error) {
      return refuse(UNAVAILABLE, error as EpochcastError)
    }
    const open = (caller: Caller) =>
      upgrades.take(() =>
        sockets.handleUpgrade(request, socket, head, (peer) => {
          newest = (newest + 1) % KEEP_ALIVE_SLICES
          new Connection(peer, socket, newest, connection, caller)
        }),
      )
    // Most say who they are in connection_init.
    if (!callers.areKnownByTokens || !callers.hasCredentials(request)) return open(stranger)
    const refuseCaller = (error: unknown) => {
      const known = knownRefusal(error, logger)
      const [status, headers] = httpRefusal(known)
      refuse(`${status} ${STATUS_CODES[status]}`, known, headers)
    }
    try {
      const caller = callers.identify(request, { mayHaveTicket: true })
      if (caller instanceof Promise) caller.then(open).catch(refuseCaller)
      else open(caller)
    } catch (error) {
      refuseCaller(error)
    }
  })

  // No WebSocket after all; the library would say so in HTML.
  sockets.on('wsClientError', ({ message }, socket) =>
    endSoon(socket, rawResponse('400 Bad Request', new EpochcastError('BAD_REQUEST', message))),
  )

  return {
    get socketCount() {
      return sockets.clients.size
    },
    close: async (withinMs = 0) => {
      isClosing = true
      await spread([...sockets.clients], withinMs, (socket) => socket.close(GOING_AWAY, STOPPING.message))
      clearInterval(keepAlive)
      const cut = setTimeout(() => {
        for (const socket of sockets.clients) socket.terminate()
      }, STOP_TIMEOUT_MS)
      // Those whose upgrade was under way, too.
      for (const socket of sockets.clients) socket.close(GOING_AWAY, STOPPING.message)
      await new Promise((resolve) => sockets.close(resolve))
      clearTimeout(cut)
    },
  }
}

/** An operation and where its results go. */
interface SocketOperation extends Operation {
  readonly connection: Connection
  readonly id: string
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
  // graphql-ws keeps the message as long as the subscription lasts: let it be the text that all share, and no more.
  if ('document' in operation)
    Object.assign(payload, { query: operation.text, variables: null, extensions: null })
  // Into the operation, which is of this call alone: a spread with further properties costs ten times as much.
  return 'document' in operation ? Object.assign(operation, { connection, id }) : operation
}

/** Of an upgrade whose caller does not show what it is to show. */
function knownRefusal(error: unknown, logger: Logger): EpochcastError {
  if (error instanceof EpochcastError) return error
  logger.error({ err: error }, 'a token was not checked')
  return new EpochcastError('INTERNAL_SERVER_ERROR', 'something went wrong in the server; its log tells more')
}

const UNAVAILABLE = '503 Service Unavailable'
const STATUS = { NOT_FOUND: '404 Not Found', BAD_REQUEST: '400 Bad Request' } as const

/** Status and error of an upgrade that is refused; null where it is welcome. */
function refusalOf(request: IncomingMessage, origins: OriginRule): [string, EpochcastError] | null {
  try {
    const path = pathOf(request, origins)
    if (!isGraphQLPath(path))
      throw new EpochcastError('NOT_FOUND', `${quote(path)} is no WebSocket; expected ${GRAPHQL_PATH}`)
    origins.check(request)
    return null
  } catch (error) {
    if (!(error instanceof EpochcastError)) throw error
    return [STATUS[error.code as keyof typeof STATUS] ?? '403 Forbidden', error]
  }
}
