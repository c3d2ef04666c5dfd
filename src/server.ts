import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { Authenticator } from './auth/authenticator.ts'
import { openKeys } from './auth/open-keys.ts'
import type { Config } from './config.ts'
import { Trainers } from './dispatch/trainers.ts'
import { EventLoopWatch } from './event-loop-watch.ts'
import { TrustedDocuments } from './execution/trusted-documents.ts'
import type { Gauges } from './gauges.ts'
import { isLoopback } from './loopback.ts'
import { Metrics } from './metrics/metrics.ts'
import { MetricsDoors } from './metrics/metrics-doors.ts'
import { openServices } from './open-services.ts'
import { openStore } from './open-store.ts'
import { ANYONE, NOBODY } from './repository/access.ts'
import { findForCaller } from './repository/find-for-caller.ts'
import type { Context } from './schema/context.ts'
import { withoutHttpHints } from './schema/errors.ts'
import { schema } from './schema/index.ts'
import { stopServer } from './stop-server.ts'
import { EpochcastError } from './task/errors.ts'
import { reloadTls, tlsFilesOf } from './tls.ts'
import { tracingOf } from './trace.ts'
import { Callers } from './transport/callers.ts'
import { Clients } from './transport/clients.ts'
import { DashboardFiles } from './transport/dashboard/dashboard-files.ts'
import { createGraphQL } from './transport/graphql.ts'
import { createHttpServer, endpointOf, listen } from './transport/http.ts'
import { OpenResponses } from './transport/open-responses.ts'
import { Operations } from './transport/operations.ts'
import { OriginRule } from './transport/origin.ts'
import { Pipelines } from './transport/pipelines.ts'
import { PlainEvents } from './transport/plain/plain-events.ts'
import { plainSockets } from './transport/plain/plain-sockets.ts'
import { relaySockets } from './transport/plain/relay-sockets.ts'
import { ResponseStreams } from './transport/streams/response-streams.ts'
import { StreamRequests } from './transport/streams/stream-requests.ts'
import { Tickets } from './transport/tickets.ts'
import { graphqlSockets } from './transport/websocket/graphql-sockets.ts'
import { serveUpgrades } from './transport/websocket/upgrades.ts'
import { VERSION } from './version.ts'

export interface EpochcastServer {
  /** The GraphQL endpoint. */
  readonly url: string
  /** Where the metrics are on a port of their own; null where they have none. */
  readonly metricsUrl: string | null
  /** What is open at present; all zero (or one, where it is always so) once everyone has left. */
  gauges(): Gauges
  /**
   * Is no longer ready; after a delay ends trainers, closes the port, then sockets and event streams, spread over a time; waits
   * for requests under way, and releases everything.
   */
  close(): Promise<void>
}

/**
 * The only place where parts are chosen and put together.
 *
 * @throws ConfigError; and the error of listen, such as EADDRINUSE
 */
export async function startServer(config: Config, logger: Logger): Promise<EpochcastServer> {
  const tls = tlsFilesOf(config)
  const tracing = await tracingOf(config)
  const trainers = Trainers.load(config.trainersFile, config.channelPrefixes)
  const { trustedDocumentsFile } = config
  const trustedDocuments = trustedDocumentsFile ? TrustedDocuments.load(trustedDocumentsFile, schema) : null
  // It sends whatever is typed into it.
  const graphiql = trustedDocuments === null
  const onError = (err: unknown) => {
    // That the engine is away has been told; what failed by it is tried again.
    if (isOutOfReach(err)) logger.debug({ err }, 'something has to wait for the engine')
    else logger.error({ err }, 'something failed in the background')
  }
  const { auth } = config
  const keys = auth && openKeys(auth.keys, logger)
  const store = await openStore(config, logger, onError)
  const authenticator = auth && keys ? new Authenticator(keys, store, auth) : null
  const stranger = authenticator ? NOBODY : ANYONE

  const opened = await openServices(config, {
    ...{ store, authenticator, trainers, logger, onError, tracing },
    url: () => url,
  })
  const { services, writer, feeds, updates, catalog, dispatch, liveness, local, bridge, mirror, adoption } =
    opened

  let stopping = false
  const origins = new OriginRule(config.allowedOrigins, config.host, {
    servesPages: graphiql,
    ownUrls: [config.publicUrl, config.operation.reportUrl].flatMap((url) => url ?? []),
  })
  const clients = new Clients(config.clients, { ...config, stranger }, logger)
  const callers = new Callers(clients, authenticator)
  const responses = new OpenResponses()
  const eventLoop = new EventLoopWatch(logger)
  const context: Context = {
    caller: stranger,
    audience: 'everybody',
    services,
  }
  const operations = new Operations({
    schema,
    context,
    openSubscriptions: clients.subscriptions,
    trustedDocuments,
    introspection: config.introspection,
    addressShare: config.clients.addressShare,
    admit: (operation) => clients.admit(operation),
    refuseAnswer: (operation) => clients.refuseAnswer(operation),
    onBegin: (operation) => eventLoop.began(operation),
    onUnexpected: (err) => logger.error({ err }, 'an operation failed unexpectedly'),
  })
  const yoga = createGraphQL({
    context,
    callerOf: (request) => callers.of(request),
    operations,
    origins,
    maxBodyBytes: config.maxBodyBytes,
    logger,
  })
  const isReady = async () => !stopping && (await store.status()).connected
  const metricsDoors = new MetricsDoors(() => metrics, {
    ...config.operation,
    isWorker: config.workers > 1,
    mayRead: (request) => mayReadMetrics(request, config),
    isReady,
    onError,
  })
  const streams = new ResponseStreams({
    operations,
    responses,
    clients,
    callers,
    maxBufferedBytes: config.maxBufferedBytes,
  })
  if (tracing) operations.deliveryCounts.onDelivered = tracing.delivered
  const pipelines = new Pipelines()
  const http = createHttpServer({
    tls,
    pipelines,
    traced: tracing?.mutation ?? null,
    yoga,
    operations,
    clients,
    callers,
    streams: new StreamRequests(operations, streams),
    plainEvents: new PlainEvents({ schema, operations, streams, clients, callers }),
    tickets: new Tickets(callers, authenticator),
    totalOf: async (caller, task) => {
      const asked = { ...task, allowedPrefixes: config.channelPrefixes }
      const found = await findForCaller(store, caller, 'tasks:report', asked)
      return found?.state.total ?? null
    },
    responses,
    maxBodyBytes: config.maxBodyBytes,
    graphiql,
    dashboard: new DashboardFiles(),
    origins,
    keepAliveMs: config.httpKeepAliveMs,
    isReady,
    metrics: metricsDoors.onMainPort,
  })
  const socketOptions = {
    ...{ clients, callers, logger, maxMessageBytes: config.maxBodyBytes },
    maxBufferedBytes: config.maxBufferedBytes,
    compression: config.compression,
    keepAliveMs: config.keepAliveMs,
  }
  const graphqlDoor = graphqlSockets({
    ...socketOptions,
    operations,
    maxSubscriptionsPerSocket: config.maxSubscriptionsPerSocket,
    connectionInitMs: config.connectionInitMs,
  })
  const translate = (error: unknown) => withoutHttpHints(operations.translate(error))
  const plainDoor = plainSockets({
    ...socketOptions,
    services,
    shared: operations.shared,
    translate,
  })
  const relayDoor = relaySockets({
    ...socketOptions,
    ...{ services, operations },
    translate,
  })
  const doors = [graphqlDoor, relayDoor, plainDoor]
  const webSocket = serveUpgrades(http, doors, { clients, callers, pipelines, logger, origins })

  const metrics = new Metrics({
    ...{ version: VERSION, clients, responses, webSocket, operations, feeds, updates, writer, dispatch },
    ...{ local, bridge, mirror, catalog, store, isStopping: () => stopping },
  })

  // The metrics nearly to the last, so that it can be seen how a server stops.
  const parts = [
    ...[metricsDoors, ...present(bridge), ...present(mirror), streams, clients, ...present(authenticator)],
    ...[eventLoop, feeds, catalog, store, ...present(tracing)],
  ]
  try {
    await listen(http, config)
    await metricsDoors.open()
  } catch (error) {
    await webSocket.close()
    http.close()
    for (const part of parts) await part.close()
    throw error
  }
  const { port } = http.address() as AddressInfo
  const url = endpointOf(config.host, port, tls ? 'https' : 'http')
  const reloading = reloadTls(http, config, tls, logger)
  dispatch.adopt()
  adoption.start()
  liveness.start()
  bridge?.start()
  catalog.start()

  return {
    url,
    metricsUrl: metricsDoors.url,
    gauges: () => ({
      ...clients.gauges(),
      eventLoopHeldMs: eventLoop.longestMs,
      sockets: webSocket.socketCount,
      requests: responses.count,
      groups: operations.groupCount,
      feeds: feeds.size,
      ringBytes: feeds.ringBytes,
      updateSubscribers: updates.size,
      watches: store.watchCount,
      trainers: local.runningCount,
    }),
    close: async () => {
      stopping = true
      await adoption.close()
      return stopServer({
        ...config.operation,
        ...{ dispatch, liveness, http, webSocket, responses, operations },
        parts: [reloading, ...parts],
      })
    },
  }
}

const present = <T>(part: T | null): readonly T[] => (part === null ? [] : [part])

/** Whether who asks on the main port may read the metrics: where only this machine can ask, everybody. */
const mayReadMetrics = (_request: IncomingMessage, { host }: Config): boolean => isLoopback(host)

const isOutOfReach = (error: unknown): boolean =>
  error instanceof EpochcastError && error.code === 'ENGINE_UNAVAILABLE'
