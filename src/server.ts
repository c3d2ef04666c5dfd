import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { auditLog } from './audit-log.ts'
import type { Config } from './config.ts'
import { Dispatch } from './dispatch/dispatch.ts'
import { Liveness } from './dispatch/liveness.ts'
import { StartBounds } from './dispatch/start-bounds.ts'
import { Trainers } from './dispatch/trainers.ts'
import { TaskWriter } from './event-log/task-writer.ts'
import { EventLoopWatch } from './event-loop-watch.ts'
import { TrustedDocuments } from './execution/trusted-documents.ts'
import { EngineWait } from './feed/engine-wait.ts'
import { Feeds } from './feed/feeds.ts'
import { Pacing } from './feed/pacing.ts'
import { SeriesReader } from './feed/series-reader.ts'
import { TaskUpdates } from './feed/task-updates.ts'
import type { Gauges } from './gauges.ts'
import { Ingest } from './ingest/ingest.ts'
import { ExternalLauncher } from './launcher/external.ts'
import { LocalLauncher } from './launcher/local.ts'
import { isLoopback } from './loopback.ts'
import { Metrics } from './metrics/metrics.ts'
import { MetricsDoors } from './metrics/metrics-doors.ts'
import { openStore } from './open-store.ts'
import { ANYONE } from './repository/access.ts'
import { TaskCatalog } from './repository/task-catalog.ts'
import { TaskRecords } from './repository/task-records.ts'
import type { Context } from './schema/context.ts'
import { schema } from './schema/index.ts'
import { stopServer } from './stop-server.ts'
import { EpochcastError } from './task/errors.ts'
import { reloadTls, tlsFilesOf } from './tls.ts'
import { tracingOf } from './trace.ts'
import { Clients } from './transport/clients.ts'
import { createGraphQL } from './transport/graphql.ts'
import { createHttpServer, endpointOf, listen } from './transport/http.ts'
import { OpenResponses } from './transport/open-responses.ts'
import { Operations } from './transport/operations.ts'
import { OriginRule } from './transport/origin.ts'
import { serveWebSocket } from './transport/websocket/websocket.ts'
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

/** How often feeds look for lost announcements. */
const FEED_CHECK_MS = 5000
const FEED_RING_EVENTS = 256
/** What pages of logs may take that are kept for several viewers that catch up. */
const KEPT_PAGES_BYTES = 32 * 1024 * 1024

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
  const store = await openStore(config, logger, onError)

  const serverId = randomUUID()
  const writer = new TaskWriter(store, {
    restoreWithinMs: (config.retainSeconds * 1000) / 2,
    curveBytes: config.curveBytes,
    retainEvents: config.retainEvents,
    onError,
    trace: tracing ?? undefined,
    onEnded: (channel, status) => logger.info({ task: channel, status }, `${channel} ended: ${status}`),
    onReceived: (channel, receipt) => feeds.received(channel, { ...receipt, isOwn: true }),
  })
  const engineWait = new EngineWait(store, config.engineWaitMs)
  const feeds = new Feeds(store, {
    ringEvents: FEED_RING_EVENTS,
    checkMs: FEED_CHECK_MS,
    pages: { maxBytes: KEPT_PAGES_BYTES },
    engineWait,
    onError,
  })
  const catalog = new TaskCatalog(store, onError, config.channelPrefixes)
  const pacing = new Pacing(config.clients.stateValuesPerSecond)
  const updates = new TaskUpdates(store, catalog, engineWait, pacing)
  const ingest = new Ingest(writer, config.channelPrefixes, { reportsPerSecond: config.taskReportsPerSecond })
  const audit = auditLog(logger)
  const dispatch = new Dispatch(store, writer, trainers, {
    audit,
    channelPrefixes: config.channelPrefixes,
    serverId,
    startBounds: new StartBounds({
      startsPerHour: config.startsPerHour,
      maxTasks: config.maxTasks,
      taskCount: () => catalog.index.size,
      maxUnfinished: config.maxTasksPerAddress,
      unfinishedOf: (address) => catalog.unfinishedOf(address),
    }),
    onError,
  })
  const liveness = new Liveness(store, writer, {
    serverId,
    stallMs: config.stallMs,
    abandonMs: config.abandonMs,
    serverLeaseMs: config.serverLeaseMs,
    isAlone: config.engine.name !== 'redis',
    onError,
  })
  const local = new LocalLauncher(
    {
      concurrency: config.localConcurrency,
      queue: config.localQueue,
      stopGraceMs: config.stopGraceMs,
      killGraceMs: config.killGraceMs,
      reportUrl: () => config.operation.reportUrl ?? url,
      env: config.trainerEnv,
    },
    dispatch,
  )
  dispatch.use(local)
  dispatch.use(new ExternalLauncher())

  let stopping = false
  const origins = new OriginRule(config.allowedOrigins, config.host, graphiql)
  const clients = new Clients(config.clients, config, logger)
  const responses = new OpenResponses()
  const eventLoop = new EventLoopWatch(logger)
  const context: Context = {
    caller: ANYONE,
    audience: 'everybody',
    services: {
      version: VERSION,
      channelPrefixes: config.channelPrefixes,
      maxStreamMs: config.maxStreamMs,
      maxStateStreamMs: config.maxStateStreamMs,
      log: store,
      tasks: store,
      catalog,
      engine: store,
      engineWait,
      feeds,
      pacing,
      series: new SeriesReader(store),
      updates,
      ingest,
      dispatch,
      records: new TaskRecords(store, writer, config.channelPrefixes, { audit }),
      trainers,
    },
  }
  const operations = new Operations({
    schema,
    context,
    openSubscriptions: clients.subscriptions,
    trustedDocuments,
    introspection: config.introspection,
    admit: (operation) => clients.admit(operation),
    onBegin: (operation) => eventLoop.began(operation),
    onUnexpected: (err) => logger.error({ err }, 'an operation failed unexpectedly'),
  })
  const yoga = createGraphQL({
    context,
    callerOf: (request) => clients.callerOf(request),
    operations,
    responses,
    origins,
    maxBodyBytes: config.maxBodyBytes,
    graphiql,
    maxBufferedBytes: config.maxBufferedBytes,
    logger,
    log: clients.log,
  })
  const isReady = async () => !stopping && (await store.status()).connected
  const metricsDoors = new MetricsDoors(() => metrics, {
    ...config.operation,
    isWorker: config.workers > 1,
    mayRead: (request) => mayReadMetrics(request, config),
    isReady,
    onError,
  })
  if (tracing) operations.deliveryCounts.onDelivered = tracing.delivered
  const http = createHttpServer({
    tls,
    traced: tracing?.mutation ?? null,
    yoga,
    operations,
    clients,
    responses,
    maxBodyBytes: config.maxBodyBytes,
    graphiql,
    origins,
    keepAliveMs: config.httpKeepAliveMs,
    isReady,
    metrics: metricsDoors.onMainPort,
  })
  const webSocket = serveWebSocket(http, {
    operations,
    clients,
    logger,
    origins,
    maxMessageBytes: config.maxBodyBytes,
    maxSubscriptionsPerSocket: config.maxSubscriptionsPerSocket,
    maxBufferedBytes: config.maxBufferedBytes,
    compression: config.compression,
    keepAliveMs: config.keepAliveMs,
    connectionInitMs: config.connectionInitMs,
  })

  const metrics = new Metrics({
    ...{ version: VERSION, clients, responses, webSocket, operations, feeds, updates, writer, dispatch },
    ...{ local, catalog, store, isStopping: () => stopping },
  })

  try {
    await listen(http, config)
    await metricsDoors.open()
  } catch (error) {
    await webSocket.close()
    http.close()
    clients.close()
    eventLoop.close()
    await store.close()
    throw error
  }
  const { port } = http.address() as AddressInfo
  const url = endpointOf(config.host, port, tls ? 'https' : 'http')
  const reloading = reloadTls(http, config, logger)
  dispatch.adopt()
  liveness.start()
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
      updateSubscribers: updates.size,
      watches: store.watchCount,
      trainers: local.runningCount,
    }),
    close: () => {
      stopping = true
      return stopServer({
        ...config.operation,
        ...{ dispatch, liveness, http, webSocket, responses, operations },
        // The metrics nearly to the last, so that it can be seen how a server stops.
        parts: [
          reloading,
          metricsDoors,
          clients,
          eventLoop,
          feeds,
          catalog,
          store,
          ...(tracing ? [tracing] : []),
        ],
      })
    },
  }
}

/** Whether who asks on the main port may read the metrics: where only this machine can ask, everybody. */
const mayReadMetrics = (_request: IncomingMessage, { host }: Config): boolean => isLoopback(host)

const isOutOfReach = (error: unknown): boolean =>
  error instanceof EpochcastError && error.code === 'ENGINE_UNAVAILABLE'
