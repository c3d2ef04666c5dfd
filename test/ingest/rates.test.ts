import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { Ingest } from '../../src/ingest/ingest.ts'
import { ANYONE, type Caller } from '../../src/repository/access.ts'
import { LIMITS } from '../../src/task/limits.ts'
import type { ReportBatch } from '../../src/task/plan-reports.ts'
import type { TaskKey } from '../../src/task/task.ts'
import { createTask, range } from '../support/tasks.ts'
import { taskWriter } from '../support/writer.ts'

let store: MemoryStore
let key: TaskKey
beforeEach(async () => {
  vi.spyOn(performance, 'now').mockReturnValue(1000)
  store = new MemoryStore({ retainEvents: 10_000, retainSeconds: 3600, maxBytes: 100_000_000 })
  key = await createTask(store)
})
afterEach(async () => {
  vi.restoreAllMocks()
  await store.close()
})

const ingestWith = (reportsPerSecond: number | null) =>
  new Ingest(taskWriter(store), ['gan:training'], { reportsPerSecond })
const reporter = (ingest: Ingest, task = key) => {
  let current = 0
  return (count: number, firstSequence: number | null = null) =>
    ingest.report(ANYONE, task.id, null, {
      reports: range(1, count).map(() => ({ progress: { current: ++current } })),
      member: null,
      producer: firstSequence === null ? null : 'p',
      firstSequence,
      attempt: null,
    })
}
const LIMITED = { code: 'RATE_LIMITED' }

it('one task takes so many reports a second, twice as many at once, and is told when to come back', async () => {
  const ingest = ingestWith(1000)
  const report = reporter(ingest)
  expect(await report(1000)).toMatchObject({ accepted: 1000 })
  expect(await report(1000)).toMatchObject({ accepted: 1000 })
  const top = (await store.snapshot(key))?.top
  await expect(report(500)).rejects.toMatchObject({
    ...LIMITED,
    message: expect.stringContaining('EPOCHCAST_TASK_REPORTS_PER_SECOND'),
    details: { retryAfterMs: 500 },
  })
  // Whole, or not at all.
  expect((await store.snapshot(key))?.top).toEqual(top)
  const other = reporter(ingest, await createTask(store))
  expect(await other(1000)).toMatchObject({ accepted: 1000 })
  vi.spyOn(performance, 'now').mockReturnValue(1500)
  expect(await report(500)).toMatchObject({ accepted: 500 })
  await expect(report(1)).rejects.toMatchObject(LIMITED)
})

it('repeats and questions are not counted', async () => {
  const ingest = ingestWith(500)
  expect(await reporter(ingest)(1000, 1)).toMatchObject({ accepted: 1000 })
  for (const _ of range(1, 5))
    expect(await reporter(ingest)(1000, 1)).toMatchObject({ accepted: 0, duplicates: 1000 })
  expect(await reporter(ingest)(0)).toMatchObject({ accepted: 0 })
  await expect(reporter(ingest)(1)).rejects.toMatchObject(LIMITED)
})

it('has no bound where it is off, and one call always fits', async () => {
  const report = reporter(ingestWith(null))
  for (const _ of range(1, 5)) expect(await report(1000)).toMatchObject({ accepted: 1000 })
  const slow = reporter(ingestWith(1), await createTask(store))
  expect(await slow(1000)).toMatchObject({ accepted: 1000 })
  await expect(slow(1)).rejects.toMatchObject(LIMITED)
})

it('a report token ends a day after its task, and is of no other start', async () => {
  let now = Date.now()
  const ingest = new Ingest(taskWriter(store), ['gan:training'], { now: () => now })
  const { spec } = (await store.snapshot(key))?.state ?? {}
  const holder: Caller = {
    ...ANYONE,
    scopes: new Set(['tasks:report']),
    taskIds: new Set([key.id]),
    channelPrefixes: new Set([key.channelPrefix]),
    taskCreatedAt: spec?.createdAt ?? 0,
  }
  const report = (caller: Caller, reports: ReportBatch['reports']) =>
    ingest.report(caller, key.id, null, {
      reports,
      member: null,
      producer: null,
      firstSequence: null,
      attempt: null,
    })
  await expect(report({ ...holder, taskCreatedAt: 1 }, [])).rejects.toMatchObject({
    code: 'TASK_NOT_FOUND',
  })
  expect(await report(holder, [{ progress: { current: 1 } }])).toMatchObject({ accepted: 1 })
  now += 30 * LIMITS.reportTokenAfterEndMs
  expect(await report(holder, [{ success: {} }])).toMatchObject({ accepted: 1 })
  now += LIMITS.reportTokenAfterEndMs
  expect(await report(holder, [])).toMatchObject({ stopRequested: true })
  now += 1
  await expect(report(holder, [])).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    details: { reason: 'expired' },
  })
})
