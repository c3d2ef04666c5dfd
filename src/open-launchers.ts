import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { type Config, ConfigError } from './config.ts'
import type { Trainers } from './dispatch/trainers.ts'
import { openRedisConnections } from './event-log/redis/connections.ts'
import { reachability } from './event-log/redis/reachability.ts'
import type { BullMQLauncher } from './launcher/bullmq/bullmq-launcher.ts'
import { openQueueConnection } from './launcher/bullmq/connection.ts'
import { CeleryBroker } from './launcher/celery/broker.ts'
import { CeleryLauncher } from './launcher/celery/celery-launcher.ts'
import { ExternalLauncher } from './launcher/external.ts'
import type { AdoptingLauncher, JobObserver, Launcher, LauncherName } from './launcher/launcher.ts'
import { LocalLauncher, type LocalLauncherOptions } from './launcher/local.ts'
import { parseRedisUrl } from './redis-url.ts'

export interface LauncherParts {
  readonly trainers: Trainers
  readonly observer: JobObserver
  /** What becomes of what local trainers print, and of what their machine shows. */
  readonly watch: LocalLauncherOptions['watch']
  /** The GraphQL endpoint, once the server listens. */
  readonly url: () => string
  readonly logger: Logger
  readonly onError: (error: unknown) => void
}

export interface OpenLaunchers {
  readonly local: LocalLauncher
  readonly all: readonly Launcher[]
  readonly adopting: readonly AdoptingLauncher[]
}

/**
 * The only place where launchers are chosen: those that the trainers of the configuration ask for.
 *
 * @throws ConfigError where one is asked for whose queue is not set
 */
export async function openLaunchers(config: Config, parts: LauncherParts): Promise<OpenLaunchers> {
  const { trainers, observer, watch, url } = parts
  const local = new LocalLauncher(
    {
      concurrency: config.localConcurrency,
      queue: config.localQueue,
      stopGraceMs: config.stopGraceMs,
      killGraceMs: config.killGraceMs,
      reportUrl: () => config.operation.reportUrl ?? url(),
      env: config.trainerEnv,
      watch,
    },
    observer,
  )
  const isAskedFor = (name: LauncherName) => trainers.all().some(({ launcher }) => launcher === name)
  const queues = [
    ...(isAskedFor('celery') ? [openCelery(config, parts)] : []),
    ...(isAskedFor('bullmq') ? [await openBullMQ(config, parts)] : []),
  ]
  const all = [local, new ExternalLauncher(), ...queues]
  return { local, all, adopting: queues }
}

function openCelery(config: Config, { observer, logger, onError }: LauncherParts): CeleryLauncher {
  const { celery } = config.queues
  if (!celery) {
    throw new ConfigError(
      "EPOCHCAST_CELERY_BROKER is not set, but trainers of the configuration have the launcher celery; expected the URL of the Celery application's broker in Redis",
    )
  }
  const connect = (url: string, about: string) => {
    const { commands, subscriber } = openRedisConnections(url, {
      commandTimeoutMs: config.redisTimeoutMs,
      ...reachability(logger.child({ about })),
    })
    subscriber.disconnect()
    // No cluster: the configuration has refused it.
    return commands as Redis
  }
  const broker = connect(celery.brokerUrl, 'Celery broker')
  const results =
    celery.backendUrl === celery.brokerUrl ? broker : connect(celery.backendUrl, 'Celery results')
  return new CeleryLauncher(
    new CeleryBroker(broker, parseRedisUrl(celery.brokerUrl).database),
    results,
    {
      killGraceMs: config.killGraceMs,
      onError,
      disconnect: () => {
        broker.disconnect()
        results.disconnect()
      },
    },
    observer,
  )
}

async function openBullMQ(
  config: Config,
  { observer, logger, onError, url }: LauncherParts,
): Promise<BullMQLauncher> {
  const { bullmq } = config.queues
  if (bullmq.url === null) {
    throw new ConfigError(
      'neither EPOCHCAST_QUEUE_URL nor REDIS_URL is set, but trainers of the configuration have the launcher bullmq; expected the Redis of their queue',
    )
  }
  // Loading BullMQ is a sixth of what it takes to load a server, and few have its queue.
  const { BullMQLauncher } = await import('./launcher/bullmq/bullmq-launcher.ts')
  const connect = (isWorker: boolean) =>
    openQueueConnection(bullmq.url ?? '', {
      isWorker,
      commandTimeoutMs: config.redisTimeoutMs,
      ...reachability(logger.child({ about: 'queue' })),
    })
  const [commands, waiting] = [connect(false), connect(true)]
  return new BullMQLauncher(
    commands,
    waiting,
    {
      ...{ prefix: bullmq.prefix, lockMs: bullmq.lockMs, onError },
      reportUrl: () => config.operation.reportUrl ?? url(),
      disconnect: () => {
        commands.disconnect()
        waiting.disconnect()
      },
    },
    observer,
  )
}
