import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { parseRedisUrl } from '../../redis-url.ts'

export interface QueueConnectionOptions {
  /** Commands of a server fail at once while there is no connection; a worker waits for it. */
  readonly isWorker: boolean
  readonly commandTimeoutMs: number
  readonly onLost: (error: Error) => void
  readonly onReady: () => void
}

const MAX_RECONNECT_DELAY_MS = 1000

/** A connection as BullMQ wants it. It connects, and comes back, by itself. */
export function openQueueConnection(url: string, options: QueueConnectionOptions): Redis | Cluster {
  const { isWorker, commandTimeoutMs, onLost, onReady } = options
  const target = parseRedisUrl(url)
  const { username, password, tls, database: db, nodes, master } = target
  const common: RedisOptions = {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
    db,
    // BullMQ waits for jobs with commands that block.
    ...(isWorker ? {} : { commandTimeout: commandTimeoutMs }),
    connectTimeout: commandTimeoutMs,
    enableOfflineQueue: isWorker,
    maxRetriesPerRequest: isWorker ? null : 0,
    retryStrategy: (tries) => Math.min(MAX_RECONNECT_DELAY_MS, 50 * 2 ** Math.min(tries, 6)),
  }
  const connection = connect()
  connection.on('error', onLost)
  connection.on('ready', onReady)
  return connection

  function connect(): Redis | Cluster {
    switch (target.kind) {
      case 'single':
        return new Redis({ ...common, ...nodes[0] })
      case 'sentinel':
        return new Redis({ ...common, sentinels: [...nodes], name: master })
      case 'cluster':
        return new Cluster([...nodes], { redisOptions: common, enableOfflineQueue: isWorker })
    }
  }
}
