import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { EventLog, WatchSignal } from '../../src/event-log/event-log.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { Feeds } from '../../src/feed/feeds.ts'
import { Follower, type ReadStep } from '../../src/feed/follower.ts'
import { Stop } from '../../src/feed/stoppable.ts'
import { RETRY_MS, type TaskFeed } from '../../src/feed/task-feed.ts'
import type { Position } from '../../src/task/position.ts'
import { append, createTask, givenUp, progress, range, runningAgain, succeeded } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const logs: MemoryStore[] = []
afterEach(async () => {
  for (const log of logs.splice(0)) await log.close()
})

function openLog(retainEvents = 10_000): MemoryStore {
  const log = new MemoryStore({ retainEvents, retainSeconds: 3600, maxBytes: 100_000_000 })
  logs.push(log)
  return log
}

const feedsOf = (log: EventLog, ringEvents = 16, checkMs = 20, ringBytes = 1_000_000) =>
  new Feeds(log, {
    ringEvents,
    checkMs,
    pages: { maxBytes: 1_000_000 },
    ringBytes,
    onError: (error) => {
      throw error
    },
  })

/** A log whose announcements get lost or come late, as `fate` decides for each. */
function unreliable(log: EventLog, fate: () => 'lost' | 'late' | 'in time'): EventLog {
  const held: (() => void)[] = []
  return Object.assign(Object.create(log) as EventLog, {
    watch: (key: Parameters<EventLog['watch']>[0], hear: (signal: WatchSignal) => void) =>
      log.watch(key, (signal) => {
        const decided = fate()
        if (decided === 'late') held.push(() => hear(signal))
        if (decided === 'in time') {
          hear(signal)
          for (const late of held.splice(0)) late()
        }
      }),
    ...bound(log),
  })
}

/** The log's other methods, on the log itself: its fields are private to it. */
const bound = (log: EventLog) => ({
  read: log.read.bind(log),
  snapshot: log.snapshot.bind(log),
  append: log.append.bind(log),
  create: log.create.bind(log),
})

async function readAll(feed: TaskFeed, offset = 0): Promise<ReadStep[]> {
  return restOf(new Follower(feed, { ...feed.view.top, offset }))
}

async function restOf(follower: Follower): Promise<ReadStep[]> {
  const items: ReadStep[] = []
  const stop = new Stop()
  for (;;) {
    const item = await next(follower, stop)
    if (item === null) return items
    items.push(item)
  }
}

/** What comes next, waiting for it at the top; it counts as delivered. */
async function next(follower: Follower, stop: Stop): Promise<ReadStep | null> {
  for (;;) {
    const step = await follower.step(stop)
    if (step?.kind === 'events') follower.advance(step.events, step.events.length)
    if (step?.kind !== 'top') return step
    await follower.beyondTop(stop)
  }
}

const offsetsOf = (items: readonly ReadStep[]) =>
  items.flatMap((item) =>
    item.kind === 'events' ? item.events.slice(item.from).map(({ offset }) => offset) : [],
  )

describe('following a task that was given up and came back', () => {
  it.each([2, 255, 256, 257, 512])('stops at no end before the last, such as event %i', async (end) => {
    const log = openLog()
    const spec = await createTask(log)
    await append(log, spec, ...range(2, end - 1).map((i) => progress(i)), givenUp())
    const feeds = feedsOf(log)
    const feed = await feeds.acquire(spec)
    // Who reads it now is through.
    const early = new Follower(feed, { ...feed.view.top, offset: 0 })
    expect(offsetsOf(await restOf(early))).toEqual(range(1, end))
    expect(early.endedWith).toBe('FAILURE')
    await append(log, spec, runningAgain(), ...range(1, 300).map((i) => progress(i)), succeeded())
    await until('the feed to hear of it', () => feed.view.state.status === 'SUCCESS')
    for (const offset of [0, end - 1, end]) {
      const follower = new Follower(feed, { ...feed.view.top, offset })
      expect(offsetsOf(await restOf(follower))).toEqual(range(offset + 1, end + 302))
      expect(follower.endedWith).toBe('SUCCESS')
    }
    await feeds.release(feed)
  })
})

describe('following a task', () => {
  it('sees every event once and in order, whatever happens to the announcements', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.infiniteStream(fc.constantFrom('lost', 'late', 'in time', 'in time')),
        fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.boolean()), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(1, 5000, 1_000_000),
        async (fates, bursts, ringEvents, ringBytes) => {
          const fate = fates[Symbol.iterator]()
          const memory = openLog()
          const log = unreliable(memory, () => fate.next().value as 'lost')
          const spec = await createTask(log)
          const feeds = feedsOf(log, ringEvents, 20, ringBytes)
          const feed = await feeds.acquire(spec)
          const reading = readAll(feed)
          let last = 1
          for (const [size, pause] of bursts) {
            await append(log, spec, ...range(1, size).map((i) => progress(i)))
            last += size
            if (pause) await new Promise((resolve) => setImmediate(resolve))
          }
          await append(log, spec, succeeded())
          expect(offsetsOf(await reading)).toEqual(range(1, last + 1))
          await feeds.release(feed)
          await feeds.close()
        },
      ),
      { numRuns: 50 },
    )
  })

  it('reads the log for a reader that has seen more than the feed has heard of', async () => {
    const memory = openLog()
    let fate: 'lost' | 'in time' = 'in time'
    const log = unreliable(memory, () => fate)
    const spec = await createTask(log)
    const feeds = feedsOf(log, 16, 60_000)
    const feed = await feeds.acquire(spec)
    fate = 'lost'
    await append(log, spec, progress(1), progress(2))
    const snapshot = await log.snapshot(spec)
    const ahead = new Follower(feed, snapshot?.top as Position)
    expect(feed.view.top.offset).toBe(1)
    expect(feed.recent(ahead.position)).toBe(null)
    expect(await ahead.step(new Stop())).toEqual({ kind: 'top' })
    // So a group at the top of the feed has this reader for a member.
    expect(feed.view.top).toEqual(ahead.position)
    fate = 'in time'
    await append(log, spec, progress(3), succeeded())
    expect(offsetsOf(await restOf(ahead))).toEqual([4, 5])
    await feeds.release(feed)
  })

  it('tells a reader once that the events which it saw are lost, and does not poll the log for them', async () => {
    const log = openLog()
    const read = vi.spyOn(log, 'read')
    const spec = await createTask(log)
    const feeds = feedsOf(log, 16, 60_000)
    const feed = await feeds.acquire(spec)
    await append(log, spec, progress(1))
    const { top } = feed.view
    const ahead = new Follower(feed, { ...top, offset: top.offset + 3 })
    const stop = new Stop()
    expect(await ahead.step(stop)).toEqual({ kind: 'skipped', reason: 'LOG_RESET', count: 3, resumeAt: top })
    const reads = read.mock.calls.length
    expect(await ahead.step(stop)).toEqual({ kind: 'top' })
    expect(read.mock.calls.length).toBe(reads)
    await feeds.release(feed)
  })

  it('leaves the event loop its turns while the feed cannot get to where a reader is', async () => {
    const memory = openLog()
    const spec = await createTask(memory)
    // The reader's own pages show the newest event; the feed's reading never does.
    let isHidden = false
    const log = Object.assign(
      unreliable(memory, () => 'lost'),
      {
        read: async (...[key, after, limit]: Parameters<EventLog['read']>) => {
          const result = await memory.read(key, after, limit)
          const isFeed = isHidden && after?.offset === 1
          return isFeed && result.kind === 'entries' ? { ...result, entries: [] } : result
        },
      },
    )
    const feeds = feedsOf(log, 16, 60_000)
    const feed = await feeds.acquire(spec)
    isHidden = true
    await append(memory, spec, progress(1))
    const stop = new Stop()
    const step = new Follower(feed, { ...feed.view.top, offset: 2 }).step(stop)
    const read = vi.spyOn(log, 'read')
    await new Promise((resolve) => setTimeout(resolve, 2 * RETRY_MS))
    expect(read.mock.calls.length).toBeLessThan(20)
    stop.stop()
    expect(await step).toBe(null)
    await feeds.release(feed)
  })

  it('joins the replay and the live end without a seam while a burst goes on', async () => {
    const log = openLog()
    const spec = await createTask(log)
    const feeds = feedsOf(log, 64, 5000)
    const feed = await feeds.acquire(spec)
    const readers: Promise<ReadStep[]>[] = []
    for (const i of range(1, 2000)) {
      await append(log, spec, progress(i))
      if (i % 100 === 0) readers.push(readAll(feed))
    }
    await append(log, spec, succeeded())
    for (const reader of readers) expect(offsetsOf(await reader)).toEqual(range(1, 2002))
    await feeds.release(feed)
  })

  it('says what was trimmed, also under a reader that was too slow', async () => {
    const log = openLog(20)
    const spec = await createTask(log)
    const feeds = feedsOf(log, 4)
    const feed = await feeds.acquire(spec)
    const reader = new Follower(feed, { ...feed.view.top, offset: 0 })
    expect(await next(reader, new Stop())).toMatchObject({ kind: 'events' })
    for (const i of range(1, 99)) await append(log, spec, progress(i))
    await append(log, spec, succeeded())
    expect(await next(reader, new Stop())).toMatchObject({ kind: 'skipped', reason: 'TRIMMED', count: 80 })
    expect(offsetsOf(await restOf(reader))).toEqual(range(82, 101))
    await feeds.release(feed)
  })

  it('shares one feed and one watch among all, and gives them back', async () => {
    const log = openLog()
    const spec = await createTask(log)
    const feeds = feedsOf(log)
    const lent = await Promise.all(range(1, 50).map(() => feeds.acquire(spec)))
    expect(new Set(lent).size).toBe(1)
    expect([feeds.size, log.watchCount]).toEqual([1, 1])
    for (const feed of lent) await feeds.release(feed)
    expect([feeds.size, log.watchCount]).toEqual([0, 0])
  })

  it('of a task that does not exist leaves nothing behind', async () => {
    const log = openLog()
    const feeds = feedsOf(log)
    await expect(feeds.acquire({ channelPrefix: 'gan:training', id: 'nobody' })).rejects.toMatchObject({
      code: 'TASK_NOT_FOUND',
    })
    expect([feeds.size, log.watchCount]).toEqual([0, 0])
  })

  it('stops waiting when it is told to', async () => {
    const log = openLog()
    const spec = await createTask(log)
    const feeds = feedsOf(log)
    const feed = await feeds.acquire(spec)
    const stop = new Stop()
    const waiting = next(new Follower(feed, feed.view.top), stop)
    stop.stop()
    expect(await waiting).toBe(null)
    await feeds.release(feed)
    await until('no watch', () => log.watchCount === 0)
  })
})
