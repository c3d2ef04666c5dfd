import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { EpochcastError, quote } from '../task/errors.ts'
import { type Clients, holderOf } from './clients.ts'
import type { Pipelines } from './pipelines.ts'
import { endSoon, rawResponse, refuse } from './refusals.ts'

/** What Node says of bytes that it makes no request of. */
type ParserError = Error & { readonly code?: string; readonly reason?: string }

interface UnparsedOptions {
  readonly clients: Clients
  readonly pipelines: Pipelines
  readonly headersMs: number
  readonly requestMs: number
}

/**
 * Refuses in words what Node would refuse with a status alone, before there is a request to serve: headers that are too
 * large or not HTTP, requests whose time is over, expectations, tunnels. A connection on which nothing can be written, or
 * on which a response is under way that this would be taken for, is just ended.
 */
export function refuseUnparsed(server: Server, { clients, pipelines, ...times }: UnparsedOptions): void {
  // The time of very many may be over at once.
  const inTurn = (socket: Socket, run: () => void) =>
    clients.turns.take(holderOf(clients.strangerOf({ socket, headers: {} })), run)
  server.on('clientError', (error: ParserError, socket: Socket) => {
    inTurn(socket, () => {
      // It has been refused, and what else comes is thrown away.
      if (socket.writableEnded) return
      const isOfLast = pipelines.isReceiving(socket) || !pipelines.isResponding(socket)
      if (!socket.writable || error.code === 'ECONNRESET' || !isOfLast) {
        socket.destroy()
        return
      }
      endSoon(socket, rawResponse(...refusalOf(error, times)))
    })
  })
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const { expect } = request.headers
    const found = `the Expect header is ${quote(expect)}`
    const error = new EpochcastError('BAD_REQUEST', `${found}; expected 100-continue, or none`)
    pipelines.run(request, response, () => refuse(request, response, 417, error))
  })
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    const found = `the request is CONNECT ${quote(request.url)}`
    const error = new EpochcastError('BAD_REQUEST', `${found}; this is no proxy. Expected GET or POST`)
    socket.on('error', () => socket.destroy())
    pipelines.takeOver(socket, () =>
      inTurn(socket, () => endSoon(socket, rawResponse('405 Method Not Allowed', error))),
    )
  })
}

function refusalOf(
  { code, reason, message }: ParserError,
  { headersMs, requestMs }: Omit<UnparsedOptions, 'clients' | 'pipelines'>,
): [status: string, error: EpochcastError] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [
        '431 Request Header Fields Too Large',
        new EpochcastError(
          'HEADERS_TOO_LARGE',
          'the request line and headers are over 16 KiB; expected less',
        ),
      ]
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return [
        '413 Payload Too Large',
        new EpochcastError(
          'BODY_TOO_LARGE',
          'the extensions of the chunks of the body are over 16 KiB; expected none',
        ),
      ]
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [
        '408 Request Timeout',
        new EpochcastError(
          'REQUEST_TIMEOUT',
          `the request did not come whole in time; expected its headers within ${headersMs} ms (EPOCHCAST_HEADERS_SECONDS) and all of it within ${requestMs} ms (EPOCHCAST_REQUEST_SECONDS)`,
        ),
      ]
    default:
      return [
        '400 Bad Request',
        new EpochcastError(
          'BAD_REQUEST',
          `what came is not an HTTP request (${reason ?? message}); expected HTTP/1.1`,
        ),
      ]
  }
}
