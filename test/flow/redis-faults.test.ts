import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isReady, redisServer } from '../support/engines.ts'
import {
  CANCEL,
  collect,
  currentsOf,
  type Data,
  eventsOf,
  kindsOf,
  post,
  progressReports,
  REPORT,
  type Result,
  refusal,
  report,
  run,
  START,
  startExternal,
  TASK,
  WATCH,
  webSocketClient,
} from '../support/graphql.ts'
import { type TestRedis, testRedis, testSentinel } from '../support/redis.ts'
import { serverProcess, type TestServer, testServer, trainersFile } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const AOF = ['--appendonly', 'yes', '--appendfsync', 'always']

/** Servers that share one truth. */
async function serversOn(
  redis: TestRedis,
  count: number,
  env: Record<string, string> = {},
): Promise<TestServer[]> {
  const EPOCHCAST_KEY_PREFIX = `${randomUUID()}:`
  return Promise.all(range(1, count).map(() => redisServer(redis, { EPOCHCAST_KEY_PREFIX, ...env })))
}

/** Watches a task, from when it resolves; `seen` fills as the results come. */
async function watch(server: TestServer, variables: Record<string, unknown>) {
  const seen: Result[] = []
  const done = collect(webSocketClient(server.webSocketUrl), WATCH, variables, (result) => seen.push(result))
  await until('the stream to open', () => seen.length > 0)
  return { seen, done }
}

/** Reports as a trainer does: again and again, until it is answered. */
async function reportUntilTaken(
  url: string,
  taskId: string,
  firstSequence: number,
  reports: unknown[],
): Promise<void> {
  await until('the report to be taken', async () => {
    const { errors } = await post(url, REPORT, {
      input: { taskId, reports, producer: 'trainer', firstSequence },
    })
    if (errors && errors[0]?.extensions.code !== 'ENGINE_UNAVAILABLE') throw new Error(JSON.stringify(errors))
    return !errors
  })
}

describe('two servers on one Redis', () => {
  it('are one: what is reported to one is watched, cancelled and repeated on the other', async () => {
    const [one, two] = (await serversOn(await testRedis(), 2)) as [TestServer, TestServer]
    const input = { trainer: 'external', idempotencyKey: 'run' }
    const starts = await Promise.all([one, two, one, two].map(({ url }) => run(url, START, { input })))
    const [taskId, ...others] = starts.map(({ startTraining }) => startTraining.task.id as string)
    expect(new Set(others)).toEqual(new Set([taskId]))

    const viewer = await watch(two, { taskId })
    const batch = { input: { taskId, reports: progressReports(1, 50), producer: 'p', firstSequence: 1 } }
    await run(one.url, REPORT, batch)
    expect((await run(two.url, REPORT, batch)).reportMetrics).toMatchObject({ accepted: 0, duplicates: 50 })
    await run(two.url, CANCEL, { input: { taskId, reason: 'enough' } })
    const { reportMetrics } = await run(one.url, REPORT, {
      input: { taskId, reports: [{ status: { status: 'CANCELLED' } }] },
    })
    expect(reportMetrics.stopRequested).toBe(true)
    await viewer.done
    expect(currentsOf(viewer.seen)).toEqual(range(1, 50))
    expect(kindsOf(viewer.seen).slice(-2)).toEqual(['TrainingCancelled', 'StreamClosing'])
  })

  it('a trainer that one of them runs is stopped by a cancel on the other', async () => {
    const EPOCHCAST_TRAINERS = trainersFile({
      deaf: 'setInterval(() => {}, 1000); await report({ progress: { current: 1 } })',
    })
    const [one, two] = (await serversOn(await testRedis(), 2, {
      EPOCHCAST_TRAINERS,
      EPOCHCAST_STOP_GRACE_SECONDS: '0',
    })) as [TestServer, TestServer]
    const { startTraining } = await run(one.url, START, { input: { trainer: 'deaf' } })
    const { id } = startTraining.task
    await until('it to run', async () => (await run(two.url, TASK, { id })).task.current === 1)
    await run(two.url, CANCEL, { input: { taskId: id } })
    await until('its end', async () => (await run(two.url, TASK, { id })).task.status === 'CANCELLED')
    await until('its process to be gone', () => one.gauges().trainers === 0)
    await until('it to be no longer watched', () => one.gauges().watches === 0)
  })

  it('notice silence and a lost server, whichever is left', async () => {
    const redis = await testRedis()
    const EPOCHCAST_TRAINERS = trainersFile({
      lasts: 'setInterval(() => {}, 1000); await report({ progress: { current: 1 } })',
    })
    const env = {
      EPOCHCAST_KEY_PREFIX: `${randomUUID()}:`,
      EPOCHCAST_TRAINERS,
      EPOCHCAST_SERVER_LEASE_SECONDS: '1',
      EPOCHCAST_STALL_SECONDS: '1',
    }
    const one = await serverProcess({ REDIS_URL: redis.url, ...env })
    const two = await redisServer(redis, env)
    const { startTraining } = await run(one.url, START, { input: { trainer: 'lasts' } })
    const held = startTraining.task.id
    const external = await startExternal(one.url)
    await report(one.url, external, ...progressReports(1, 1))
    const task = async (id: string) => (await run(two.url, TASK, { id })).task
    await until('the held one to run', async () => (await task(held)).current === 1)
    await one.kill()
    await until('the lost server to be noticed', async () => (await task(held)).status === 'FAILURE')
    expect((await task(held)).error).toMatchObject({ type: 'ServerLost' })
    await until('the silence to be noticed', async () => (await task(external)).status === 'STALLED')
  })
})

describe('while Redis is away', () => {
  it('streams say so and go on without a gap, reports are refused in time, and the server is not ready', async () => {
    const redis = await testRedis(AOF)
    const [server] = (await serversOn(redis, 1)) as [TestServer]
    const { url } = server
    const taskId = await startExternal(url)
    const viewer = await watch(server, { taskId })
    const states: Result[] = []
    const progress = collect(
      webSocketClient(server.webSocketUrl),
      'subscription ($taskId: ID!) { taskProgress(taskId: $taskId) { status current } }',
      { taskId },
      (result) => states.push(result),
    )
    await until('the first state', () => states.length > 0)
    await reportUntilTaken(url, taskId, 1, progressReports(1, 10))
    await until('the first events', () => currentsOf(viewer.seen).length === 10)

    await redis.kill()
    await until('the viewer to be told', () => kindsOf(viewer.seen).includes('StreamInterrupted'))
    const before = performance.now()
    const refused = await refusal(url, REPORT, { input: { taskId, reports: progressReports(11, 11) } })
    expect(refused.extensions).toMatchObject({
      code: 'ENGINE_UNAVAILABLE',
      retryable: true,
      retryAfterMs: 1000,
    })
    expect(performance.now() - before).toBeLessThan(5000)
    expect((await refusal(url, TASK, { id: taskId })).extensions.code).toBe('ENGINE_UNAVAILABLE')
    expect((await refusal(url, START, { input: {} })).extensions.code).toBe('ENGINE_UNAVAILABLE')
    expect(await isReady(server)).toBe(false)
    const { server: info } = await run(url, '{ server { engine { name connected latencyMs } } }')
    expect(info.engine).toEqual({ name: 'redis', connected: false, latencyMs: null })

    await redis.start()
    await until('the server to be ready', () => isReady(server))
    await reportUntilTaken(url, taskId, 11, progressReports(11, 20))
    await reportUntilTaken(url, taskId, 21, [{ success: {} }])
    await viewer.done
    expect(currentsOf(viewer.seen)).toEqual(range(1, 20))
    expect(kindsOf(viewer.seen).filter((kind) => kind === 'EventsSkipped')).toEqual([])
    expect((await progress).at(-1)?.data.taskProgress).toEqual({ status: 'SUCCESS', current: 20 })
  })

  it('a server starts, says that it is not ready, and recovers', async () => {
    const redis = await testRedis()
    await redis.kill()
    const server = await testServer({ REDIS_URL: redis.url, EPOCHCAST_REDIS_TIMEOUT_SECONDS: '0.3' })
    expect(await isReady(server)).toBe(false)
    expect((await refusal(server.url, START, { input: {} })).extensions.code).toBe('ENGINE_UNAVAILABLE')
    await redis.start()
    await until('the server to be ready', () => isReady(server))
    await startExternal(server.url)
  })

  it('killed connections cost nobody an event', async () => {
    const redis = await testRedis()
    const [one, two] = (await serversOn(redis, 2)) as [TestServer, TestServer]
    const taskId = await startExternal(one.url)
    const viewers = await Promise.all([one, two, one, two].map((server) => watch(server, { taskId })))
    for (const i of range(0, 19)) {
      await reportUntilTaken(
        (i % 2 ? one : two).url,
        taskId,
        i * 50 + 1,
        progressReports(i * 50 + 1, i * 50 + 50),
      )
      const type = i % 4 === 0 ? 'pubsub' : i % 4 === 2 ? 'normal' : null
      if (type) await redis.run((client) => client.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes'))
    }
    await reportUntilTaken(one.url, taskId, 1001, [{ success: {} }])
    for (const { done, seen } of viewers) {
      await done
      expect(currentsOf(seen)).toEqual(range(1, 1000))
    }
  })
})

describe('what Redis lost', () => {
  it('altogether, is told as LOG_RESET to those that watch and to those that come back; the training goes on', async () => {
    const redis = await testRedis()
    const [one, two] = (await serversOn(redis, 2)) as [TestServer, TestServer]
    const taskId = await startExternal(one.url)
    const viewer = await watch(one, { taskId })
    await reportUntilTaken(one.url, taskId, 1, progressReports(1, 10))
    await until('the first events', () => currentsOf(viewer.seen).length === 10)
    const { cursor } = eventsOf(viewer.seen).at(-1)

    await redis.kill()
    await redis.start()
    await reportUntilTaken(one.url, taskId, 11, progressReports(11, 15))
    await until('what comes after', () => currentsOf(viewer.seen).length === 15)
    const returning = await watch(two, { taskId, after: cursor })
    await reportUntilTaken(two.url, taskId, 16, [{ success: {} }])
    await Promise.all([viewer.done, returning.done])
    for (const { seen } of [viewer, returning]) {
      const skipped = eventsOf(seen).find(({ __typename }: Data) => __typename === 'EventsSkipped')
      expect(skipped).toMatchObject({ skipReason: 'LOG_RESET' })
      expect(kindsOf(seen).slice(-2)).toEqual(['TrainingSucceeded', 'StreamClosing'])
    }
    expect(currentsOf(viewer.seen)).toEqual(range(1, 15))
    expect(currentsOf(returning.seen)).toEqual(range(11, 15))
  })

  it('by the promotion of a replica that lagged, is told; nothing that was replicated is lost', async () => {
    const master = await testRedis()
    const replica = await testRedis(['--replicaof', '127.0.0.1', `${master.port}`])
    const sentinel = await testSentinel(master)
    const [one, two] = (await Promise.all(
      [1, 2].map(() => redisServer(sentinel, { EPOCHCAST_KEY_PREFIX: 'failover:' })),
    )) as [TestServer, TestServer]
    const taskId = await startExternal(one.url)
    const viewers = await Promise.all([one, two].map((server) => watch(server, { taskId })))
    await reportUntilTaken(one.url, taskId, 1, progressReports(1, 10))
    const replicated = async () => {
      const [ours, theirs] = await Promise.all(
        [master, replica].map((redis) =>
          redis.run((client) => client.xlen(`failover:epochcast:{gan:training:${taskId}}:log`)),
        ),
      )
      return ours === 12 && theirs === 12
    }
    await until('the replica to have it', replicated)

    // From here on the replica hears nothing: what follows is lost with the master.
    await replica.freeze()
    await master.run((client) => client.call('CLIENT', 'KILL', 'TYPE', 'replica'))
    await reportUntilTaken(one.url, taskId, 11, progressReports(11, 15))
    await until('all of it to be seen', () => viewers.every(({ seen }) => currentsOf(seen).length === 15))
    await master.kill()
    replica.thaw()

    // The trainer was answered, so it goes on from 16; its sequence tells that the store forgot some.
    const areReady = async () => (await isReady(one)) && (await isReady(two))
    // The sentinels agree in their own time, which on a busy machine is more than usual.
    await until('the new master', areReady, 20_000)
    const { errors } = await post(two.url, REPORT, {
      input: { taskId, reports: progressReports(16, 16), producer: 'trainer', firstSequence: 16 },
    })
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'SEQUENCE_GAP', expected: 11 })
    await reportUntilTaken(two.url, taskId, 11, progressReports(111, 120))
    await reportUntilTaken(two.url, taskId, 21, [{ success: {} }])
    for (const { seen, done } of viewers) {
      await done
      expect(currentsOf(seen)).toEqual([...range(1, 15), ...range(111, 120)])
      const skipped = eventsOf(seen).find(({ __typename }: Data) => __typename === 'EventsSkipped')
      expect(skipped).toMatchObject({ skipReason: 'LOG_RESET', count: 5 })
    }
  })
})

describe('a list that is read while tasks are created', () => {
  it('loses none of them', async () => {
    const [server] = (await serversOn(await testRedis(), 1)) as [TestServer]
    let isCreating = true
    const listing = (async () => {
      while (isCreating) await run(server.url, '{ tasks(first: 50) { edges { node { id } } } }')
    })()
    const ids: string[] = []
    for (const _ of range(1, 15))
      ids.push(...(await Promise.all(range(1, 10).map(() => startExternal(server.url)))))
    isCreating = false
    await listing
    const { tasks } = await run(server.url, '{ tasks(first: 200) { edges { node { id } } } }')
    expect(new Set(tasks.edges.map(({ node }: Data) => node.id))).toEqual(new Set(ids))
  })
})

describe('the connections to Redis', () => {
  it('are as many for 2,000 subscribers as for one, and nothing is left when they are gone', async () => {
    const redis = await testRedis()
    const [server] = (await serversOn(redis, 1)) as [TestServer]
    const connections = () =>
      redis.run(
        async (client) =>
          String(await client.client('LIST'))
            .trim()
            .split('\n').length,
      )
    const idle = await connections()
    const ids = await Promise.all(range(1, 20).map(() => startExternal(server.url)))
    const clients = range(1, 20).map(() => webSocketClient(server.webSocketUrl))
    const leave: (() => void)[] = []
    const watchWith = (client: (typeof clients)[number], taskId: string) => {
      const sink = { next() {}, error() {}, complete() {} }
      leave.push(client.subscribe({ query: WATCH, variables: { taskId } }, sink))
    }
    watchWith(clients[0] as never, ids[0] as string)
    await until('one subscriber', () => server.gauges().feeds === 1)
    expect(await connections()).toBe(idle)
    for (const client of clients) for (const i of range(0, 99)) watchWith(client, ids[i % 20] as string)
    await until(
      '2,001 subscribers',
      () => server.gauges().subscriptions === 2001 && server.gauges().watches === 20,
    )
    expect(await connections()).toBe(idle)

    for (const each of leave) each()
    await until('all to be gone', () => server.gauges().subscriptions === 0 && server.gauges().feeds === 0)
    // That of listings stays: a server always knows which tasks there are.
    await until('no channel of a task to be subscribed', () =>
      redis.run(async (client) => {
        const channels = (await client.pubsub('CHANNELS', '*')) as string[]
        return channels.length === 1 && channels[0]?.endsWith('epochcast:listings')
      }),
    )
    expect(await connections()).toBe(idle)
  })
})
