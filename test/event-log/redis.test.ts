import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRedisConnections } from '../../src/event-log/redis/connections.ts'
import { RedisEventLog } from '../../src/event-log/redis/redis.ts'
import { eventLogContract } from '../contract/event-log.ts'
import { startCluster, TestRedis } from '../support/redis.ts'

const onError = (error: unknown) => {
  throw error
}

/** Opens the engine under a key prefix of its own, and waits until it is connected. */
async function openLog(url: string, options: { retainEvents?: number; keyPrefix?: string } = {}) {
  const connections = openRedisConnections(url, {
    commandTimeoutMs: 3000,
    onLost: () => {},
    onReady: () => {},
  })
  const log = new RedisEventLog(connections, {
    keyPrefix: `${randomUUID()}:`,
    retainEvents: 1000,
    retainSeconds: 3600,
    commandTimeoutMs: 3000,
    onError,
    ...options,
  })
  if (!(await log.whenConnected(10_000))) throw new Error('Redis did not answer')
  return log
}

describe('the Redis engine', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await TestRedis.start()
  })
  afterAll(() => redis.close())
  eventLogContract((options) => openLog(redis.url, options))

  it('keeps installations with different key prefixes apart', async () => {
    const [one, two] = [await openLog(redis.url), await openLog(redis.url)]
    expect(await one.lease('x', 'a', 1000)).toBe(true)
    expect(await two.lease('x', 'b', 1000)).toBe(true)
    await one.close()
    await two.close()
  })
})

describe('the Redis engine on a cluster of three masters', () => {
  let cluster: Awaited<ReturnType<typeof startCluster>>
  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(() => cluster.close())
  eventLogContract((options) => openLog(cluster.url, options))
})
