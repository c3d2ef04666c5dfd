import { randomUUID } from 'node:crypto'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { BoundedStore } from '../../src/event-log/bounded-store.ts'
import type { Snapshot, StoredSnapshot, WatchSignal } from '../../src/event-log/event-log.ts'
import { listingOf } from '../../src/event-log/listing.ts'
import { openRedisConnections, type RedisConnections } from '../../src/event-log/redis/connections.ts'
import { RedisStore, type RedisStoreOptions } from '../../src/event-log/redis/redis.ts'
import { edited } from '../../src/task/edit.ts'
import { EpochcastError } from '../../src/task/errors.ts'
import { channelOf } from '../../src/task/task.ts'
import { curvesContract } from '../contract/curves.ts'
import { outputContract } from '../contract/output.ts'
import { type RoomOptions, roomContract } from '../contract/room.ts'
import { type StoreFaults, storeContract } from '../contract/store.ts'
import { clusterUrlOf, startCluster, TestRedis } from '../support/redis.ts'
import { append, createTask, progress, range, succeeded } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const openConnections = (url: string, commandTimeoutMs = 3000) =>
  openRedisConnections(url, { commandTimeoutMs, onLost: () => {}, onReady: () => {} })

/** The engine under a key prefix of its own, once it is connected. */
async function logOn(
  connections: RedisConnections,
  options: Partial<RedisStoreOptions> = {},
): Promise<RedisStore> {
  const log = new RedisStore(connections, {
    keyPrefix: `${randomUUID()}:`,
    retainEvents: 1000,
    retainSeconds: 3600,
    commandTimeoutMs: 3000,
    // Told, and tried again; the tests look at what comes of it.
    onError: () => {},
    ...options,
  })
  if (!(await log.whenConnected(10_000))) throw new Error('Redis did not answer')
  return log
}

const openLog = (url: string, options: Partial<RedisStoreOptions> = {}) =>
  logOn(openConnections(url, options.commandTimeoutMs), options)

const WORDS = { engine: 'Redis', maxBytes: 'EPOCHCAST_REDIS_BYTES', share: 'EPOCHCAST_STORE_SHARE' }

const boundedLog = async (url: string, bounds: RoomOptions, options: Partial<RedisStoreOptions> = {}) =>
  new BoundedStore(await openLog(url, options), { ...bounds, words: WORDS, onError: () => {} })

/**
 * What a call says as soon as its shard is served again. Nodes hear of a promotion one after the other, so one that has
 * not may send a call to the dead master even after another got through.
 */
async function onceServed<T>(call: () => Promise<T>): Promise<T> {
  const { value } = await until(
    'its shard to be served again',
    () =>
      call().then(
        (value) => ({ value }),
        (error: unknown) => {
          if (error instanceof EpochcastError && error.code === 'ENGINE_UNAVAILABLE') return null
          throw error
        },
      ),
    30_000,
  )
  return value
}

/** Of all nodes: connections of subscribers are killed, and no node takes more than it has. */
const faultsOf = (nodes: () => readonly TestRedis[]): StoreFaults => ({
  interrupt: async () => {
    for (const node of nodes()) await node.run((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'))
  },
  openFull: async () => {
    const limit = (bytes: (used: number) => number) =>
      Promise.all(
        nodes().map((node) =>
          node.run(async (client) => {
            const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
            await client.config('SET', 'maxmemory', bytes(used))
          }),
        ),
      )
    const url = nodes().length === 1 ? (nodes()[0] as TestRedis).url : clusterUrlOf(nodes())
    const store = await openLog(url)
    await limit((used) => used + 200_000)
    onTestFinished(async () => {
      await limit(() => 0)
    })
    return {
      store,
      makeRoom: async () => {
        await limit(() => 0)
      },
    }
  },
})

describe('the Redis engine', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await TestRedis.start()
  })
  afterAll(() => redis.close())
  storeContract(
    (options) => openLog(redis.url, options),
    faultsOf(() => [redis]),
  )
  describe('curves', () => curvesContract((options) => openLog(redis.url, options)))
  describe('output', () => outputContract((options) => openLog(redis.url, options)))
  describe('room', () => roomContract(async (bounds) => boundedLog(redis.url, bounds)))

  it('counts the listing that is stored beside the state', async () => {
    const keyPrefix = `${randomUUID()}:`
    const log = await openLog(redis.url, { keyPrefix })
    const key = await createTask(log, { labels: { text: 'x'.repeat(4000) } })
    const isCounted = async () => {
      const { bytes } = (await log.snapshot(key)) as StoredSnapshot
      const stored = await redis.run((client) =>
        client.hmget(`${keyPrefix}epochcast:{${channelOf(key)}}:state`, 'state', 'listing'),
      )
      const texts = stored.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0)
      expect(bytes).toBeGreaterThan(texts)
      expect(bytes).toBeLessThan(texts + 2500)
    }
    await isCounted()
    await append(log, key, progress(1), succeeded())
    await isCounted()
    const ended = (await log.snapshot(key)) as StoredSnapshot
    const labels = { text: 'y'.repeat(8000) }
    await log.edit(key, ended, edited(ended.state, { name: 'new', labels, updatedAt: 1 }))
    await isCounted()
    await log.close()
  })

  it('counts what an edit adds once, and tells the others', async () => {
    const keyPrefix = `${randomUUID()}:`
    const bounds = { maxBytes: 1_000_000, share: 1 }
    const one = await boundedLog(redis.url, bounds, { keyPrefix })
    const other = await boundedLog(redis.url, bounds, { keyPrefix })
    const key = await createTask(one)
    await until('both to count it', () => one.bytes > 0 && other.bytes > 0)
    const before = (await one.snapshot(key)) as StoredSnapshot
    const labels = { text: 'x'.repeat(8000) }
    await one.edit(key, before, edited(before.state, { name: null, labels, updatedAt: 1 }))
    const { bytes } = (await one.snapshot(key)) as StoredSnapshot
    expect(bytes).toBeGreaterThan(before.bytes + 16_000)
    expect(Math.abs(one.bytes - bytes)).toBeLessThan(50)
    await until('the other to hear of it', () => Math.abs(other.bytes - bytes) < 50)
    expect(Math.abs(one.bytes - bytes)).toBeLessThan(50)
    await one.close()
    await other.close()
  })

  it('tells of a command that failed no arguments, which may be secrets', async () => {
    const keyPrefix = `${randomUUID()}:`
    const log = await openLog(redis.url, { keyPrefix })
    const spec = await createTask(log, { params: { password: 'swordfish' } })
    await redis.run((client) => client.set(`${keyPrefix}epochcast:{${channelOf(spec)}}:log`, 'no stream'))
    const error = await append(log, spec, progress(1)).catch((failure: unknown) => failure)
    const logged = JSON.stringify(pino.stdSerializers.err(error as Error))
    expect(logged).toContain('WRONGTYPE')
    expect(logged).not.toContain('swordfish')
    await log.close()
  })

  it('can watch a task again after Redis was frozen and did not confirm in time', async () => {
    const log = await openLog(redis.url, { commandTimeoutMs: 300 })
    const spec = await createTask(log)
    await redis.freeze()
    await expect(log.watch(spec, () => {})).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' })
    redis.thaw()
    await until('the engine to be back', async () => (await log.status()).connected)
    const heard: string[] = []
    const watch = await until('a watch', () =>
      log.watch(spec, ({ kind }) => heard.push(kind)).catch(() => null),
    )
    await append(log, spec, progress(1))
    await until('what is appended', () => heard.includes('appended'))
    await watch.close()
    await log.close()
  })

  it('says that it is back even where Redis froze while it resubscribed', async () => {
    const connections = openConnections(redis.url, 300)
    const log = await logOn(connections, { commandTimeoutMs: 300 })
    const spec = await createTask(log)
    const heard: string[] = []
    await log.watch(spec, ({ kind }) => heard.push(kind))
    const { subscriber } = connections
    const subscribe = subscriber.subscribe.bind(subscriber)
    let isFrozen = false
    subscriber.subscribe = ((...channels: string[]) => {
      if (!isFrozen) redis.freeze()
      isFrozen = true
      return subscribe(...channels)
    }) as typeof subscriber.subscribe
    await redis.run((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'))
    await until('Redis to be frozen', () => isFrozen)
    await new Promise((resolve) => subscriber.once('close', resolve))
    redis.thaw()
    await until('the engine to be back', () => heard.at(-1) === 'resumed')
    expect((await log.status()).connected).toBe(true)
    await log.close()
  })

  it("leaves the channel of a task's public name to others", async () => {
    const log = await openLog(redis.url, { keyPrefix: '' })
    const spec = await createTask(log)
    const published: string[] = []
    await redis.run(async (other) => {
      other.on('pmessage', (_pattern: string, channel: string) => published.push(channel))
      await other.psubscribe('*')
      const heard: WatchSignal[] = []
      await log.watch(spec, (signal) => heard.push(signal))
      await redis.run((publisher) => publisher.publish(channelOf(spec), '{"type":"progress","epoch":1}'))
      await append(log, spec, progress(1))
      await until('the announcement', () => heard.length > 0)
      expect(heard.map(({ kind }) => kind)).toEqual(['appended'])
      await until('all channels', () => published.length >= 3)
      // The only message there is the one that was published by somebody else.
      expect(published.filter((channel) => channel === channelOf(spec))).toHaveLength(1)
      expect(published).toContain(`epochcast:{${channelOf(spec)}}:appended`)
    })
    await log.close()
  })

  it('leaves nothing of a deleted task but a mark, which expires', async () => {
    const keyPrefix = `${randomUUID()}:`
    const log = await openLog(redis.url, { keyPrefix })
    const spec = await createTask(log)
    await append(log, spec, progress(1), succeeded())
    const task = `${keyPrefix}epochcast:{${channelOf(spec)}}`
    await redis.run(async (client) => {
      await client.set(`${task}:curves`, 'some')
      await log.drop(spec, (await log.snapshot(spec)) as Snapshot)
      const keys = await client.keys(`${keyPrefix}*`)
      expect(keys.sort()).toEqual([`${keyPrefix}epochcast:serial`, `${task}:dropped`])
      expect(await client.ttl(`${task}:dropped`)).toBeGreaterThan(3590)
    })
    await log.close()
  })

  it('lists tasks by their states where the listing beside is missing, damaged or of before', async () => {
    const keyPrefix = `${randomUUID()}:`
    const log = await openLog(redis.url, { keyPrefix })
    const keys = await Promise.all(range(1, 4).map(() => createTask(log)))
    await Promise.all(keys.map((key) => append(log, key, progress(1), succeeded())))
    await redis.run(async (client) => {
      const [none, damaged, short] = keys.map((key) => `${keyPrefix}epochcast:{${channelOf(key)}}:state`)
      await client.hdel(none as string, 'listing')
      await client.hset(damaged as string, 'listing', '17 {"listed":')
      await client.hset(short as string, 'listing', '{}')
    })
    const { listings } = await log.listings(null, 10)
    expect(listings.map(({ status }) => status)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS', 'SUCCESS'])
    expect(listings).toEqual((await log.list('all', null, 10)).snapshots.map(listingOf))
    await log.close()
  })

  it('mends the list where another than the first to list a task created it', async () => {
    const keyPrefix = `${randomUUID()}:`
    const log = await openLog(redis.url, { keyPrefix })
    const spec = await createTask(log)
    const { serial } = (await log.snapshot(spec)) as Snapshot
    await redis.run(async (client) => {
      const tasks = `${keyPrefix}epochcast:tasks`
      await client.zadd(tasks, serial + 7, channelOf(spec))
      expect((await log.list('all', null, 10)).snapshots.map((listed) => listed.serial)).toEqual([serial + 7])
      await until(
        'the place to be right',
        async () => Number(await client.zscore(tasks, channelOf(spec))) === serial,
      )
    })
    await log.close()
  })

  it('keeps installations with different key prefixes apart', async () => {
    const [one, two] = [await openLog(redis.url), await openLog(redis.url)]
    expect(await one.lease('x', 'a', 1000)).toBe(true)
    expect(await two.lease('x', 'b', 1000)).toBe(true)
    await one.close()
    await two.close()
  })
})

describe('the Redis engine on a cluster of three masters with a replica each', () => {
  let cluster: Awaited<ReturnType<typeof startCluster>>
  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(() => cluster.close())
  storeContract(
    (options) => openLog(cluster.url, options),
    faultsOf(() => cluster.nodes),
  )
  describe('curves', () => curvesContract((options) => openLog(cluster.url, options)))
  describe('output', () => outputContract((options) => openLog(cluster.url, options)))

  it('goes on after a master has failed and its replica has been promoted', async () => {
    const store = await openLog(cluster.url)
    // So many that each master has some.
    const specs = await Promise.all(range(1, 24).map(() => createTask(store)))
    const heard = new Set<string>()
    for (const spec of specs) {
      await store.watch(spec, (signal) => signal.kind === 'appended' && heard.add(spec.id))
      await append(store, spec, progress(1))
    }
    const [master] = cluster.masters
    await cluster.failOver(master as TestRedis)
    heard.clear()
    for (const spec of specs) {
      await onceServed(() => append(store, spec, progress(2)))
      const page = await onceServed(() => store.read(spec, null, 10))
      expect(page.kind === 'entries' && page.entries.map(({ offset }) => offset)).toEqual([1, 2, 3])
    }
    await until('all to be heard of', () => heard.size === specs.length)
    await store.close()
  })
})
