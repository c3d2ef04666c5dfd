import { z } from 'zod'
import { parseRedisUrl } from './redis-url.ts'
import { expecting, list, seconds, text } from './setting.ts'

/** Queues and channels in Redis that belong to others as well. */
export interface QueueConfig {
  /** Null where nothing is listened to. */
  readonly bridge: BridgeConfig | null
  /** Null where no events are published. */
  readonly mirror: BridgeConfig | null
  /** Null where no Celery application is known. */
  readonly celery: CeleryConfig | null
  readonly bullmq: BullMQConfig
}

export interface BullMQConfig {
  /** Null where there is no Redis for queues. */
  readonly url: string | null
  /** In front of all keys of queues. */
  readonly prefix: string
  /** For how long a worker that is not heard has its job. */
  readonly lockMs: number
  /** By which a worker registers jobs that no server put into its queue; null for none. */
  readonly workerToken: string | null
}

export interface CeleryConfig {
  readonly brokerUrl: string
  /** Where results are. */
  readonly backendUrl: string
}

export interface BridgeConfig {
  readonly url: string
  /** Channels `prefix:id` of these are listened to, or published on. */
  readonly channelPrefixes: readonly string[]
}

/** Null where it is not set. */
export const redisUrl = () =>
  text('').transform((found, context): string | null => {
    if (found === '') return null
    try {
      parseRedisUrl(found)
      return found
    } catch (error) {
      // Not the value: it may hold a password.
      context.addIssue(`cannot be used; ${(error as Error).message}`)
      return z.NEVER
    }
  })

export const queueSettings = {
  EPOCHCAST_BRIDGE: list(''),
  EPOCHCAST_BRIDGE_MIRROR: list(''),
  EPOCHCAST_BRIDGE_URL: redisUrl(),
  EPOCHCAST_CELERY_BROKER: redisUrl(),
  EPOCHCAST_CELERY_BACKEND: redisUrl(),
  EPOCHCAST_QUEUE_URL: redisUrl(),
  EPOCHCAST_QUEUE_PREFIX: text('bull').refine(
    (found) => /^[A-Za-z0-9_.{}-]{1,64}$/.test(found),
    expecting('1 to 64 letters, digits and . _ - { }'),
  ),
  EPOCHCAST_QUEUE_LOCK_SECONDS: seconds(60, 2, 3600),
  EPOCHCAST_WORKER_TOKEN: text('').transform((token) => token || null),
}

type Found = { readonly [Name in keyof typeof queueSettings]: z.infer<(typeof queueSettings)[Name]> } & {
  readonly REDIS_URL: string | null
  readonly EPOCHCAST_CHANNEL_PREFIXES: readonly string[]
}

export function queueConfig(found: Found): QueueConfig {
  const url = found.EPOCHCAST_BRIDGE_URL ?? found.REDIS_URL
  const { EPOCHCAST_CELERY_BROKER: brokerUrl, EPOCHCAST_CELERY_BACKEND: backendUrl } = found
  const celery = brokerUrl === null ? null : { brokerUrl, backendUrl: backendUrl ?? brokerUrl }
  const channelsOf = (prefixes: readonly string[]): BridgeConfig | null =>
    url !== null && prefixes.length > 0 ? { url, channelPrefixes: [...new Set(prefixes)] } : null
  const bullmq = {
    url: found.EPOCHCAST_QUEUE_URL ?? found.REDIS_URL,
    prefix: found.EPOCHCAST_QUEUE_PREFIX,
    lockMs: found.EPOCHCAST_QUEUE_LOCK_SECONDS,
    workerToken: found.EPOCHCAST_WORKER_TOKEN,
  }
  return {
    bridge: channelsOf(found.EPOCHCAST_BRIDGE),
    mirror: channelsOf(found.EPOCHCAST_BRIDGE_MIRROR),
    ...{ celery, bullmq },
  }
}

const CHANNEL_SETTINGS = [
  ['EPOCHCAST_BRIDGE', 'listen to'],
  ['EPOCHCAST_BRIDGE_MIRROR', 'publish on'],
] as const
const CELERY_SETTINGS = ['EPOCHCAST_CELERY_BROKER', 'EPOCHCAST_CELERY_BACKEND'] as const

/** Contradictions among settings. */
export function checkQueues(found: Found, refuse: (name: keyof Found, message: string) => void): void {
  const { EPOCHCAST_CHANNEL_PREFIXES: allowed } = found
  const isWithoutRedis = found.EPOCHCAST_BRIDGE_URL === null && found.REDIS_URL === null
  for (const [name, purpose] of CHANNEL_SETTINGS) {
    const unknown = found[name].find((prefix) => !allowed.includes(prefix))
    if (unknown !== undefined) {
      refuse(
        name,
        `has ${JSON.stringify(unknown)}; expected some of EPOCHCAST_CHANNEL_PREFIXES: ${allowed.join(', ')}`,
      )
    }
    if (found[name].length > 0 && isWithoutRedis)
      refuse(name, `is set, but there is no Redis to ${purpose}; expected EPOCHCAST_BRIDGE_URL or REDIS_URL`)
  }
  for (const name of CELERY_SETTINGS) {
    const celeryUrl = found[name]
    if (celeryUrl !== null && parseRedisUrl(celeryUrl).kind === 'cluster')
      refuse(name, 'is a Redis Cluster, which Celery does not use; expected redis:// or redis+sentinel://')
  }
  if (found.EPOCHCAST_CELERY_BACKEND !== null && found.EPOCHCAST_CELERY_BROKER === null) {
    refuse(
      'EPOCHCAST_CELERY_BACKEND',
      'is set, but EPOCHCAST_CELERY_BROKER is not; expected both, or the broker alone',
    )
  }
}
