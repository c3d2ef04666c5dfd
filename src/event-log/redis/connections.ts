import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { parseRedisUrl, type RedisTarget } from '../../redis-url.ts'

/** The two connections that a server has, however many tasks and subscribers there are. */
export interface RedisConnections {
  readonly commands: Redis | Cluster
  /** A connection that subscribes can do nothing else. */
  readonly subscriber: Redis
  close(): Promise<void>
}

export interface RedisConnectionOptions {
  /** Longest wait for the reply to one command. */
  readonly commandTimeoutMs: number
  /** Told why a connection failed, and each time one is there; it is tried again in any case. */
  readonly onLost: (error: Error) => void
  readonly onReady: () => void
}

/** Sent as they are, and gathered by `gatherWrites`. */
const UNPIPELINED = ['epochcastAppend']

type Connector = NonNullable<RedisOptions['Connector']>

const MAX_RECONNECT_DELAY_MS = 1000

/**
 * Opens the connections for a REDIS_URL (`redis-url.ts` says which there are); they connect, and come back,
 * by themselves.
 */
export function openRedisConnections(
  url: string,
  { commandTimeoutMs, onLost, onReady }: RedisConnectionOptions,
): RedisConnections {
  const target = parseRedisUrl(url)
  const options: RedisOptions = {
    ...(target.username === null ? {} : { username: target.username }),
    ...(target.password === null ? {} : { password: target.password }),
    ...(target.tls ? { tls: {} } : {}),
    db: target.database,
    commandTimeout: commandTimeoutMs,
    connectTimeout: commandTimeoutMs,
    // A command fails at once while there is no connection, and is never sent again behind our back:
    // its caller decides, knowing that the first one may have had its effect.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // ioredis neither awaits nor announces its own resubscription; `announcements.ts` does both.
    autoResubscribe: false,
    retryStrategy: reconnectDelayMs,
    // A master that was demoted says so; the sentinels or the cluster know the new one.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 1 : false),
  }
  const { commands, subscriber } = connect(target, options)
  // Without a listener, ioredis prints each of them.
  for (const connection of [commands, subscriber]) {
    connection.on('error', onLost)
    connection.on('ready', onReady)
  }
  return {
    commands,
    subscriber,
    close: async () => {
      commands.disconnect()
      subscriber.disconnect()
    },
  }
}

function connect({ kind, nodes, master }: RedisTarget, options: RedisOptions) {
  const [first = { host: '127.0.0.1', port: 6379 }] = nodes
  const pipelining = { enableAutoPipelining: true, autoPipeliningIgnoredCommands: UNPIPELINED }
  switch (kind) {
    case 'single':
      return {
        commands: new Redis({ ...options, ...first, ...pipelining }),
        subscriber: new Redis({ ...options, ...first }),
      }
    case 'sentinel': {
      const sentinels = {
        sentinels: [...nodes],
        name: master,
        sentinelRetryStrategy: reconnectDelayMs,
        sentinelCommandTimeout: options.commandTimeout ?? 0,
      }
      return {
        commands: new Redis({ ...options, ...sentinels, ...pipelining }),
        subscriber: new Redis({ ...options, ...sentinels }),
      }
    }
    case 'cluster':
      return {
        commands: new Cluster([...nodes], {
          redisOptions: options,
          enableOfflineQueue: false,
          enableAutoPipelining: true,
          clusterRetryStrategy: reconnectDelayMs,
          slotsRefreshTimeout: options.commandTimeout ?? 0,
          // Anything else resends what was in flight, which may have had its effect.
          retryDelayOnFailover: 0,
        }),
        subscriber: new Redis({ ...options, Connector: rotatingConnector(nodes, options) }),
      }
  }
}

/**
 * Has what is written to Redis in this turn of the event loop go out in one system call. Auto-pipelining does
 * so, too, but each of its pipelines and promises costs as much as the command, which tells on the one command
 * that is sent all the time. A cluster has a connection for each node, and leaves all of it to auto-pipelining.
 */
export function gatherWrites(redis: Redis | Cluster): void {
  const stream = redis instanceof Redis ? redis.stream : undefined
  if (!stream || stream.writableCorked > 0) return
  stream.cork()
  setImmediate(() => stream.uncork())
}

const reconnectDelayMs = (tries: number): number =>
  Math.min(MAX_RECONNECT_DELAY_MS, 50 * 2 ** Math.min(tries, 6))

/**
 * An ordinary PUBLISH reaches every node of a cluster, so the subscriber may sit on any of them; when its
 * node is gone, it tries the next.
 */
function rotatingConnector(nodes: RedisTarget['nodes'], { tls, connectTimeout }: RedisOptions): Connector {
  let next = 0
  class RotatingConnector {
    #stream: ReturnType<typeof connectTcp> | undefined

    check(): boolean {
      return true
    }

    disconnect(): void {
      // Not `end`: a node that is frozen would never reply to it.
      this.#stream?.destroy()
    }

    async connect() {
      const node = nodes[next++ % nodes.length] as RedisTarget['nodes'][number]
      this.#stream = tls ? connectTls({ ...node, ...tls }) : connectTcp(node)
      this.#stream.setTimeout(connectTimeout ?? 0, () =>
        this.#stream?.destroy(new Error('connect timed out')),
      )
      this.#stream.once('connect', () => this.#stream?.setTimeout(0))
      return this.#stream
    }
  }
  // Its declared type also names private fields of ioredis' own connectors.
  return RotatingConnector as unknown as Connector
}
