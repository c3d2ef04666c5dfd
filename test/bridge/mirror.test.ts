import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { Mirror } from '../../src/bridge/mirror.ts'
import { openRedisConnections } from '../../src/event-log/redis/connections.ts'
import type { TaskEvent } from '../../src/task/event.ts'
import type { TaskSpec } from '../../src/task/task.ts'
import { testRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const SPEC = { channelPrefix: 'p', id: 't', machineId: null } as TaskSpec
const MIB = 1024 * 1024

const onRefused = (error: Error) => expect.unreachable(error.message)

const update = (recordedAt: number, error: string): TaskEvent => ({
  type: 'ErrorReported',
  ...{ error, errorType: null, member: null, timestamp: '2026-01-01T00:00:00.000Z', recordedAt },
})

it('a mirror keeps the newest 16 MiB while Redis is away, and counts the rest', async () => {
  const redis = await testRedis()
  const publisher = new Redis({ port: redis.port, host: '127.0.0.1', lazyConnect: true })
  const mirror = new Mirror(publisher, { channelPrefixes: ['p'], onRefused })
  onTestFinished(() => mirror.close())
  const event = update(0, 'x'.repeat(MIB))
  for (let offset = 1; offset <= 40; offset++) mirror.add(SPEC, { generation: 'g', offset }, [event])
  // The text of each is in its message twice.
  expect(mirror.waitingCount).toBe(7)
  expect(mirror.counts).toMatchObject({ published: 0, overflowed: 33 })
  expect(event).not.toHaveProperty('cursor')

  const subscriber = new Redis(redis.port, '127.0.0.1')
  onTestFinished(() => subscriber.disconnect())
  const offsets: string[] = []
  subscriber.on('message', (_, text) => offsets.push(JSON.parse(text).cursor.split('.').at(-1)))
  await subscriber.subscribe('p:t')
  await publisher.connect()
  await until('all to be published', () => mirror.waitingCount === 0)
  await until('them to be heard', () => offsets.length === 7)
  expect(offsets).toEqual([34, 35, 36, 37, 38, 39, 40].map((offset) => offset.toString(36)))
})

it('a mirror that is closed publishes what waits first', async () => {
  const redis = await testRedis()
  const subscriber = new Redis(redis.port, '127.0.0.1')
  onTestFinished(() => subscriber.disconnect())
  let heard = 0
  subscriber.on('message', () => heard++)
  await subscriber.subscribe('p:t')
  const publisher = new Redis(redis.port, '127.0.0.1')
  const mirror = new Mirror(publisher, { channelPrefixes: ['p'], onRefused })
  await publisher.ping()
  const events = Array.from({ length: 3000 }, (_, i) => update(i, 'x'))
  mirror.add(SPEC, { generation: 'g', offset: 3000 }, events)
  await mirror.close()
  expect(mirror.counts).toEqual({ published: 3000, overflowed: 0, unconfirmed: 0, refused: 0 })
  await until('all to be heard', () => heard === 3000)
})

it('a mirror whose Redis falls silent loses no more than what it had sent', async () => {
  const redis = await testRedis()
  const subscriber = new Redis(redis.port, '127.0.0.1')
  onTestFinished(() => subscriber.disconnect())
  const heard: number[] = []
  subscriber.on('message', (_, text) => heard.push(Number(JSON.parse(text).error)))
  await subscriber.subscribe('p:t')
  const { subscriber: publisher, commands } = openRedisConnections(redis.url, {
    ...{ commandTimeoutMs: 500, onLost: () => {}, onReady: () => {} },
  })
  commands.disconnect()
  await until('the connection', () => publisher.status === 'ready')
  const mirror = new Mirror(publisher, { channelPrefixes: ['p'], onRefused })
  onTestFinished(() => mirror.close())
  redis.freeze()
  const events = Array.from({ length: 3000 }, (_, i) => update(i, `${i + 1}`))
  mirror.add(SPEC, { generation: 'g', offset: 3000 }, events)
  await until('it to be noticed', () => mirror.counts.unconfirmed === 1000)
  expect(mirror.waitingCount).toBe(2000)
  redis.thaw()
  await until('all to be published', () => mirror.waitingCount === 0)
  const { published, unconfirmed } = mirror.counts
  expect(published + unconfirmed).toBe(3000)
  expect(published).toBeGreaterThan(0)
  await until('the last', () => heard.includes(3000))
  expect(new Set(heard).size).toBe(heard.length)
})
