import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join } from 'node:path'
import { EncodedBytes } from '../encoded-bytes.ts'
import { pageHeaders } from './page-headers.ts'

/** Where `npm run build` puts them; beside the built server, or from the sources of it. */
const FOLDERS = ['../../../dashboard', '../../../dist/dashboard'].map((path) =>
  join(import.meta.dirname, path),
)

const INDEX = '/index.html'
const ASSETS = '/assets/'

/** The addresses that the page itself knows what to show for. */
const ROUTES = [
  /^\/$/,
  /^\/(?:start|compare)$/,
  /^\/tasks\/[^/]+\/[^/]+$/,
  /^\/embed\/task\/[^/]+(?:\/[^/]+)?$/,
]
const EMBEDDED = /^\/embed\//

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/**
 * The dashboard: files for everybody, without a token, as there is no data in them. They are read once, by their names in the folder,
 * so a path can only ever name one of them.
 */
export class DashboardFiles {
  readonly #folder: string | null
  #files: ReadonlyMap<string, DashboardFile> | undefined

  /** @param folder with index.html and assets/; by default the one of the build, without which there is no dashboard */
  constructor(
    folder: string | null = FOLDERS.find((folder) => existsSync(join(folder, 'index.html'))) ?? null,
  ) {
    this.#folder = folder
  }

  /** What a request gets: a browser at one of the page's addresses, or anybody one of its files; null for all others. */
  find(path: string, { method, headers }: IncomingMessage): DashboardFile | null {
    if (this.#folder === null || !(method === 'GET' || method === 'HEAD')) return null
    const isRoute = ROUTES.some((route) => route.test(path))
    // Programs were sent to the endpoint from some of these addresses, and still are.
    if (isRoute && !headers.accept?.includes('text/html')) return null
    const files = this.#read(this.#folder)
    if (!isRoute) return path === INDEX ? null : (files.get(path) ?? null)
    return files.get(INDEX)?.with(pageHeaders(headers.host, EMBEDDED.test(path))) ?? null
  }

  #read(folder: string): ReadonlyMap<string, DashboardFile> {
    this.#files ??= new Map(
      readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
        const type = TYPES[extname(entry.name)]
        if (!entry.isFile() || type === undefined) return []
        const path = join(entry.parentPath, entry.name)
        const name = path.slice(folder.length).replaceAll('\\', '/')
        const headers = {
          'content-type': type,
          Vary: 'Accept, Accept-Encoding',
          'x-content-type-options': 'nosniff',
          // The name of an asset has a hash of what is in it.
          'cache-control': name.startsWith(ASSETS) ? 'public, max-age=31536000, immutable' : 'no-cache',
        }
        return [[name, new DashboardFile(new EncodedBytes(readFileSync(path)), headers)]]
      }),
    )
    return this.#files
  }
}

class DashboardFile {
  readonly #bytes: EncodedBytes
  readonly #headers: Readonly<Record<string, string>>

  constructor(bytes: EncodedBytes, headers: Readonly<Record<string, string>>) {
    this.#bytes = bytes
    this.#headers = headers
  }

  /** The same file with further headers. */
  with(more: Readonly<Record<string, string>>): DashboardFile {
    return new DashboardFile(this.#bytes, { ...this.#headers, ...more })
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    void this.#send(request, response).catch(() => response.destroy())
  }

  async #send({ headers: asked }: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers = { etag: this.#bytes.etag, ...this.#headers }
    if (this.#bytes.isHeldBy(asked['if-none-match'])) {
      response.writeHead(304, headers).end()
      return
    }
    const { bytes, headers: encoding } = await this.#bytes.for(asked['accept-encoding'])
    // Of a HEAD request, Node sends no body.
    response.writeHead(200, { ...headers, ...encoding, 'content-length': bytes.length }).end(bytes)
  }
}
