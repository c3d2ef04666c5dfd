import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { authorize } from '../repository/access.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import type { Callers } from './callers.ts'
import { type Clients, holderOf } from './clients.ts'
import { type CountedResponse, countedResponses } from './counted-response.ts'
import type { DashboardFiles } from './dashboard/dashboard-files.ts'
import { asksForPage, Gate } from './gate.ts'
import { GRAPHQL_PATH, isGraphQLPath, type Yoga } from './graphql.ts'
import { JsonPost, type Traced } from './json-post.ts'
import type { OpenResponses } from './open-responses.ts'
import type { Operations } from './operations.ts'
import type { OriginRule } from './origin.ts'
import type { Pipelines } from './pipelines.ts'
import { KubeflowStatus, type KubeflowStatusOptions } from './plain/kubeflow-status.ts'
import type { PlainEvents } from './plain/plain-events.ts'
import { refuse, respondJson } from './refusals.ts'
import { pathOf } from './request-target.ts'
import type { StreamRequests } from './streams/stream-requests.ts'
import type { Tickets } from './tickets.ts'
import type { TlsFiles } from './tls-files.ts'
import { refuseUnparsed } from './unparsed-requests.ts'

export interface HttpOptions {
  readonly yoga: Yoga
  readonly operations: Operations
  readonly clients: Clients
  readonly callers: Callers
  readonly streams: StreamRequests
  readonly tickets: Tickets
  readonly plainEvents: PlainEvents
  readonly totalOf: KubeflowStatusOptions['totalOf']
  readonly responses: OpenResponses
  readonly pipelines: Pipelines
  readonly maxBodyBytes: number
  /** Whether a browser that comes by GET gets GraphiQL. */
  readonly graphiql: boolean
  readonly dashboard: DashboardFiles
  readonly origins: OriginRule
  /** How long a connection may be idle. */
  readonly keepAliveMs: number
  /** Whether the server can do its work: its engine responds and it is not stopping. */
  readonly isReady: () => Promise<boolean>
  /** Runs a mutation as part of its caller's trace; null where there is no tracing. */
  readonly traced: Traced | null
  /** Certificate and key, where it is over TLS. */
  readonly tls: TlsFiles | null
  /** Responds to `/metrics`; null where there is nothing. */
  readonly metrics: MetricsDoor | null
}

export interface MetricsDoor {
  /** Whether who asks may read them, where callers are not known by tokens. */
  mayRead(request: IncomingMessage): boolean
  respond(response: ServerResponse): void
}

/** Where a path begins that is served, beside GraphQL's, to callers that may come in. */
export const GUARDED_PATHS = ['ticket', 'events', 'history', 'kubeflow'] as const
/** Of links to tasks (`createViewLink`): a browser gets the dashboard. */
const TASK_PAGES = '/tasks/'
/** How often Node looks for requests whose time is over. */
const CHECK_MS = 1000

/**
 * The HTTP side of the server: GraphQL (and GraphiQL) at `/graphql`, `/events` and `/history` without GraphQL, `/ticket` for who
 * can send no token; `/health`, `/ready` and `/metrics` for operations.
 */
export function createHttpServer({
  isReady,
  origins,
  keepAliveMs,
  responses,
  pipelines,
  metrics,
  tls,
  ...graphql
}: HttpOptions): Server {
  const { clients, callers, graphiql, dashboard, operations, tickets, plainEvents } = graphql
  const jsonPost = new JsonPost(graphql)
  const gate = new Gate({ callers, translate: (error) => operations.translate(error) })
  const doors = {
    ticket: tickets,
    events: { serve: (...call) => plainEvents.serveEvents(...call) },
    history: { serve: (...call) => plainEvents.serveHistory(...call) },
    kubeflow: new KubeflowStatus(graphql),
  } satisfies Record<(typeof GUARDED_PATHS)[number], Door>
  const options = {
    ServerResponse: countedResponses(clients.waiting, clients.refusals),
    keepAliveTimeout: keepAliveMs,
    headersTimeout: clients.limits.headersMs,
    requestTimeout: clients.limits.requestMs,
    connectionsCheckingInterval: CHECK_MS,
    // Refused by `pathOf`, in words.
    requireHostHeader: false,
  }
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    // Of a connection that has been refused, or is gone: its responses would not be closed by it any more.
    if (request.socket.writableEnded || request.socket.destroyed) return
    responses.add(response)
    ;(response as CountedResponse).holder = holderOf(clients.strangerOf(request))
    pipelines.run(request, response, () => serve(request, response))
  }
  const server = tls
    ? createTlsServer({ ...options, ...tls, handshakeTimeout: clients.limits.headersMs }, listener)
    : createServer(options, listener)
  clients.watch(server)
  const { headersMs, requestMs } = clients.limits
  refuseUnparsed(server, { clients, pipelines, headersMs, requestMs })
  return server

  function serve(request: IncomingMessage, response: ServerResponse) {
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
    }
    // Before it is asked where the request comes from: a link in an e-mail leads here, too, and there is no data in it.
    const page = dashboard.find(path, request)
    const { holder } = response as CountedResponse
    if (page) {
      if (clients.waiting.isOver(holder))
        return refuse(request, response, 503, clients.waiting.refusal(holder))
      return clients.turns.take(holder, () => page.serve(request, response))
    }
    if (path === '/' || path.startsWith(TASK_PAGES)) {
      response.writeHead(302, { location: GRAPHQL_PATH }).end()
      return
    }
    try {
      origins.check(request)
    } catch (error) {
      return refuseBefore(request, response, error as EpochcastError)
    }
    if (path === '/metrics' && metrics)
      return gate.pass(request, response, () => serveMetrics(request, response, metrics))
    const door = doorAt(path)
    if (door === null)
      return clients.turns.take(holder, () => refuse(request, response, 404, nothingAt(path)))
    if (clients.waiting.isOver(holder)) return refuse(request, response, 503, clients.waiting.refusal(holder))
    // In the page people say who they are.
    if (door === jsonPost && graphiql && asksForPage(request)) return door.serve(request, response)
    gate.pass(request, response, () => door.serve(request, response))
  }

  function refuseBefore(request: IncomingMessage, response: ServerResponse, error: EpochcastError) {
    const status = error.code === 'ORIGIN_NOT_ALLOWED' ? 403 : 400
    clients.turns.take((response as CountedResponse).holder, () => refuse(request, response, status, error))
  }

  function serveMetrics(request: IncomingMessage, response: ServerResponse, metrics: MetricsDoor) {
    try {
      if (callers.areKnownByTokens) authorize(callers.of(request), 'server:metrics')
      else if (!metrics.mayRead(request)) throw METRICS_ELSEWHERE
    } catch (error) {
      return refuse(request, response, 403, error as EpochcastError)
    }
    metrics.respond(response)
  }

  function doorAt(path: string): Door | null {
    if (isGraphQLPath(path)) return jsonPost
    const [, first = ''] = path.split('/', 2)
    return Object.hasOwn(doors, first) ? (doors[first as keyof typeof doors] as Door) : null
  }
}

interface Door {
  serve(request: IncomingMessage, response: ServerResponse): void
}

const METRICS_ELSEWHERE = new EpochcastError(
  'FORBIDDEN',
  'the metrics are not for everybody who reaches this port; expected EPOCHCAST_METRICS_PORT to give them one of their own',
)

const nothingAt = (path: string): EpochcastError =>
  new EpochcastError('NOT_FOUND', `there is nothing at ${quote(path)}; GraphQL is at ${GRAPHQL_PATH}`)

/**
 * Connections that may wait to be accepted; the system bounds it further. With Node's 511, of thousands that come
 * back at once many would be dropped, and try again after seconds.
 */
const BACKLOG = 4096

/** The endpoint as this machine reaches it, its trainers among it. */
export function endpointOf(host: string, port: number, protocol: 'http' | 'https' = 'http'): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `${protocol}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}${GRAPHQL_PATH}`
}

/** @throws the error of listen, such as EADDRINUSE */
export function listen(
  http: Server,
  { port, host }: { readonly port: number; readonly host: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', reject)
    http.listen({ port, host, backlog: BACKLOG }, () => {
      http.off('error', reject)
      resolve()
    })
  })
}
