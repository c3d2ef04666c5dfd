import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { renderGraphiQL } from '@graphql-yoga/render-graphiql'
import { corsHeaders } from './cors.ts'
import { graphiqlExamples } from './graphiql.ts'

/** Of the page as it is sent; the first that a browser takes. */
const ENCODINGS = ['br', 'gzip', 'identity'] as const
type Encoding = (typeof ENCODINGS)[number]

/** A third of the bytes of gzip's fastest for a second of work, which is done once. */
const BROTLI_QUALITY = 5

/**
 * GraphiQL, a page of 9 MB: made and compressed once, at the first request for it, and sent to everybody from the same
 * bytes, or not at all to a browser that has it already. What waits of it counts as any other response does.
 */
export class GraphiQLPage {
  readonly #encoded = new Map<Encoding, Promise<Buffer>>()
  readonly #hasTokens: boolean
  #page: { readonly bytes: Buffer; readonly etag: string } | undefined

  /** @param hasTokens whether callers have to show one */
  constructor(hasTokens: boolean) {
    this.#hasTokens = hasTokens
  }

  /** To be called for a GET whose Accept header has `text/html`. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { origin } = request.headers
    const { etag } = this.#made()
    const headers = {
      ...(origin === undefined ? {} : corsHeaders(origin)),
      etag,
      // It may change with the next version of the server.
      'cache-control': 'no-cache',
      Vary: 'Origin, Accept, Accept-Encoding',
    }
    if (hasTag(request.headers['if-none-match'], etag)) {
      response.writeHead(304, headers).end()
      return
    }
    const encoding = encodingFor(request.headers['accept-encoding'])
    const bytes = await this.#encode(encoding)
    response
      .writeHead(200, {
        ...headers,
        ...(encoding === 'identity' ? {} : { 'content-encoding': encoding }),
        'content-type': 'text/html; charset=utf-8',
        'content-length': bytes.length,
        // In no frame of another page, where its visitor would not know what a click does.
        'content-security-policy': "frame-ancestors 'none'",
        'x-frame-options': 'DENY',
        'x-content-type-options': 'nosniff',
      })
      .end(bytes)
  }

  #made() {
    if (!this.#page) {
      const options = {
        title: 'Epochcast',
        // Its WebSocket does not carry the headers in which people give their token.
        subscriptionsProtocol: this.#hasTokens ? 'SSE' : 'WS',
        defaultQuery: graphiqlExamples,
      } as const
      const bytes = Buffer.from(renderGraphiQL(options))
      // Of all encodings alike: hence weak.
      const etag = `W/"${createHash('sha256').update(bytes).digest('base64url')}"`
      this.#page = { bytes, etag }
    }
    return this.#page
  }

  #encode(encoding: Encoding): Promise<Buffer> {
    let encoded = this.#encoded.get(encoding)
    if (!encoded) {
      encoded = ENCODE[encoding](this.#made().bytes)
      encoded.catch(() => this.#encoded.delete(encoding))
      this.#encoded.set(encoding, encoded)
    }
    return encoded
  }
}

/** In threads of Node's, so that nobody waits but who asked. */
const ENCODE: Readonly<Record<Encoding, (bytes: Buffer) => Promise<Buffer>>> = {
  br: (bytes) =>
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
  gzip: (bytes) => promisify(gzip)(bytes),
  identity: async (bytes) => bytes,
}

const hasTag = (header: string | undefined, etag: string): boolean =>
  header !== undefined && (header.trim() === '*' || header.includes(etag.slice(2)))

function encodingFor(header = ''): Encoding {
  const accepted = new Map(
    header.split(',').map((part) => {
      const [name = '', ...params] = part.split(';').map((text) => text.trim().toLowerCase())
      return [name, !params.some((param) => /^q=0(\.0*)?$/.test(param))]
    }),
  )
  return ENCODINGS.find((encoding) => accepted.get(encoding) ?? accepted.get('*')) ?? 'identity'
}
