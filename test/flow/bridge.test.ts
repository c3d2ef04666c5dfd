import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { LIMITS } from '../../src/task/limits.ts'
import { describeEngines } from '../support/engines.ts'
import {
  collect,
  currentsOf,
  type Data,
  eventsOf,
  run,
  startExternal,
  TASK,
  WATCH,
  webSocketClient,
} from '../support/graphql.ts'
import { metricsAt } from '../support/metrics.ts'
import { TestRedis } from '../support/redis.ts'
import { type TestServer, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const outcomesOf = async ({ url }: Pick<TestServer, 'url'>) => {
  const metrics = await metricsAt(url.replace('/graphql', '/metrics'))
  const of = (outcome: string) => metrics.get(`epochcast_bridge_messages_total{outcome="${outcome}"}`) ?? 0
  return {
    isActive: metrics.get('epochcast_bridge_active') === 1,
    reported: of('reported'),
    malformed: of('malformed'),
    oversized: of('oversized'),
    refused: of('refused'),
  }
}
const isActive = async (server: Pick<TestServer, 'url'>) => (await outcomesOf(server)).isActive

let redis: TestRedis
let publisher: Redis
beforeAll(async () => {
  redis = await TestRedis.start()
  publisher = new Redis(redis.port, '127.0.0.1')
})
afterAll(async () => {
  publisher.disconnect()
  await redis.close()
})

/** As teams have it in their workers. */
const broadcastProgress = (taskId: string, message: Record<string, unknown>) =>
  publisher.publish(
    `gan:training:${taskId}`,
    JSON.stringify({ task_id: taskId, timestamp: new Date().toISOString(), ...message }),
  )

const nameOf = (what: string) => `${what}-${crypto.randomUUID().slice(0, 8)}`

describeEngines((open, engine) => {
  const bridged = async (env: Record<string, string> = {}) => {
    const server = await open({ EPOCHCAST_BRIDGE: 'gan:training', EPOCHCAST_BRIDGE_URL: redis.url, ...env })
    await until('the bridge to be active', () => isActive(server))
    return server
  }
  const taskOf = async ({ url }: TestServer, id: string): Promise<Data> =>
    (await run(url, TASK, { id }).catch(() => ({ task: null }))).task

  describe('what is published on the channel of a task', () => {
    it('is its progress and its end, and registers it when it is first heard of', async () => {
      const server = await bridged()
      const id = nameOf('motor')
      for (const epoch of [10, 20, 30]) {
        await broadcastProgress(id, {
          ...{ current: epoch, total: 30, progress: (100 * epoch) / 30, status: 'PROGRESS' },
          ...{ machine_id: 'motor-1', stage: 'training', message: `Epoch ${epoch}/30` },
          metadata: { epoch, loss: 1 / epoch, d_loss: 0.5 },
        })
      }
      await broadcastProgress(id, { status: 'SUCCESS', progress: 100, result: { quality: 0.9 } })
      const task = await until('its end', async () => {
        const found = await taskOf(server, id)
        return found?.status === 'SUCCESS' && found
      })
      expect(task).toMatchObject({
        ...{ current: 30, total: 30, progress: 100, epoch: 30, loss: 1 / 30, stage: 'training' },
        ...{ metrics: { d_loss: 0.5, loss: 1 / 30 }, result: { quality: 0.9 }, message: 'Epoch 30/30' },
      })
      const events = await collect(webSocketClient(server.webSocketUrl), WATCH, { taskId: id, last: 100 })
      expect(currentsOf(events)).toEqual([10, 20, 30])
    })

    it('of a task that was started here is its progress, and its failure ends it', async () => {
      const server = await bridged()
      const id = await startExternal(server.url, { channelPrefix: 'gan:training' })
      await broadcastProgress(id, { current: 1, total: 2, loss: 0.5 })
      await broadcastProgress(id, { status: 'FAILURE', error: 'out of memory' })
      await broadcastProgress(id, { current: 2, total: 2 })
      await until(
        'what came after the end to be refused',
        async () => (await outcomesOf(server)).refused === 1,
      )
      expect(await taskOf(server, id)).toMatchObject({
        ...{ status: 'FAILURE', current: 1, error: { message: 'out of memory', type: null } },
      })
    })

    it('does no harm where it is no report, and is counted', async () => {
      const server = await bridged()
      const id = nameOf('odd')
      const max = LIMITS.bridgeMessageBytes
      const ofBytes = (bytes: number) => {
        const message = { current: 2, message: '' }
        return JSON.stringify({ ...message, message: 'x'.repeat(bytes - JSON.stringify(message).length) })
      }
      await broadcastProgress(id, { current: 1 })
      await publisher.publish(`gan:training:${id}`, 'hello')
      await publisher.publish(`gan:training:${id}`, Buffer.from([0xff, 0xfe, 0x00, 0x7b]))
      await publisher.publish('gan:training:no task', '{"current": 1}')
      await publisher.publish('gan:training:other:7', '{"current": 1}')
      await publisher.publish(`ml:training:${id}`, '{"current": 1}')
      await publisher.publish(`gan:training:${id}`, ofBytes(max + 1))
      await publisher.publish(`gan:training:${id}`, ofBytes(max))
      await publisher.publish(`gan:training:${id}`, '{"current": 3, "loss": NaN}')
      await until('the last one', async () => (await taskOf(server, id))?.current === 3)
      expect(await taskOf(server, id)).toMatchObject({
        loss: 'NaN',
        message: expect.stringMatching(/^x{4000}/),
      })
      expect(await outcomesOf(server)).toMatchObject({ reported: 3, malformed: 3, oversized: 1, refused: 0 })
      const { tasks } = await run(server.url, '{ tasks { edges { node { channel } } } }')
      expect(tasks.edges).toEqual([{ node: { channel: `gan:training:${id}` } }])
    })

    it.runIf(engine === 'memory')('goes on after the Redis of its publishers was away', async () => {
      const own = await TestRedis.start()
      onTestFinished(() => own.close())
      const server = await bridged({ EPOCHCAST_BRIDGE_URL: own.url })
      const id = nameOf('again')
      const publish = (current: number) =>
        own.run((client) => client.publish(`gan:training:${id}`, JSON.stringify({ current })))
      await publish(1)
      await until('the first', async () => (await taskOf(server, id))?.current === 1)
      await own.kill()
      await until('the bridge to notice', async () => !(await isActive(server)))
      await own.start()
      await until('the bridge to be back', () => isActive(server))
      await publish(2)
      await until('the second', async () => (await taskOf(server, id))?.current === 2)
    })
  })
})

describe('two servers on one Redis', () => {
  it('make one event of each message, in order, also when the one that reports them stops', async () => {
    const env = {
      REDIS_URL: redis.url,
      EPOCHCAST_KEY_PREFIX: `${nameOf('two')}:`,
      EPOCHCAST_BRIDGE: 'gan:training',
    }
    const first = await testServer(env)
    await until('one to be active', () => isActive(first))
    const second = await testServer(env)
    const ids = Array.from({ length: 5 }, () => nameOf('run'))
    const publish = async (from: number, to: number) => {
      for (let current = from; current <= to; current++)
        await Promise.all(ids.map((id) => broadcastProgress(id, { current, loss: 1 / current })))
    }
    await publish(1, 100)
    const closing = first.close()
    await publish(101, 300)
    await closing
    await until('the other to be active', () => isActive(second))
    await publish(301, 400)
    await Promise.all(ids.map((id) => broadcastProgress(id, { status: 'SUCCESS', result: id })))
    const client = webSocketClient(second.webSocketUrl)
    const wanted = Array.from({ length: 400 }, (_, i) => i + 1)
    for (const taskId of ids) {
      await until(
        'the task',
        async () => (await run(second.url, TASK, { id: taskId })).task?.status === 'SUCCESS',
      )
      const events = await collect(client, WATCH, { taskId, last: 1000 })
      expect(currentsOf(events)).toEqual(wanted)
      expect(eventsOf(events).at(-2)).toMatchObject({ __typename: 'TrainingSucceeded', result: taskId })
    }
  })
})
