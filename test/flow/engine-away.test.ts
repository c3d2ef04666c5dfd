import { createClient } from 'graphql-ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { startProxy } from '../clients/support/proxy.ts'
import { redisServer } from '../support/engines.ts'
import {
  collectSse,
  type Data,
  post,
  progressReports,
  REPORT,
  type Result,
  report,
  startExternal,
  WATCH,
} from '../support/graphql.ts'
import { ProtocolClient } from '../support/protocol-client.ts'
import { testRedis } from '../support/redis.ts'
import type { TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const AOF = ['--appendonly', 'yes', '--appendfsync', 'always']
const PROGRESS = 'subscription ($taskId: ID!) { taskProgress(taskId: $taskId) { status current } }'
const UPDATES = 'subscription { taskUpdates { id status current } }'
const BEAT = 'subscription { heartbeat(intervalMs: 100) { sequence engine { connected } } }'
const STREAMS: readonly [string, string][] = [
  ['trainingProgress', WATCH],
  ['taskProgress', PROGRESS],
  ['taskUpdates', UPDATES],
]

async function setUp(env: Record<string, string> = {}) {
  const redis = await testRedis(AOF)
  const server = await redisServer(redis, { EPOCHCAST_REDIS_TIMEOUT_SECONDS: '0.5', ...env })
  const taskId = await startExternal(server.url)
  await report(server.url, taskId, ...progressReports(1, 3))
  return { redis, server, taskId }
}

const succeed = ({ url }: TestServer, taskId: string) =>
  until('the end to be taken', async () => {
    const { errors } = await post(url, REPORT, { input: { taskId, reports: [{ success: {} }] } })
    return !errors
  })

/** A client as front ends have it: it comes back with its first variables, and takes an error for the end. */
function stockClient(url: string) {
  const client = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    shouldRetry: () => true,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 20)),
  })
  onTestFinished(() => client.dispose())
  return (query: string, variables: Data = {}) => {
    const seen: Result[] = []
    const ends: unknown[] = []
    client.subscribe(
      { query, variables },
      {
        next: (result) => seen.push(result as Result),
        error: (error) => ends.push(error),
        complete: () => ends.push('complete'),
      },
    )
    return { seen, ends }
  }
}

describe('a subscription that is opened while Redis is away', () => {
  it.each(STREAMS)('%s waits for it, and begins when it is back', async (name, query) => {
    const { redis, server, taskId } = await setUp()
    await redis.kill()
    const { seen, ends } = stockClient(server.url)(query, name === 'taskUpdates' ? {} : { taskId })
    await until('it to be asked for', () => server.gauges().subscriptions === 1)
    await new Promise((resolve) => setTimeout(resolve, 700))
    expect([seen, ends]).toEqual([[], []])
    await redis.start()
    await until('it to begin', () => seen.length > 0)
    await succeed(server, taskId)
    await until('its end', () => JSON.stringify(seen.at(-1)).includes('SUCCESS'))
    expect(ends.filter((end) => end !== 'complete')).toEqual([])
  })

  it.each(STREAMS)('%s waits though somebody else watches', async (name, query) => {
    const { redis, server, taskId } = await setUp()
    const variables = name === 'taskUpdates' ? {} : { taskId }
    const other = stockClient(server.url)(query, variables)
    await until('the other one', () => other.seen.length > 0)
    await redis.kill()
    const { seen, ends } = stockClient(server.url)(query, variables)
    await until('it to be asked for', () => server.gauges().subscriptions === 2)
    await redis.start()
    await until('it to begin', () => seen.length > 0)
    expect(ends).toEqual([])
  })

  it.each(STREAMS)('%s is refused after the bounded time, in our own words', async (name, query) => {
    const { redis, server, taskId } = await setUp({ EPOCHCAST_ENGINE_WAIT_SECONDS: '0.5' })
    await redis.kill()
    const client = await ProtocolClient.open(server.webSocketUrl)
    const before = performance.now()
    client.subscribe('1', query, name === 'taskUpdates' ? {} : { taskId })
    const refused = await until('the refusal', () => client.results('1')[0])
    expect(performance.now() - before).toBeGreaterThan(450)
    expect(performance.now() - before).toBeLessThan(5000)
    expect(refused.errors).toMatchObject([
      {
        message:
          'the engine was out of reach for 0.5 s (EPOCHCAST_ENGINE_WAIT_SECONDS); nothing was subscribed, try again later',
        extensions: { code: 'ENGINE_UNAVAILABLE', retryable: true, retryAfterMs: 1000 },
      },
    ])
    await until('nothing to be left', () => server.gauges().subscriptions === 0)
    expect(client.closed).toBeUndefined()
  })

  it('heartbeat beats on, and says so', async () => {
    const { redis, server } = await setUp()
    await redis.kill()
    const { seen, ends } = stockClient(server.url)(BEAT)
    await until('a beat', () => seen.length > 0)
    expect(seen[0]?.data.heartbeat).toMatchObject({ sequence: 1, engine: { connected: false } })
    await redis.start()
    await until('a beat with it', () => seen.at(-1)?.data.heartbeat.engine.connected)
    expect(ends).toEqual([])
  })

  it('waits over server-sent events, too', async () => {
    const { redis, server, taskId } = await setUp()
    await redis.kill()
    const results = collectSse(server.url, PROGRESS, { taskId })
    await until('it to be asked for', () => server.gauges().subscriptions === 1)
    await redis.start()
    await succeed(server, taskId)
    expect((await results).at(-1)?.data.taskProgress).toMatchObject({ status: 'SUCCESS' })
  })

  it('is over as soon as its client leaves', async () => {
    const { redis, server, taskId } = await setUp()
    await redis.kill()
    const client = await ProtocolClient.open(server.webSocketUrl)
    client.subscribe('1', WATCH, { taskId })
    client.subscribe('2', UPDATES)
    await until('both to be asked for', () => server.gauges().subscriptions === 2)
    client.complete('1')
    await until('the first to be over', () => server.gauges().subscriptions === 1)
    client.socket.terminate()
    await until('the second to be over', () => server.gauges().subscriptions === 0)
  })

  it('and re-opened over a socket that was cut goes on by itself, with a stock client', async () => {
    const { redis, server, taskId } = await setUp()
    const proxy = await startProxy(server.url)
    const subscribe = stockClient(proxy.url)
    const streams = STREAMS.map(([name, query]) => subscribe(query, name === 'taskUpdates' ? {} : { taskId }))
    await until('all to begin', () => streams.every(({ seen }) => seen.length > 0))
    await redis.kill()
    const connections = proxy.connections
    proxy.cut()
    await until('it to come back', () => proxy.connections > connections)
    await redis.start()
    await succeed(server, taskId)
    await until('the end on each', () =>
      streams.every(({ seen }) => JSON.stringify(seen).includes('SUCCESS')),
    )
    expect(streams.flatMap(({ ends }) => ends).filter((end) => end !== 'complete')).toEqual([])
  })
})
