import type { IncomingMessage, ServerResponse } from 'node:http'
import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import { renderGraphiQL } from '@graphql-yoga/render-graphiql'
import type { Clients } from './clients.ts'
import { corsHeaders } from './cors.ts'
import type { CountedResponse } from './counted-response.ts'
import { EncodedBytes } from './encoded-bytes.ts'
import { graphiqlExamples } from './graphiql.ts'

/** Characters of the page that become bytes in one turn of the event loop. */
const PIECE_LENGTH = 1024 * 1024
/** Bytes of it that are written in one turn: the system copies them. */
const PIECE_BYTES = 256 * 1024

/**
 * GraphiQL, a page of 9 MB: made and compressed once, at the first request for it, and sent to everybody from the same
 * bytes, or not at all to a browser that has it already. What waits of it counts as any other response does.
 */
export class GraphiQLPage {
  readonly #hasTokens: boolean
  readonly #clients: Clients
  #page: Promise<EncodedBytes> | undefined

  /** @param hasTokens whether callers have to show one */
  constructor(hasTokens: boolean, clients: Clients) {
    this.#hasTokens = hasTokens
    this.#clients = clients
  }

  /** To be called for a GET whose Accept header has `text/html`. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origin } = request.headers
    const page = await this.#made()
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
    response.writeHead(200, {
      ...headers,
      ...encoded.headers,
      'content-type': 'text/html; charset=utf-8',
      'content-length': encoded.bytes.length,
      // In no frame of another page, where its visitor would not know what a click does.
      'content-security-policy': "frame-ancestors 'none'",
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
    })
    await this.#send(response, encoded.bytes)
  }

  /** Everybody who waited for it would be sent its megabytes at once. */
  async #send(response: ServerResponse, bytes: Buffer): Promise<void> {
    const { holder } = response as CountedResponse
    for (let start = 0; start < bytes.length && !response.destroyed; start += PIECE_BYTES) {
      await this.#clients.turns.turn(holder)
      if (!response.write(bytes.subarray(start, start + PIECE_BYTES))) await drained(response)
    }
    response.end()
  }

  #made(): Promise<EncodedBytes> {
    if (!this.#page) {
      this.#page = this.#make()
      this.#page.catch(() => {
        this.#page = undefined
      })
    }
    return this.#page
  }

  /** In pieces: all at once would take 60 ms. */
  async #make(): Promise<EncodedBytes> {
    const text = renderGraphiQL({
      title: 'Epochcast',
      // Its WebSocket does not carry the headers in which people give their token.
      subscriptionsProtocol: this.#hasTokens ? 'SSE' : 'WS',
      defaultQuery: graphiqlExamples,
    })
    const pieces: Buffer[] = []
    for (let start = 0; start < text.length; ) {
      await eventLoopTurn()
      const end = endOfPiece(text, start)
      pieces.push(Buffer.from(text.slice(start, end)))
      start = end
    }
    await eventLoopTurn()
    return new EncodedBytes(Buffer.concat(pieces))
  }
}

/** Also where the client has left. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) return resolve()
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

/** Not between the two halves of a character. */
function endOfPiece(text: string, start: number): number {
  const end = start + PIECE_LENGTH
  const isHigh = /[\uD800-\uDBFF]/.test(text.charAt(end - 1))
  return isHigh ? end + 1 : end
}
