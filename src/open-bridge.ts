import type { Logger } from 'pino'
import { Bridge, type BridgeParts } from './bridge/bridge.ts'
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

const WORDS = {
  reported: 'reported',
  repeated: 'repeated',
  malformed: 'no report',
  oversized: 'too large',
  refused: 'refused',
  overflowed: 'left out',
  field: 'reported in part',
}
