import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe } from 'vitest'
import { dataDirectory } from './data-directory.ts'
import { TestRedis } from './redis.ts'
import { type TestServer, testServer } from './server.ts'
import { until } from './until.ts'

export type OpenServer = (env?: Record<string, string>) => Promise<TestServer>

type Engine = 'memory' | 'lmdb' | 'redis'

/** For suites that take long: the engine in memory is the one that the others have everything in common with. */
export const COSTLY: readonly Engine[] = ['lmdb', 'redis']

/**
 * Runs a suite over real servers once for each engine; each server has a store of its own.
 *
 * @param engines those that it is worth the time for, where it is not for all
 */
export function describeEngines(
  suite: (open: OpenServer, engine: Engine) => void,
  engines: readonly Engine[] = ['memory', 'lmdb', 'redis'],
): void {
  const describeEngine = (engine: Engine, name: string, body: () => void) => {
    if (engines.includes(engine)) describe(`on the ${name} engine`, body)
  }
  describeEngine('memory', 'memory', () => suite(testServer, 'memory'))
  describeEngine('lmdb', 'lmdb', () =>
    suite((env = {}) => testServer({ EPOCHCAST_DATA: dataDirectory(), ...env }), 'lmdb'),
  )
  describeEngine('redis', 'Redis', () => {
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

export async function isReady({ url }: Pick<TestServer, 'url'>): Promise<boolean> {
  return (await fetch(url.replace('/graphql', '/ready'))).ok
}
