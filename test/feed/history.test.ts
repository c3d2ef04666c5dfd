import { expect, it } from 'vitest'
import type { Snapshot } from '../../src/event-log/event-log.ts'
import { readHistory } from '../../src/feed/history.ts'
import { memoryLog } from '../support/delivery.ts'
import { append, createTask, progress, range } from '../support/tasks.ts'

/** A log of ten events of which the store lost those after the eighth, and two others that took their place. */
async function lossy() {
  const log = memoryLog()
  const spec = await createTask(log)
  await append(log, spec, ...range(2, 10).map((i) => progress(i)))
  const { top: before } = (await log.snapshot(spec)) as Snapshot
  await log.startGeneration(spec, before.generation, 8)
  const { top } = (await log.snapshot(spec)) as Snapshot
  return { log, spec, before, top }
}

it('a page after a cursor of a log that was recreated says so, and repeats nothing that both have', async () => {
  const { log, spec, before, top } = await lossy()
  const offsets = async (offset: number, limit = 100) => {
    const page = await readHistory(log, spec, { ...before, offset }, limit)
    return { ...page, entries: page.entries.map((entry) => entry.offset) }
  }
  const here = { generation: top.generation, hasPrevious: true }
  const lost = (skipped: number, offset: number) => ({
    reason: 'LOG_RESET',
    skipped,
    resumeAt: { generation: top.generation, offset },
  })
  expect(await offsets(10)).toEqual({ ...here, skipped: lost(2, 8), entries: [9, 10], hasMore: false })
  expect(await offsets(5)).toEqual({
    ...here,
    skipped: lost(0, 5),
    entries: [6, 7, 8, 9, 10],
    hasMore: false,
  })
  expect(await offsets(10, 2)).toEqual({ ...here, skipped: lost(2, 8), entries: [9], hasMore: true })
  expect(await offsets(10, 1)).toEqual({ ...here, skipped: lost(2, 8), entries: [], hasMore: true })
})

it('a page after a cursor of another log begins with that, and then with what there is', async () => {
  const { log, spec, top } = await lossy()
  const page = await readHistory(log, spec, { generation: 'another', offset: 7 }, 3)
  expect(page).toMatchObject({ skipped: { reason: 'LOG_RESET', skipped: null }, hasMore: true })
  expect(page.entries.map(({ offset }) => offset)).toEqual([1, 2])
  await expect(readHistory(log, spec, { ...top, offset: 11 }, 3)).rejects.toMatchObject({
    code: 'CURSOR_AHEAD',
  })
})
