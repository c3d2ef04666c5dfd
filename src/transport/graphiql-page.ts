import type { IncomingMessage, ServerResponse } from 'node:http'
import { renderGraphiQL } from '@graphql-yoga/render-graphiql'
import { corsHeaders } from './cors.ts'
import { EncodedBytes } from './encoded-bytes.ts'
import { graphiqlExamples } from './graphiql.ts'

/**
 * GraphiQL, a page of 9 MB: made and compressed once, at the first request for it, and sent to everybody from the same
 * bytes, or not at all to a browser that has it already. What waits of it counts as any other response does.
 */
export class GraphiQLPage {
  readonly #hasTokens: boolean
  #page: EncodedBytes | undefined

  /** @param hasTokens whether callers have to show one */
  constructor(hasTokens: boolean) {
    this.#hasTokens = hasTokens
  }

  /** To be called for a GET whose Accept header has `text/html`. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origin } = request.headers
    const page = this.#made()
    const headers = {
      ...(origin === undefined ? {} : corsHeaders(origin)),
      etag: page.etag,
      // It may change with the next version of the server.
      'cache-control': 'no-cache',
      Vary: 'Origin, Accept, Accept-Encoding',
    }
    if (page.isHeldBy(request.headers['if-none-match'])) {
      response.writeHead(304, headers).end()
      return
    }
    const encoded = await page.for(request.headers['accept-encoding'])
    response
      .writeHead(200, {
        ...headers,
        ...encoded.headers,
        'content-type': 'text/html; charset=utf-8',
        'content-length': encoded.bytes.length,
        // In no frame of another page, where its visitor would not know what a click does.
        'content-security-policy': "frame-ancestors 'none'",
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
      })
      .end(encoded.bytes)
  }

  #made(): EncodedBytes {
    if (!this.#page) {
      const options = {
        title: 'Epochcast',
        // Its WebSocket does not carry the headers in which people give their token.
        subscriptionsProtocol: this.#hasTokens ? 'SSE' : 'WS',
        defaultQuery: graphiqlExamples,
      } as const
      this.#page = new EncodedBytes(Buffer.from(renderGraphiQL(options)))
    }
    return this.#page
  }
}
