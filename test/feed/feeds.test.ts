import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Snapshot, StoredSnapshot, WatchSignal } from '../../src/event-log/event-log.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { Feeds } from '../../src/feed/feeds.ts'
import { Follower } from '../../src/feed/follower.ts'
import { Stop } from '../../src/feed/stoppable.ts'
import { trainingStream } from '../../src/feed/training-stream.ts'
import { edited } from '../../src/task/edit.ts'
import { EpochcastError } from '../../src/task/errors.ts'
import { encodeCursor } from '../../src/task/position.ts'
import { feedsOf, memoryLog } from '../support/delivery.ts'
import { isReady, redisServer } from '../support/engines.ts'
import {
  collect,
  kindsOf,
  progressReports,
  report,
  startExternal,
  WATCH,
  webSocketClient,
} from '../support/graphql.ts'
import { testRedis } from '../support/redis.ts'
import { append, createTask, progress, range, succeeded } from '../support/tasks.ts'
import { until } from '../support/until.ts'

async function open() {
  const log = memoryLog()
  const key = await createTask(log)
  const hearing: ((signal: WatchSignal) => void)[] = []
  const watch = log.watch.bind(log)
  const line = { isCut: false }
  log.watch = (watched, hear) => {
    hearing.push(hear)
    return watch(watched, (signal) => {
      if (!line.isCut) hear(signal)
    })
  }
  const tell = (signal: WatchSignal) => {
    for (const hear of hearing) hear(signal)
  }
  return { log, key, line, tell, feeds: feedsOf(log), snapshots: vi.spyOn(log, 'snapshot') }
}

describe('a snapshot', () => {
  it('is read once for all that ask at the same time, and again for one that asks later', async () => {
    const { log, key, feeds, snapshots } = await open()
    const found = await Promise.all(range(1, 50).map(() => feeds.snapshot(key)))
    expect(snapshots).toHaveBeenCalledTimes(1)
    expect(new Set(found).size).toBe(1)
    snapshots.mockClear()
    await append(log, key, progress(1))
    snapshots.mockClear()
    expect((await feeds.snapshot(key))?.top.offset).toBe(2)
    expect(snapshots).toHaveBeenCalledTimes(1)
  })

  it('that fails does so for those that wait, and is read again for the next', async () => {
    const { key, feeds, snapshots } = await open()
    snapshots.mockRejectedValueOnce(new Error('away'))
    const outcomes = await Promise.allSettled(range(1, 3).map(() => feeds.snapshot(key)))
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect((await feeds.snapshot(key))?.top.offset).toBe(1)
  })

  it('of a task that nobody has is nothing', async () => {
    const { key, feeds } = await open()
    expect(await feeds.snapshot({ ...key, id: 'nobody' })).toBe(null)
  })

  it('comes from the feed where somebody watches, unless it is interrupted', async () => {
    const { log, key, feeds, line, tell, snapshots } = await open()
    const feed = await feeds.acquire(key)
    const stored = await log.snapshot(key)
    snapshots.mockClear()
    expect(stored).toMatchObject((await feeds.snapshot(key)) ?? {})
    await append(log, key, progress(1))
    snapshots.mockClear()
    expect((await feeds.snapshot(key))?.top.offset).toBe(2)
    expect(snapshots).not.toHaveBeenCalled()

    line.isCut = true
    tell({ kind: 'interrupted', error: 'away' })
    await append(log, key, progress(2))
    snapshots.mockClear()
    expect((await feeds.snapshot(key))?.top.offset).toBe(3)
    expect(snapshots).toHaveBeenCalledTimes(1)

    line.isCut = false
    tell({ kind: 'resumed' })
    expect(feed.isLive).toBe(false)
    expect((await feeds.snapshot(key))?.top.offset).toBe(3)
    await until('the feed to be live', () => feed.isLive)
    snapshots.mockClear()
    expect((await feeds.snapshot(key))?.top.offset).toBe(3)
    expect(snapshots).not.toHaveBeenCalled()
    await feeds.release(feed)
    await feeds.snapshot(key)
    expect(snapshots).toHaveBeenCalledTimes(1)
  })

  it('shows an edit, whether it was announced or not', async () => {
    const { log, key, feeds, line, snapshots } = await open()
    const feed = await feeds.acquire(key)
    const rename = async (name: string) => {
      const expected = (await log.snapshot(key)) as StoredSnapshot
      await log.edit(key, expected, edited(expected.state, { name, labels: null, updatedAt: 1 }))
    }
    await append(log, key, progress(1))
    await rename('told')
    expect(feed.view.state.spec.name).toBe('told')
    snapshots.mockClear()
    expect(await feeds.snapshot(key)).toMatchObject({ revision: 1, state: { spec: { name: 'told' } } })
    expect(snapshots).not.toHaveBeenCalled()
    line.isCut = true
    await rename('not told')
    await append(log, key, progress(2))
    expect(feed.view.state.spec.name).toBe('told')
    // What the check does now and then.
    await feed.recheck(new AbortController().signal)
    expect(feed.view).toMatchObject({ state: { current: 2, spec: { name: 'not told' } } })
    expect(feed.view.state).toEqual((await log.snapshot(key))?.state)
    await feeds.release(feed)
  })

  it('of before a cursor was issued does not make the cursor one of the future', async () => {
    const { log, key, feeds, line, snapshots } = await open()
    const feed = await feeds.acquire(key)
    const found = feed.snapshot
    // Announcements come late, and so does the answer of the log.
    line.isCut = true
    const waiting: (() => void)[] = []
    const snapshot = MemoryStore.prototype.snapshot.bind(log)
    const held = snapshots.mockImplementation(async (...args) => {
      const result = await snapshot(...args)
      await new Promise<void>((resolve) => waiting.push(resolve))
      return result
    })
    const appendOne = async (i: number) => {
      held.mockImplementationOnce(snapshot)
      await append(log, key, progress(i))
    }
    const after = (offset: number) => encodeCursor(key, { ...found.top, offset })
    const streamAfter = (offset: number) =>
      trainingStream(feeds, found, { after: after(offset), last: null }, { maxStreamMs: 1000 })
    await appendOne(1)
    const one = streamAfter(2)
    await until('it to ask the log', () => waiting.length === 1)
    // Event 3 is delivered to somebody by another server, and he comes here with its cursor.
    await appendOne(2)
    const other = streamAfter(3)
    other.catch(() => {})
    const letting = setInterval(() => {
      for (const go of waiting.splice(0)) go()
    })
    onTestFinished(() => clearInterval(letting))
    await one
    await other
  })
})

describe('a feed', () => {
  it('that could not be opened is opened again for the next, and nothing is left of it', async () => {
    const { log, key, feeds, snapshots } = await open()
    snapshots.mockRejectedValueOnce(new EpochcastError('ENGINE_UNAVAILABLE', 'away'))
    const outcomes = await Promise.allSettled(range(1, 5).map(() => feeds.acquire(key)))
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['rejected']))
    expect([feeds.size, log.watchCount]).toEqual([0, 0])
    const feed = await feeds.acquire(key)
    await feeds.release(feed)
    expect([feeds.size, log.watchCount]).toEqual([0, 0])
  })

  it('that is given back while others are asking for it stays theirs', async () => {
    const { log, key, feeds } = await open()
    for (const _ of range(1, 20)) {
      const first = await feeds.acquire(key)
      const second = feeds.acquire(key)
      await feeds.release(first)
      const third = feeds.acquire(key)
      expect(await second).toBe(first)
      expect(await third).toBe(first)
      expect((await second).closed).toBe(false)
      await feeds.release(first)
      await feeds.release(first)
      expect([feeds.size, log.watchCount]).toEqual([0, 0])
    }
  })

  it('that is interrupted has all pages forgotten', async () => {
    const { log, key, tell } = await open()
    await append(log, key, ...range(1, 400).map((i) => progress(i)))
    const feeds = new Feeds(log, {
      ringEvents: 4,
      checkMs: 1_000_000,
      pages: { maxBytes: 1_000_000 },
      ringBytes: 1_000_000,
      onError: (error) => {
        throw error
      },
    })
    onTestFinished(() => feeds.close())
    const feed = await feeds.acquire(key)
    const reads = vi.spyOn(log, 'read')
    const readPage = async () => {
      reads.mockClear()
      await new Follower(feed, { ...feed.view.top, offset: 0 }).step(new Stop())
      return reads.mock.calls.some(([, after]) => after?.offset === 0)
    }
    expect([await readPage(), await readPage()]).toEqual([true, false])
    feed.interrupt()
    expect(await readPage()).toBe(true)
    await until('the feed to be live', () => feed.isLive)
    expect(await readPage()).toBe(false)
    tell({ kind: 'resumed' })
    expect(await readPage()).toBe(true)
    await feeds.release(feed)
  })
})

describe('a feed that hears of events', () => {
  it('reads the log only after a silence, and then finds what it did not hear of', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => {
      vi.useRealTimers()
    })
    const { log, key, line } = await open()
    const feeds = feedsOf(log, { checkMs: 100 })
    const feed = await feeds.acquire(key)
    const reads = vi.spyOn(log, 'read')
    for (const i of range(1, 5)) {
      vi.advanceTimersByTime(60)
      await append(log, key, progress(i))
    }
    expect([feed.top.offset, reads.mock.calls.length]).toEqual([6, 0])
    line.isCut = true
    await append(log, key, progress(6))
    vi.advanceTimersByTime(100)
    await until('the feed to have read it', () => feed.top.offset === 7)
    await feeds.release(feed)
  })
})

describe('a feed that cannot be sure of its log', () => {
  it('takes nothing that is announced until it has verified the log', async () => {
    const { log, key, tell, feeds } = await open()
    onTestFinished(() => feeds.close())
    const feed = await feeds.acquire(key)
    await append(log, key, ...range(1, 5).map((i) => progress(i)))
    expect(feed.top.offset).toBe(6)
    const read = vi.spyOn(log, 'read').mockRejectedValue(new EpochcastError('ENGINE_UNAVAILABLE', 'away'))
    tell({ kind: 'resumed' })
    await until('its reading to fail', () => feed.interruption !== null)
    // A promoted replica that had only three of them, and got others at the places of those it lacks.
    const entries = range(4, 8).map((offset) => ({ offset, event: progress(100 + offset) }))
    tell({ kind: 'appended', top: { ...feed.top, offset: 8 }, entries })
    expect(feed.top.offset).toBe(6)
    read.mockRestore()
    await until('the feed to be live', () => feed.isLive)
    expect(feed.top).toEqual((await log.snapshot(key))?.top)
    await feeds.release(feed)
  })
})

describe('on the Redis engine', () => {
  it('those that come back together, each some events behind, get every event once', async () => {
    const server = await redisServer(await testRedis())
    expect(await isReady(server)).toBe(true)
    const taskId = await startExternal(server.url)
    const cursors: string[] = []
    for (const i of range(0, 29)) {
      const { cursor } = await report(server.url, taskId, ...progressReports(i * 37 + 1, i * 37 + 37))
      cursors.push(cursor)
    }
    await report(server.url, taskId, { success: {} })
    const viewers = cursors.map(async (after, i) => {
      const results = await collect(webSocketClient(server.webSocketUrl), WATCH, { taskId, after })
      const numbers = results.flatMap(({ data }) => data.trainingProgress.current ?? [])
      expect(numbers).toEqual(range(i * 37 + 38, 30 * 37))
      expect(kindsOf(results).slice(-2)).toEqual(['TrainingSucceeded', 'StreamClosing'])
    })
    await Promise.all(viewers)
    await until('all to be given back', () => server.gauges().feeds === 0)
  })
})

describe('a task that is deleted', () => {
  const drop = async ({ log, key }: Pick<Awaited<ReturnType<typeof open>>, 'log' | 'key'>) =>
    log.drop(key, (await log.snapshot(key)) as Snapshot)
  const reasonsOf = async (stream: Awaited<ReturnType<typeof trainingStream>>) => {
    const reasons: (string | null)[] = []
    for (;;) {
      const item = await stream.read()
      if (item === null) return reasons
      if (item.kind === 'events') stream.advance(item.events, item.events.length)
      if (item.kind === 'event' && item.event.type === 'StreamClosing') reasons.push(item.event.reason)
    }
  }

  it('closes the streams of those that are still behind, with the reason', async () => {
    const opened = await open()
    const { log, key, feeds } = opened
    for (const i of range(1, 30)) await append(log, key, ...range(1, 30).map((j) => progress(30 * i + j)))
    const found = (await feeds.snapshot(key)) as Snapshot
    const stream = await trainingStream(feeds, found, { after: null, last: 900 }, { maxStreamMs: 60_000 })
    expect(await stream.read()).toMatchObject({ event: { type: 'StreamOpened' } })
    await append(log, key, succeeded())
    await drop(opened)
    expect(await reasonsOf(stream)).toEqual(['the task was deleted'])
    expect(feeds.size).toBe(0)
  })

  it('has ended with its status for those that got all of it', async () => {
    const opened = await open()
    const { log, key, feeds } = opened
    const found = (await feeds.snapshot(key)) as Snapshot
    const stream = await trainingStream(feeds, found, { after: null, last: 10 }, { maxStreamMs: 60_000 })
    await stream.read()
    await append(log, key, succeeded())
    await drop(opened)
    expect(await reasonsOf(stream)).toEqual(['the task ended with SUCCESS'])
  })

  it('is not created again by a server that remembers it as unfinished', async () => {
    const opened = await open()
    const { log, key, feeds, line } = opened
    const feed = await feeds.acquire(key)
    line.isCut = true
    await append(log, key, succeeded())
    await drop(opened)
    await feed.recheck(new AbortController().signal)
    expect(feed.gone).toBe(true)
    expect(await log.snapshot(key)).toBeNull()
    await feeds.release(feed)
  })

  it('may be followed by another of its name, while its last reader is still there', async () => {
    const opened = await open()
    const { log, key, feeds } = opened
    const old = await feeds.acquire(key)
    await append(log, key, succeeded())
    await drop(opened)
    expect(old).toMatchObject({ gone: true, deleted: true })
    await createTask(log, { id: key.id, startId: 'another' })
    const [feed, same] = [await feeds.acquire(key), await feeds.acquire(key)]
    expect(feed).not.toBe(old)
    expect(same).toBe(feed)
    await feeds.release(old)
    await append(log, key, progress(1))
    expect(feed.view.state).toMatchObject({ status: 'QUEUED', current: 1 })
    await feeds.release(feed)
    expect(feeds.size).toBe(1)
    await feeds.release(same)
    expect([feeds.size, log.watchCount]).toEqual([0, 0])
  })
})
