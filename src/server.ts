import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { Dispatch } from './dispatch/dispatch.ts'
import { Liveness } from './dispatch/liveness.ts'
import { Trainers } from './dispatch/trainers.ts'
import { MemoryEventLog } from './event-log/memory.ts'
import { openRedisConnections } from './event-log/redis/connections.ts'
import { RedisEventLog } from './event-log/redis/redis.ts'
import { TaskWriter } from './event-log/task-writer.ts'
import { Feeds } from './feed/feeds.ts'
import { TaskUpdates } from './feed/task-updates.ts'
import { Ingest } from './ingest/ingest.ts'
import { ExternalLauncher } from './launcher/external.ts'
import { LocalLauncher } from './launcher/local.ts'
import { createGraphQL, GRAPHQL_PATH } from './transport/graphql.ts'
import { createHttpServer, trackBufferedBytes } from './transport/http.ts'
import { OpenSubscriptions } from './transport/open-subscriptions.ts'
import { serveWebSocket } from './transport/websocket.ts'
import { VERSION } from './version.ts'

export interface EpochcastServer {
  /** The GraphQL endpoint. */
  readonly url: string
  /** What is open at present; all zero (or one, where it is always so) once everyone has left. */
  gauges(): Gauges
  /** Ends trainers, sockets and requests, in this order, and releases everything. */
  close(): Promise<void>
}

export interface Gauges {
  readonly sockets: number
  /** Bytes that wait in this process for readers to take them. */
  readonly bufferedBytes: number
  readonly subscriptions: number
  readonly feeds: number
  readonly updateSubscribers: number
  readonly watches: number
  readonly trainers: number
}

/** How often feeds look for lost announcements. */
const FEED_CHECK_MS = 5000
const FEED_RING_EVENTS = 256

/**
 * The only place where parts are chosen and put together.
 *
 * @throws ConfigError; and the error of listen, such as EADDRINUSE
 */
export async function startServer(config: Config, logger: Logger): Promise<EpochcastServer> {
  const trainers = Trainers.load(config.trainersFile, config.channelPrefixes)
  const onError = (err: unknown) => logger.error({ err }, 'something failed in the background')
  const log = openEventLog(config, onError)

  const serverId = randomUUID()
  const writer = new TaskWriter(log)
  const feeds = new Feeds(log, { ringEvents: FEED_RING_EVENTS, checkMs: FEED_CHECK_MS, onError })
  const updates = new TaskUpdates(log)
  const ingest = new Ingest(writer, config.channelPrefixes)
  const dispatch = new Dispatch(log, writer, trainers, {
    channelPrefixes: config.channelPrefixes,
    serverId,
    onError,
  })
  const liveness = new Liveness(log, writer, {
    serverId,
    stallMs: config.stallMs,
    abandonMs: config.abandonMs,
    onError,
  })
  const local = new LocalLauncher(
    {
      concurrency: config.localConcurrency,
      queue: config.localQueue,
      stopGraceMs: config.stopGraceMs,
      killGraceMs: config.killGraceMs,
      reportUrl: () => url,
      env: config.trainerEnv,
    },
    dispatch,
  )
  dispatch.use(local)
  dispatch.use(new ExternalLauncher())

  let stopping = false
  const openSubscriptions = new OpenSubscriptions(config.maxSubscriptions)
  const yoga = createGraphQL({
    context: {
      services: {
        version: VERSION,
        channelPrefixes: config.channelPrefixes,
        maxStreamMs: config.maxStreamMs,
        log,
        feeds,
        updates,
        ingest,
        dispatch,
        trainers,
      },
    },
    openSubscriptions,
    allowedOrigins: config.allowedOrigins,
    maxBodyBytes: config.maxBodyBytes,
    logger,
  })
  const http = createHttpServer({
    yoga,
    allowedOrigins: config.allowedOrigins,
    isReady: async () => !stopping && (await log.status()).connected,
  })
  const bufferedBytes = trackBufferedBytes(http)
  const webSocket = serveWebSocket(http, {
    yoga,
    logger,
    allowedOrigins: config.allowedOrigins,
    maxMessageBytes: config.maxBodyBytes,
    maxSubscriptionsPerSocket: config.maxSubscriptionsPerSocket,
    keepAliveMs: config.keepAliveMs,
  })

  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(config.port, config.host, () => {
      http.off('error', reject)
      resolve()
    })
  })
  const { port } = http.address() as AddressInfo
  const url = `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}${GRAPHQL_PATH}`
  liveness.start()

  return {
    url,
    gauges: () => ({
      sockets: webSocket.socketCount,
      bufferedBytes: bufferedBytes(),
      subscriptions: openSubscriptions.count,
      feeds: feeds.size,
      updateSubscribers: updates.size,
      watches: log.watchCount,
      trainers: local.runningCount,
    }),
    close: async () => {
      stopping = true
      await liveness.close()
      // Trainers are ended while they can still report how they ended.
      await dispatch.close()
      await webSocket.close()
      const closed = new Promise((resolve) => http.close(resolve))
      http.closeAllConnections()
      await closed
      await feeds.close()
      await log.close()
    },
  }
}

function openEventLog(config: Config, onError: (error: unknown) => void): MemoryEventLog | RedisEventLog {
  const { retainEvents, retainSeconds } = config
  if (config.redisUrl === null) {
    return new MemoryEventLog({ retainEvents, retainSeconds, maxBytes: config.memoryBytes })
  }
  const commandTimeoutMs = config.redisTimeoutMs
  const connections = openRedisConnections(config.redisUrl, { commandTimeoutMs, onError })
  return new RedisEventLog(connections, {
    keyPrefix: config.keyPrefix,
    retainEvents,
    retainSeconds,
    commandTimeoutMs,
    onError,
  })
}
