import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { describeEngines } from '../support/engines.ts'
import {
  collect,
  type Data,
  eventsOf,
  progressReports,
  report,
  run,
  startExternal,
  TASK,
  WATCH,
  webSocketClient,
} from '../support/graphql.ts'
import { metricsAt } from '../support/metrics.ts'
import { TestRedis, testRedis } from '../support/redis.ts'
import { type TestServer, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const CHANNELS = { EPOCHCAST_BRIDGE: 'gan:training', EPOCHCAST_BRIDGE_MIRROR: 'gan:training,ml:training' }

const countsOf = async ({ url }: Pick<TestServer, 'url'>) => {
  const metrics = await metricsAt(url.replace('/graphql', '/metrics'))
  const of = (outcome: string) => metrics.get(`epochcast_mirror_events_total{outcome="${outcome}"}`)
  return {
    ...{ published: of('published'), unconfirmed: of('unconfirmed') },
    ...{ refused: of('refused'), overflowed: of('overflowed') },
    waiting: metrics.get('epochcast_mirror_events_waiting'),
    heard: metrics.get('epochcast_bridge_messages_total{outcome="reported"}'),
    isHearing: metrics.get('epochcast_bridge_active') === 1,
  }
}

let redis: TestRedis
beforeAll(async () => {
  redis = await TestRedis.start()
})
afterAll(() => redis.close())

/** An existing page or script: what it hears on channels, in order. */
async function subscriberOf({ port }: TestRedis, ...patterns: readonly string[]) {
  const client = new Redis(port, '127.0.0.1')
  onTestFinished(() => client.disconnect())
  const heard: Data[] = []
  client.on('pmessage', (_, channel, text) => heard.push({ channel, ...JSON.parse(text) }))
  await client.psubscribe(...patterns)
  const of = (id: string) => heard.filter(({ task_id }) => task_id === id)
  const end = (id: string) =>
    until(`the end of ${id}`, () => (of(id).some(({ status }) => status === 'SUCCESS') ? of(id) : null))
  return { of, end }
}

async function publisherOn({ port }: TestRedis) {
  const client = new Redis(port, '127.0.0.1')
  onTestFinished(() => client.disconnect())
  return (id: string, message: Record<string, unknown>) =>
    client.publish(`gan:training:${id}`, JSON.stringify({ task_id: id, ...message }))
}

const isConnected = async (server: TestServer) => (await countsOf(server)).isHearing
const nameOf = (what: string) => `${what}-${crypto.randomUUID().slice(0, 8)}`
const currentsOf = (messages: readonly Data[]): number[] =>
  messages.filter(({ current }) => current !== undefined).map(({ current }) => current)
const success = (result: unknown) => ({ success: { result } })

async function logOf({ webSocketUrl }: TestServer, taskId: string, channelPrefix = 'gan:training') {
  const client = webSocketClient(webSocketUrl)
  return eventsOf(await collect(client, WATCH, { taskId, channelPrefix, last: 5000 })).filter(
    ({ __typename }) => !__typename.startsWith('Stream'),
  )
}

describeEngines((open) => {
  it('what is reported over GraphQL is published on the channel of its task, as publishers write it', async () => {
    const server = await open({ ...CHANNELS, EPOCHCAST_BRIDGE_URL: redis.url })
    await until('the bridge to hear', () => isConnected(server))
    const subscriber = await subscriberOf(redis, 'gan:training:*', 'ml:training:*', 'llm:training:*')
    const id = await startExternal(server.url, { channelPrefix: 'gan:training', machineId: 'motor-1' })
    const progress = { current: 10, total: 50, stage: 'training', epoch: 10, loss: 0.25, message: 'Epoch 10' }
    await report(server.url, id, { progress: { ...progress, metrics: { d_loss: 'NaN' } } })
    await report(
      server.url,
      id,
      { epochEnd: { epoch: 11, phase: 'TRAIN', metrics: { loss: 0.2 } } },
      success({ q: 0.9 }),
    )
    const failed = await startExternal(server.url, { channelPrefix: 'ml:training' })
    const unlisted = await startExternal(server.url, { channelPrefix: 'llm:training' })
    await report(server.url, unlisted, success(null))
    await report(server.url, failed, { failure: { error: 'out of memory', errorType: 'MemoryError' } })
    await until('the last', () => subscriber.of(failed).some(({ status }) => status === 'FAILURE'))

    const common = { channel: `gan:training:${id}`, task_id: id, machine_id: 'motor-1' }
    const own = { mirrored_by: 'epochcast', timestamp: expect.stringMatching(/^20.*Z$/) }
    expect(subscriber.of(id)).toMatchObject([
      { ...common, ...own, status: 'QUEUED' },
      { ...common, ...own, status: 'RUNNING' },
      {
        ...{ ...common, ...own, ...progress, status: 'PROGRESS', progress: 20 },
        metadata: { d_loss: 'NaN', epoch: 10, loss: 0.25 },
      },
      { ...common, ...own, status: 'PROGRESS', stage: 'epoch_end', epoch: 11, loss: 0.2 },
      { ...common, ...own, status: 'SUCCESS', progress: 100, result: { q: 0.9 } },
    ])
    expect(subscriber.of(failed).at(-1)).toMatchObject({
      ...{ ...own, channel: `ml:training:${failed}`, status: 'FAILURE' },
      ...{ error: 'out of memory', error_type: 'MemoryError' },
    })
    expect(subscriber.of(unlisted)).toEqual([])
    const log = await logOf(server, id)
    expect(subscriber.of(id).map(({ cursor }) => cursor)).toEqual(log.map(({ cursor }) => cursor))
    expect(await countsOf(server)).toMatchObject({ published: 8, waiting: 0, heard: 0 })
  })
})

describe('two servers on one Redis', () => {
  const open = (keys: string) =>
    testServer({ REDIS_URL: redis.url, EPOCHCAST_KEY_PREFIX: `${keys}:`, ...CHANNELS })

  it('publish each event of a run once and in order, whichever of them it is reported to', async () => {
    const keys = nameOf('two')
    const servers = [await open(keys), await open(keys)] as const
    await until('one to hear', async () =>
      (await Promise.all(servers.map(isConnected))).some((isHearing) => isHearing),
    )
    const subscriber = await subscriberOf(redis, 'gan:training:*')
    const ids = await Promise.all(
      [0, 1, 2].map((i) =>
        startExternal((servers[i % 2] as TestServer).url, { channelPrefix: 'gan:training' }),
      ),
    )
    const reportAll = (id: string, from: number, to: number, on: readonly TestServer[]) =>
      Array.from({ length: to - from + 1 }, (_, i) => from + i).reduce(async (before, current) => {
        await before
        const { url } = on[current % on.length] as TestServer
        await report(url, id, ...progressReports(2 * current - 1, 2 * current))
      }, Promise.resolve())
    await Promise.all(ids.map((id) => reportAll(id, 1, 30, servers)))
    await servers[0].close()
    await Promise.all(ids.map((id) => reportAll(id, 31, 40, [servers[1]])))
    await Promise.all(ids.map((id) => report(servers[1].url, id, success(id))))
    for (const id of ids) {
      const messages = await subscriber.end(id)
      expect(currentsOf(messages)).toEqual(Array.from({ length: 80 }, (_, i) => i + 1))
      const log = await logOf(servers[1], id)
      expect(messages.map(({ cursor }) => cursor)).toEqual(log.map(({ cursor }) => cursor))
    }
  })

  it('publish nothing of what a publisher has published itself', async () => {
    const keys = nameOf('publisher')
    const servers = [await open(keys), await open(keys)] as const
    await until('one to hear', async () =>
      (await Promise.all(servers.map(isConnected))).some((isHearing) => isHearing),
    )
    const subscriber = await subscriberOf(redis, 'gan:training:*')
    const publish = await publisherOn(redis)
    const id = nameOf('motor')
    for (let current = 1; current <= 700; current++) void publish(id, { current, loss: 1 / current })
    const taskOf = async () => (await run(servers[0].url, TASK, { id }).catch(() => ({ task: null }))).task
    await until('all to be reported', async () => (await taskOf())?.current === 700)
    // What is reported beside them is theirs alone to tell.
    await report(servers[1].url, id, { progress: { current: 701 } })
    await publish(id, { status: 'SUCCESS', progress: 100, result: 1 })
    await until('the end', async () => (await taskOf())?.status === 'SUCCESS')
    const next = await startExternal(servers[0].url, { channelPrefix: 'gan:training' })
    await report(servers[0].url, next, success(null))
    await subscriber.end(next)
    expect(currentsOf(subscriber.of(id))).toEqual(Array.from({ length: 701 }, (_, i) => i + 1))
    expect(subscriber.of(id)).toHaveLength(702)
    expect(subscriber.of(id).filter(({ mirrored_by }) => mirrored_by)).toMatchObject([{ current: 701 }])
  })
})

describe('where Redis is away', () => {
  it('reports go on, and are published once and in order when it takes them again', async () => {
    const own = await testRedis()
    const acl = (...args: string[]) => own.run((client) => client.call('ACL', ...args))
    await acl('SETUSER', 'mirror', 'on', '>word', '+@all', '~*', '&*')
    const EPOCHCAST_BRIDGE_URL = `redis://mirror:word@127.0.0.1:${own.port}`
    const server = await testServer({ ...CHANNELS, EPOCHCAST_BRIDGE_URL })
    const subscriber = await subscriberOf(own, 'gan:training:*')
    const id = await startExternal(server.url, { channelPrefix: 'gan:training' })
    await report(server.url, id, ...progressReports(1, 10))
    await until('the first', () => currentsOf(subscriber.of(id)).length === 10)
    // Others stay connected, so that they hear what is published as soon as it is.
    await acl('SETUSER', 'mirror', 'off')
    await own.run((client) => client.call('CLIENT', 'KILL', 'USER', 'mirror'))
    await until('the server to notice', async () => !(await isConnected(server)))
    for (let i = 1; i <= 10; i++) await report(server.url, id, ...progressReports(10 * i + 1, 10 * i + 10))
    expect(currentsOf(subscriber.of(id))).toHaveLength(10)
    expect((await countsOf(server)).waiting).toBe(100)
    await acl('SETUSER', 'mirror', 'on')
    await report(server.url, id, success(null))
    expect(currentsOf(await subscriber.end(id))).toEqual(Array.from({ length: 110 }, (_, i) => i + 1))
    expect(await countsOf(server)).toMatchObject({
      published: 113,
      waiting: 0,
      unconfirmed: 0,
      overflowed: 0,
    })
  })

  it('and comes back empty, what is reported then is published', async () => {
    const own = await testRedis()
    const server = await testServer({ ...CHANNELS, EPOCHCAST_BRIDGE_URL: own.url })
    const id = await startExternal(server.url, { channelPrefix: 'gan:training' })
    await until('the first', async () => (await countsOf(server)).published === 1)
    await own.kill()
    await until('the server to notice', async () => !(await isConnected(server)))
    await report(server.url, id, ...progressReports(1, 10))
    await own.start()
    await until('all to be published', async () => (await countsOf(server)).waiting === 0)
    const subscriber = await subscriberOf(own, 'gan:training:*')
    await report(server.url, id, ...progressReports(11, 12), success(null))
    expect(currentsOf(await subscriber.end(id))).toEqual([11, 12])
    expect((await countsOf(server)).published).toBe(15)
  })

  it('it may also refuse: that is counted, and stops no report', async () => {
    const own = await testRedis()
    await own.run((client) =>
      client.call('ACL', 'SETUSER', 'reader', 'on', '>word', '+@all', '-publish', '&*'),
    )
    const EPOCHCAST_BRIDGE_URL = `redis://reader:word@127.0.0.1:${own.port}`
    const server = await testServer({ ...CHANNELS, EPOCHCAST_BRIDGE_URL })
    const id = await startExternal(server.url, { channelPrefix: 'gan:training' })
    await report(server.url, id, ...progressReports(1, 3), success(null))
    await until('all to be refused', async () => (await countsOf(server)).refused === 6)
    expect(await countsOf(server)).toMatchObject({ published: 0, waiting: 0, isHearing: true })
  })
})
