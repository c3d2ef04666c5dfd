import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { EpochcastError, quote } from '../task/errors.ts'
import { GRAPHQL_PATH, isGraphQLPath, type Yoga } from './graphql.ts'
import { JsonPost } from './json-post.ts'
import type { Operations } from './operations.ts'
import type { OriginRule } from './origin.ts'
import { refuse, respondJson } from './refusals.ts'
import { pathOf } from './request-target.ts'

export interface HttpOptions {
  readonly yoga: Yoga
  readonly operations: Operations
  readonly maxBodyBytes: number
  /** Whether a browser that comes by GET gets GraphiQL. */
  readonly graphiql: boolean
  readonly origins: OriginRule
  /** How long a connection may be idle. */
  readonly keepAliveMs: number
  /** Whether the server can do its work: its engine responds and it is not stopping. */
  readonly isReady: () => Promise<boolean>
}

/** Time for the headers of a request. */
const HEADERS_MS = 60_000

/** The HTTP side of the server: GraphQL (and GraphiQL) at `/graphql`, `/health` and `/ready` for operations. */
export function createHttpServer({ isReady, origins, keepAliveMs, ...graphql }: HttpOptions): Server {
  const jsonPost = new JsonPost(graphql)
  // The time for a request's headers counts from the end of the one before on some versions of Node.
  const timeouts = { keepAliveTimeout: keepAliveMs, headersTimeout: keepAliveMs + HEADERS_MS }
  return createServer(timeouts, (request, response) => {
    let path: string
    try {
      path = pathOf(request, origins)
    } catch (error) {
      return refuseBefore(request, response, error as EpochcastError)
    }
    switch (path) {
      // A probe may call the server by any name; there is nothing to learn here.
      case '/health':
        return respondJson(response, 200, { status: 'alive' })
      case '/ready':
        return void isReady().then(
          (ready) => respondJson(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready' }),
          () => respondJson(response, 503, { status: 'not ready' }),
        )
      case '/':
        response.writeHead(302, { location: GRAPHQL_PATH }).end()
        return
    }
    try {
      origins.check(request)
    } catch (error) {
      return refuseBefore(request, response, error as EpochcastError)
    }
    if (isGraphQLPath(path)) jsonPost.serve(request, response)
    else refuse(request, response, 404, nothingAt(path))
  })
}

const nothingAt = (path: string): EpochcastError =>
  new EpochcastError('NOT_FOUND', `there is nothing at ${quote(path)}; GraphQL is at ${GRAPHQL_PATH}`)

function refuseBefore(request: IncomingMessage, response: ServerResponse, error: EpochcastError): void {
  refuse(request, response, error.code === 'ORIGIN_NOT_ALLOWED' ? 403 : 400, error)
}

/** Counts the bytes that wait in this process for slow readers, of HTTP and WebSocket alike. */
export function trackBufferedBytes(server: Server): () => number {
  const sockets = new Set<Socket>()
  // One function for all of them: a closure each would be kept as long as its socket.
  function forget(this: Socket) {
    sockets.delete(this)
  }
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', forget)
  })
  return () => {
    let bytes = 0
    for (const socket of sockets) bytes += socket.writableLength
    return bytes
  }
}
