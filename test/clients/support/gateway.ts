import { once } from 'node:events'
import { createServer, type RequestListener, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Gateway {
  readonly url: string
  /** Requests that came so far. */
  readonly count: number
  /** What responds instead of the server, from now on; null for the server. */
  behave(listener: RequestListener | null): void
}

/** A way to a server over HTTP that may respond by itself; gone when the test is over. */
export async function startGateway(targetUrl: string): Promise<Gateway> {
  let listener: RequestListener | null = null
  let count = 0
  const pass = passesTo(targetUrl)
  const server = createServer((incoming, response) => {
    count++
    ;(listener ?? pass)(incoming, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    get count() {
      return count
    },
    behave: (next) => {
      listener = next
    },
  }
}

/** What a server responds. */
export const passesTo =
  (url: string): RequestListener =>
  (incoming, response) => {
    const outgoing = request(url, { method: 'POST', headers: incoming.headers }, (reply) => {
      response.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(response)
    })
    outgoing.on('error', () => response.destroy())
    incoming.pipe(outgoing)
  }

/** A response that is always the same. */
export const responds =
  (status: number, body: unknown, headers: Record<string, string> = {}): RequestListener =>
  (incoming, response) => {
    incoming.resume()
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
  }

export const refuses = (code: string, extensions: object = {}, status = 200): RequestListener =>
  responds(status, { errors: [{ message: `${code}!`, extensions: { code, ...extensions } }] })
