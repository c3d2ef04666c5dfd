import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { EpochcastError } from '../task/errors.ts'
import { corsHeaders } from './cors.ts'
import type { CountedResponse } from './counted-response.ts'
import { retryAfter } from './retry-after.ts'

export function respondJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body)
  response
    .writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(text),
      ...headers,
    })
    .end(text)
}

/** Refuses a request; a page can read why, unless it is its origin that is refused. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  error: Pick<EpochcastError, 'message' | 'extensions'>,
  headers: Readonly<Record<string, string>> = {},
): void {
  const { message } = error
  // Of a result, a hint for Yoga.
  const { http: _, ...extensions } = error.extensions
  const { refusals, holder } = response as CountedResponse
  refusals.addAll([error], 'http', holder)
  const { origin } = request.headers
  const mayRead = origin !== undefined && extensions.code !== 'ORIGIN_NOT_ALLOWED'
  const cors = mayRead ? corsHeaders(origin) : {}
  // What was not read to its end would be taken for the next request.
  const connection = request.complete ? {} : { connection: 'close' }
  const body = { errors: [{ message, extensions }] }
  respondJson(response, status, body, { ...cors, ...connection, ...retryAfter(error), ...headers })
}

/** For a socket that no response of Node's belongs to. */
export function rawResponse(
  status: string,
  error: EpochcastError,
  headers: Readonly<Record<string, string>> = {},
): string {
  const { message, extensions } = error
  const body = JSON.stringify({ errors: [{ message, extensions }] })
  return [
    `HTTP/1.1 ${status}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...Object.entries({ ...headers, ...retryAfter(error) }).map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}

/** Time for a client to take the last words of a connection and to close its own end. */
const LINGER_MS = 500

/**
 * Says something last and lets go of the connection. A client that keeps its own half open would hold it forever, and
 * one that is cut while it still sends loses what it was told: so it has a moment, in which what it sends is thrown away.
 */
export function endSoon(socket: Duplex, lastWords: string): void {
  socket.end(lastWords)
  const destroy = () => {
    clearTimeout(timer)
    socket.destroy()
  }
  const timer = setTimeout(destroy, LINGER_MS)
  socket.once('end', destroy).once('close', destroy).resume()
}
