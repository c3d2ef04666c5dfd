import type { Logger } from 'pino'
import { Bridge, type BridgeParts } from './bridge/bridge.ts'
import { Mirror } from './bridge/mirror.ts'
import type { Config } from './config.ts'
import { openRedisConnections } from './event-log/redis/connections.ts'
import { reachability } from './event-log/redis/reachability.ts'

export interface BridgeServices extends Omit<BridgeParts, 'subscriber'> {
  readonly serverId: string
  readonly logger: Logger
  readonly onError: (error: unknown) => void
}

/** Null where no channels are listened to. It connects, and comes back, by itself. */
export function openBridge(
  config: Pick<Config, 'queues' | 'redisTimeoutMs' | 'engine'>,
  { serverId, logger, onError, ...parts }: BridgeServices,
): Bridge | null {
  const { bridge } = config.queues
  if (!bridge) return null
  const about = logger.child({ bridge: true })
  const { subscriber, commands } = openRedisConnections(bridge.url, {
    commandTimeoutMs: config.redisTimeoutMs,
    ...reachability(about),
  })
  // It only listens.
  commands.disconnect()
  logger.info(`listens to the channels ${bridge.channelPrefixes.map((prefix) => `${prefix}:*`).join(', ')}`)
  return new Bridge(
    { ...parts, subscriber },
    {
      channelPrefixes: bridge.channelPrefixes,
      serverId,
      isAlone: config.engine.name !== 'redis',
      onLeftOut: (outcome, why, channel, untold) =>
        about.warn(
          { outcome, channel, ...(untold > 0 ? { untold } : {}) },
          `a message on ${JSON.stringify(channel)} is ${WORDS[outcome]}: ${why}`,
        ),
      onError,
    },
  )
}

/** Null where nothing is published. It connects, and comes back, by itself. */
export function openMirror(
  { queues: { mirror }, redisTimeoutMs: commandTimeoutMs }: Pick<Config, 'queues' | 'redisTimeoutMs'>,
  logger: Logger,
): Mirror | null {
  if (!mirror) return null
  const about = logger.child({ mirror: true })
  // Of the two, that which sends what it is given at once, and to one node of a cluster: from there it reaches all.
  const { subscriber: publisher, commands } = openRedisConnections(mirror.url, {
    commandTimeoutMs,
    ...reachability(about),
  })
  commands.disconnect()
  const { channelPrefixes } = mirror
  logger.info(`publishes events on the channels ${channelPrefixes.map((prefix) => `${prefix}:*`).join(', ')}`)
  return new Mirror(publisher, {
    channelPrefixes,
    onRefused: ({ message }, channel, untold) =>
      about.warn(
        { channel, ...(untold > 0 ? { untold } : {}) },
        `Redis refused a message on ${JSON.stringify(channel)}: ${message}`,
      ),
  })
}

const WORDS = {
  reported: 'reported',
  repeated: 'repeated',
  malformed: 'no report',
  oversized: 'too large',
  refused: 'refused',
  overflowed: 'left out',
  field: 'reported in part',
}
