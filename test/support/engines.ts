import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe } from 'vitest'
import { TestRedis } from './redis.ts'
import { type TestServer, testServer } from './server.ts'
import { until } from './until.ts'

export type OpenServer = (env?: Record<string, string>) => Promise<TestServer>

/** Runs a suite over real servers once for each engine; each server has a store of its own. */
export function describeEngines(suite: (open: OpenServer, engine: 'memory' | 'redis') => void): void {
  describe('on the memory engine', () => suite(testServer, 'memory'))
  describe('on the Redis engine', () => {
    let redis: TestRedis
    beforeAll(async () => {
      redis = await TestRedis.start()
    })
    afterAll(() => redis.close())
    suite((env = {}) => redisServer(redis, env), 'redis')
  })
}

/** A server on a Redis, ready to serve; servers with one EPOCHCAST_KEY_PREFIX share one truth. */
export async function redisServer(
  redis: Pick<TestRedis, 'url'>,
  env: Record<string, string> = {},
): Promise<TestServer> {
  const server = await testServer({ REDIS_URL: redis.url, EPOCHCAST_KEY_PREFIX: `${randomUUID()}:`, ...env })
  await until('the server to be ready', () => isReady(server))
  return server
}

export async function isReady({ url }: TestServer): Promise<boolean> {
  return (await fetch(url.replace('/graphql', '/ready'))).ok
}
