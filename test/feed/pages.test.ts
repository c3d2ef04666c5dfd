import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { ReadResult } from '../../src/event-log/event-log.ts'
import type { MemoryStore } from '../../src/event-log/memory.ts'
import { PAGE_ENTRIES, PAGE_IDLE_MS, type PageResult, Pages } from '../../src/feed/pages.ts'
import type { Position } from '../../src/task/position.ts'
import type { TaskSpec } from '../../src/task/task.ts'
import { memoryLog } from '../support/delivery.ts'
import { append, createTask, progress, range } from '../support/tasks.ts'

const MAX_BYTES = 10_000_000

async function open(events: number, { retain = 10_000, maxBytes = MAX_BYTES } = {}) {
  const log = memoryLog(retain)
  const pages = new Pages(log, { maxBytes })
  onTestFinished(() => pages.forget())
  const key = await createTask(log)
  // With the QUEUED event there are as many as asked for.
  if (events > 1) await append(log, key, ...range(1, events - 1).map((i) => progress(i)))
  const top = (await log.snapshot(key))?.top as Position
  const at = (offset: number) => ({ ...top, offset })
  return { log, pages, key, top, at, reads: vi.spyOn(log, 'read') }
}

function offsetsOf(result: PageResult): number[] {
  if (result.kind !== 'page') throw new Error(result.kind)
  return result.events.slice(result.from).map(({ offset }) => offset)
}

/** Everything after a position, page by page. */
async function readAll(pages: Pages, key: TaskSpec, from: Position): Promise<number[]> {
  const offsets: number[] = []
  for (;;) {
    const more = offsetsOf(await pages.read(key, { ...from, offset: offsets.at(-1) ?? from.offset }))
    if (more.length === 0) return offsets
    offsets.push(...more)
  }
}

/** Has reads of the log wait until they are let go. */
function holdReads(log: MemoryStore): { waiting: (() => void)[] } {
  const waiting: (() => void)[] = []
  const read = log.read.bind(log)
  log.read = async (...args) => {
    const result = await read(...args)
    await new Promise<void>((resolve) => waiting.push(resolve))
    return result
  }
  return { waiting }
}

describe('pages', () => {
  it.each([0, 1, 254, 255, 256, 257, 510, 511, 512, 513, 599, 600])(
    'have everything after position %i, once and in order',
    async (offset) => {
      const { pages, key, at } = await open(600)
      expect(await readAll(pages, key, at(offset))).toEqual(range(offset + 1, 600))
      // Once more, from what is kept.
      expect(await readAll(pages, key, at(offset))).toEqual(range(offset + 1, 600))
    },
  )

  it.each([255, 256, 257, 511, 512, 513])('of a log of %i events end where it ends', async (events) => {
    const { log, pages, key, top, at } = await open(events)
    for (const offset of [0, 254, 255])
      expect(await readAll(pages, key, at(offset))).toEqual(range(offset + 1, events))
    expect(await pages.read(key, top)).toEqual({ kind: 'page', events: [], from: 0 })
    await append(log, key, progress(1000))
    expect(offsetsOf(await pages.read(key, top))).toEqual([events + 1])
  })

  it('say what a reader cannot get, as the log does', async () => {
    const { log, pages, key, at } = await open(600, { retain: 100 })
    expect(await pages.read(key, at(3))).toMatchObject({ kind: 'gone', reason: 'TRIMMED', skipped: 497 })
    expect(await pages.read(key, at(601))).toMatchObject({ kind: 'ahead', top: at(600) })
    expect(await pages.read(key, at(10_000))).toMatchObject({ kind: 'ahead' })
    expect(await pages.read(key, { generation: 'other', offset: 5 })).toMatchObject({
      kind: 'gone',
      reason: 'LOG_RESET',
    })
    expect(await pages.read({ ...key, id: 'nobody' }, at(5))).toEqual({ kind: 'missing' })
    expect(log.watchCount).toBe(0)
  })

  it('whose beginning is trimmed serve those behind it', async () => {
    const { pages, key, at, reads } = await open(600, { retain: 200 })
    expect(await readAll(pages, key, at(400))).toEqual(range(401, 600))
    const count = reads.mock.calls.length
    const [one, other] = await Promise.all([pages.read(key, at(405)), pages.read(key, at(450))])
    expect([offsetsOf(one), offsetsOf(other)]).toEqual([range(406, 512), range(451, 512)])
    expect(reads.mock.calls.length).toBe(count)
    // Just trimmed, though its page is kept.
    expect(await pages.read(key, at(399))).toMatchObject({ kind: 'gone', resumeAt: at(400), skipped: 1 })
  })

  it('trimmed between the two readings of their beginning are read as the log has them', async () => {
    const { log, pages, key, at } = await open(600, { retain: 200 })
    const read = log.read.bind(log)
    let count = 0
    log.read = async (...args): Promise<ReadResult> => {
      const result = await read(...args)
      if (++count === 1) await append(log, key, ...range(601, 605).map((i) => progress(i)))
      return result
    }
    expect(offsetsOf(await pages.read(key, at(405)))).toEqual(range(406, 605))
  })
})

describe('the reads of the log', () => {
  it('are one for all that read at the same time, wherever in the page', async () => {
    const { pages, key, at, reads } = await open(600)
    const results = await Promise.all(range(0, 255).map((offset) => pages.read(key, at(offset))))
    expect(reads.mock.calls.length).toBe(1)
    for (const [offset, result] of results.entries())
      expect(offsetsOf(result)).toEqual(range(offset + 1, 256))
    const arrays = results.map((result) => result.kind === 'page' && result.events)
    expect(new Set(arrays).size).toBe(1)
    // And for those that come later.
    await pages.read(key, at(100))
    expect(reads.mock.calls.length).toBe(1)
  })

  it('are others for another page, another task, another generation', async () => {
    const { log, pages, key, at, reads } = await open(600)
    const other = await createTask(log)
    await Promise.all([
      pages.read(key, at(0)),
      pages.read(key, at(256)),
      pages.read(other, { ...((await log.snapshot(other))?.top as Position), offset: 0 }),
      pages.read(key, { generation: 'other', offset: 0 }),
    ])
    // The last one asks for itself, too, as there is no such page.
    expect(reads.mock.calls.length).toBe(5)
  })

  it('find what was appended after they had begun, for whoever came then', async () => {
    const { log, pages, key, at } = await open(10)
    const { waiting } = holdReads(log)
    const early = pages.read(key, at(5))
    await append(log, key, progress(100))
    const late = pages.read(key, at(10))
    const letting = setInterval(() => {
      for (const go of waiting.splice(0)) go()
    })
    onTestFinished(() => clearInterval(letting))
    expect(offsetsOf(await early)).toEqual(range(6, 10))
    expect(offsetsOf(await late)).toEqual([11])
  })

  it('find what a page has got since it was kept', async () => {
    const { log, pages, key, at } = await open(300)
    expect(offsetsOf(await pages.read(key, at(290)))).toEqual(range(291, 300))
    await append(log, key, ...range(301, 400).map((i) => progress(i)))
    expect(await readAll(pages, key, at(290))).toEqual(range(291, 400))
    expect(offsetsOf(await pages.read(key, at(300)))).toEqual(range(301, 400))
    expect(offsetsOf(await pages.read(key, at(260)))).toEqual(range(261, 400))
  })

  it('that fail, fail for those that wait for them, and are tried again by the next', async () => {
    const { log, pages, key, at, reads } = await open(10)
    reads.mockRejectedValueOnce(new Error('away'))
    const outcomes = await Promise.allSettled(range(1, 5).map((offset) => pages.read(key, at(offset))))
    expect(outcomes.map(({ status }) => status)).toEqual(range(1, 5).map(() => 'rejected'))
    expect(offsetsOf(await pages.read(key, at(1)))).toEqual(range(2, 10))
    expect(log.read).toHaveBeenCalledTimes(2)
  })
})

describe('what is kept', () => {
  it('stays under its bound, the least recently used go first', async () => {
    const probe = await open(PAGE_ENTRIES * 4)
    await probe.pages.read(probe.key, probe.at(0))
    const pageBytes = probe.pages.bytes
    expect(pageBytes).toBeGreaterThan(PAGE_ENTRIES * 500)

    const { pages, key, at, reads } = await open(PAGE_ENTRIES * 4, { maxBytes: Math.floor(pageBytes * 2.5) })
    const read = async (page: number) => {
      reads.mockClear()
      await pages.read(key, at(page * PAGE_ENTRIES))
      expect(pages.bytes).toBeLessThanOrEqual(pageBytes * 2.5)
      return reads.mock.calls.length
    }
    expect([await read(0), await read(1), await read(0), await read(2)]).toEqual([1, 1, 0, 1])
    // Page 1 had to go, not page 0.
    expect([await read(0), await read(2), await read(1)]).toEqual([0, 0, 1])
  })

  it.each([
    ['just fits', 0, 1],
    ['is one byte too large', -1, 2],
  ])('a page that %s', async (_, off, expected) => {
    const { log, pages: probe, key, at, reads } = await open(100)
    await probe.read(key, at(0))
    reads.mockClear()
    const pages = new Pages(log, { maxBytes: probe.bytes + off })
    onTestFinished(() => pages.forget())
    expect(offsetsOf(await pages.read(key, at(0)))).toEqual(range(1, 100))
    expect(offsetsOf(await pages.read(key, at(0)))).toEqual(range(1, 100))
    expect(reads.mock.calls.length).toBe(expected)
  })

  it('is counted once where a page is read again', async () => {
    const { log, pages, key, at } = await open(10)
    await pages.read(key, at(0))
    for (const i of range(1, 5)) {
      await append(log, key, progress(i))
      await pages.read(key, at(9 + i))
    }
    const again = new Pages(log, { maxBytes: MAX_BYTES })
    onTestFinished(() => again.forget())
    await again.read(key, at(0))
    expect(pages.bytes).toBe(again.bytes)
    pages.forget()
    expect(pages.bytes).toBe(0)
  })

  it('is not brought back by a read that was under way when all was forgotten', async () => {
    const { log, pages, key, at } = await open(10)
    const { waiting } = holdReads(log)
    const early = pages.read(key, at(0))
    await vi.waitUntil(() => waiting.length === 1)
    pages.forget()
    // Not the reading that may be of another log.
    const late = pages.read(key, at(0))
    await vi.waitUntil(() => waiting.length === 2)
    waiting[0]?.()
    expect(offsetsOf(await early)).toEqual(range(1, 10))
    expect(pages.bytes).toBe(0)
    const third = pages.read(key, at(0))
    waiting[1]?.()
    expect(offsetsOf(await late)).toEqual(range(1, 10))
    expect(offsetsOf(await third)).toEqual(range(1, 10))
    expect(waiting.length).toBe(2)
    expect(pages.bytes).toBeGreaterThan(0)
  })

  describe('and not read', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
      // lru-cache holds on to the object that fake timers would replace.
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => Date.now())
      onTestFinished(() => clock.mockRestore())
    })
    afterEach(() => {
      vi.useRealTimers()
    })

    it('is let go after a while, what is read stays', async () => {
      const { pages, key, at, reads } = await open(600)
      await pages.read(key, at(0))
      await pages.read(key, at(256))
      for (const _ of range(1, 4)) {
        vi.advanceTimersByTime(PAGE_IDLE_MS * 0.6)
        await pages.read(key, at(256))
      }
      expect(reads.mock.calls.length).toBe(2)
      const all = pages.bytes
      vi.advanceTimersByTime(2 * PAGE_IDLE_MS)
      expect(pages.bytes).toBe(0)
      expect(all).toBeGreaterThan(0)
      expect(vi.getTimerCount()).toBe(0)
      await pages.read(key, at(0))
      expect(reads.mock.calls.length).toBe(3)
    })
  })
})
