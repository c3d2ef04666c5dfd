import type { IncomingMessage, ServerResponse } from 'node:http'
import type { EpochcastError } from '../task/errors.ts'
import { corsHeaders } from './graphql.ts'

export function respondJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
    .end(JSON.stringify(body))
}

/** Refuses a request; a page can read why, unless it is its origin that is refused. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  { message, extensions }: Pick<EpochcastError, 'message' | 'extensions'>,
  headers: Readonly<Record<string, string>> = {},
): void {
  const { origin } = request.headers
  const mayRead = origin !== undefined && extensions.code !== 'ORIGIN_NOT_ALLOWED'
  const cors = mayRead ? corsHeaders(origin) : {}
  // What was not read to its end would be taken for the next request.
  const connection = request.complete ? {} : { connection: 'close' }
  respondJson(response, status, { errors: [{ message, extensions }] }, { ...cors, ...connection, ...headers })
}
