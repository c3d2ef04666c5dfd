import type { Logger } from 'pino'
import { type Config, ConfigError } from './config.ts'
import { BoundedStore } from './event-log/bounded-store.ts'
import { DataDirectoryError } from './event-log/lmdb/data-directory-error.ts'
import { LmdbStore } from './event-log/lmdb/lmdb.ts'
import { MemoryStore } from './event-log/memory.ts'
import { openRedisConnections } from './event-log/redis/connections.ts'
import { reachability } from './event-log/redis/reachability.ts'
import { RedisStore } from './event-log/redis/redis.ts'
import type { Store } from './event-log/store.ts'

/**
 * The only place where engines are chosen, by the name in the configuration.
 *
 * @throws ConfigError where its directory cannot be had
 */
export async function openStore(
  config: Config,
  logger: Logger,
  onError: (error: unknown) => void,
): Promise<Store> {
  const { engine, retainEvents, retainSeconds } = config
  switch (engine.name) {
    case 'memory':
      logger.info('tasks are kept in memory, and end with this process')
      return new MemoryStore({
        retainEvents,
        retainSeconds,
        maxBytes: config.memoryBytes,
        share: config.storeShare,
        output: config.operation.output,
      })
    case 'lmdb':
      return openDataDirectory(engine.path, config, logger, onError)
    case 'redis':
      return openRedisStore(engine.url, config, logger, onError)
    default:
      throw new Error(`there is no engine ${JSON.stringify(engine satisfies never)}`)
  }
}

function openDataDirectory(
  path: string,
  { retainEvents, retainSeconds, dataBytes: maxBytes, storeShare: share, fsync, operation }: Config,
  logger: Logger,
  onError: (error: unknown) => void,
): Store {
  try {
    const store = new LmdbStore({
      path,
      retainEvents,
      retainSeconds,
      output: operation.output,
      maxBytes,
      share,
      fsync,
      onError,
    })
    logger.info(`tasks are kept in ${path} (EPOCHCAST_DATA)`)
    if (store.mayBeOlder !== null)
      logger.warn(`${path} may lack what viewers have seen (${store.mayBeOlder}); they are told if it does`)
    if (!fsync)
      logger.warn('a power cut may cost the newest reports, or all that is kept (EPOCHCAST_FSYNC=0)')
    return store
  } catch (error) {
    if (!(error instanceof DataDirectoryError)) throw error
    throw new ConfigError(`EPOCHCAST_DATA ${error.message}`, { cause: error })
  }
}

async function openRedisStore(
  url: string,
  {
    keyPrefix,
    retainEvents,
    retainSeconds,
    redisTimeoutMs: commandTimeoutMs,
    redisBytes,
    storeShare,
    operation: { output },
  }: Config,
  logger: Logger,
  onError: (error: unknown) => void,
): Promise<Store> {
  const { onRefused, ...onChange } = reachability(logger)
  const connections = openRedisConnections(url, { commandTimeoutMs, ...onChange })
  const options = { keyPrefix, retainEvents, retainSeconds, output, commandTimeoutMs, onError, onRefused }
  const store = new RedisStore(connections, options)
  // A Redis that is away must not keep the server from starting: it says so, and recovers.
  if (await store.whenConnected(commandTimeoutMs)) logger.info('connected to Redis')
  if (redisBytes === null) return store
  const words = {
    engine: 'the store in Redis',
    maxBytes: 'EPOCHCAST_REDIS_BYTES',
    share: 'EPOCHCAST_STORE_SHARE',
  }
  return new BoundedStore(store, { maxBytes: redisBytes, share: storeShare, words, onError })
}
