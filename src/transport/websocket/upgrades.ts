import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import type { Caller } from '../../repository/access.ts'
import { EpochcastError, quote } from '../../task/errors.ts'
import type { Callers } from '../callers.ts'
import { type Clients, holderOf } from '../clients.ts'
import { httpRefusal } from '../gate.ts'
import { GRAPHQL_PATH } from '../graphql.ts'
import type { OriginRule } from '../origin.ts'
import type { Pipelines } from '../pipelines.ts'
import { endSoon, rawResponse } from '../refusals.ts'
import { pathOf } from '../request-target.ts'
import { STOPPING } from './socket-server.ts'

/** A kind of WebSocket. */
export interface SocketDoor {
  /** Whether it is what stands at a path. */
  accepts(path: string): boolean
  /** Whether who opens one may say later who it is. */
  readonly identifiesLater: boolean
  readonly socketCount: number
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, caller: Caller): void
  close(withinMs?: number): Promise<void>
}

export interface UpgradesOptions {
  readonly clients: Clients
  readonly callers: Callers
  readonly pipelines: Pipelines
  readonly logger: Logger
  readonly origins: OriginRule
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

const UNAVAILABLE = '503 Service Unavailable'
const STATUS = { NOT_FOUND: '404 Not Found', BAD_REQUEST: '400 Bad Request' } as const

/** Lets those in that ask for a WebSocket, each through its door. */
export function serveUpgrades(
  server: Server,
  doors: readonly SocketDoor[],
  { clients, callers, pipelines, logger, origins }: UpgradesOptions,
): WebSocketTransport {
  let isClosing = false
  // Not a closure over the request, which would be kept as long as the socket is.
  const onError = (err: Error) => logger.debug({ err }, 'a socket failed during its upgrade')
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', onError)
    // A response that is under way would be written into the WebSocket.
    pipelines.takeOver(socket, () => {
      clients.turns.take(holderOf(callers.of(request)), () => {
        if (isOpen(socket)) letIn(request, socket, head)
      })
    })
  })
  return {
    get socketCount() {
      return doors.reduce((sum, { socketCount }) => sum + socketCount, 0)
    },
    close: async (withinMs) => {
      isClosing = true
      await Promise.all(doors.map((door) => door.close(withinMs)))
    },
  }

  function letIn(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const stranger = callers.of(request)
    const refuse = (status: string, error: EpochcastError, headers = {}) => {
      clients.refusals.add(error.code, 'websocket', stranger.address)
      endSoon(socket, rawResponse(status, error, headers))
    }
    if (isClosing) return void refuse(UNAVAILABLE, STOPPING)
    let door: SocketDoor
    try {
      door = doorFor(request)
    } catch (error) {
      if (!(error instanceof EpochcastError)) throw error
      return void refuse(STATUS[error.code as keyof typeof STATUS] ?? '403 Forbidden', error)
    }
    try {
      clients.takeSocket(request.socket, stranger)
    } catch (error) {
      return void refuse(UNAVAILABLE, error as EpochcastError)
    }
    const open = (caller: Caller) => door.upgrade(request, socket, head, caller)
    // Most say who they are in connection_init.
    const isLater = door.identifiesLater && !callers.hasCredentials(request)
    if (!callers.areKnownByTokens || isLater) return void open(stranger)
    const refuseCaller = (error: unknown) => {
      const known = knownRefusal(error, logger)
      const [status, headers] = httpRefusal(known)
      refuse(`${status} ${STATUS_CODES[status]}`, known, headers)
    }
    try {
      const caller = callers.identify(request, { mayHaveTicket: true })
      if (!(caller instanceof Promise)) return void open(caller)
      const openInTurn = async (known: Caller) => {
        // All that wait for the keys of a provider are known at once.
        await clients.turns.turn(holderOf(known))
        if (!isOpen(socket)) return
        if (isClosing) refuse(UNAVAILABLE, STOPPING)
        else open(known)
      }
      caller.then(openInTurn).catch(refuseCaller)
    } catch (error) {
      refuseCaller(error)
    }
  }

  /** @throws EpochcastError BAD_REQUEST, NOT_FOUND, ORIGIN_NOT_ALLOWED */
  function doorFor(request: IncomingMessage): SocketDoor {
    const path = pathOf(request, origins)
    const door = doors.find((one) => one.accepts(path))
    if (!door)
      throw new EpochcastError('NOT_FOUND', `${quote(path)} is no WebSocket; expected ${GRAPHQL_PATH}`)
    origins.check(request)
    return door
  }
}

/** False of a connection that has been refused, or is gone by the time it has its turn. */
const isOpen = (socket: Duplex): boolean => !socket.writableEnded && !socket.destroyed

/** Of an upgrade whose caller does not show what it is to show. */
function knownRefusal(error: unknown, logger: Logger): EpochcastError {
  if (error instanceof EpochcastError) return error
  logger.error({ err: error }, 'a token was not checked')
  return new EpochcastError('INTERNAL_SERVER_ERROR', 'something went wrong in the server; its log tells more')
}
