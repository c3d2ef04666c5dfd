import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Authenticator } from '../auth/authenticator.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import type { Callers } from './callers.ts'
import { corsHeaders } from './cors.ts'
import { refuse, respondJson } from './refusals.ts'

/**
 * `POST /ticket`: for a bearer token, a text that stands for it once, in a URL, within seconds. For EventSource and plain
 * WebSockets, which can set no header: a token in a URL would end up in logs and histories.
 */
export class Tickets {
  readonly #callers: Callers
  readonly #authenticator: Authenticator | null

  constructor(callers: Callers, authenticator: Authenticator | null) {
    this.#callers = callers
    this.#authenticator = authenticator
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    const { origin } = request.headers
    if (request.method === 'OPTIONS') {
      const asked = { 'Access-Control-Allow-Headers': 'authorization, content-type' }
      return void response
        .writeHead(204, origin === undefined ? {} : { ...corsHeaders(origin), ...asked })
        .end()
    }
    if (request.method !== 'POST') {
      const found = `the method is ${quote(request.method ?? '')}`
      return void refuse(
        request,
        response,
        405,
        new EpochcastError('BAD_REQUEST', `${found}; expected POST`),
        {
          allow: 'POST, OPTIONS',
        },
      )
    }
    if (this.#authenticator === null) {
      const message = 'this server has no authentication; expected a connection without a ticket'
      return void refuse(request, response, 404, new EpochcastError('NOT_FOUND', message))
    }
    // Whatever it may carry is of no use.
    request.resume()
    this.#authenticator.issueTicket(this.#callers.of(request)).then(
      (ticket) =>
        respondJson(response, 200, ticket, {
          'cache-control': 'no-store',
          ...(origin === undefined ? {} : corsHeaders(origin)),
        }),
      (error: Error) => response.destroy(error),
    )
  }
}
