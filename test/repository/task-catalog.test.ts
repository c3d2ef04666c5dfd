import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import type { Snapshot } from '../../src/event-log/event-log.ts'
import type { ListingChange } from '../../src/event-log/listing.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { ANYONE } from '../../src/repository/access.ts'
import { findTasks, findTasksOnce, type TaskPageRequest } from '../../src/repository/find-tasks.ts'
import { TaskCatalog } from '../../src/repository/task-catalog.ts'
import { type TaskFilter, taskQuery } from '../../src/repository/task-filter.ts'
import { EpochcastError } from '../../src/task/errors.ts'
import { append, createTask, progress, range, succeeded } from '../support/tasks.ts'
import { until } from '../support/until.ts'

let store: MemoryStore
let catalog: TaskCatalog
let errors: unknown[]
let tell: (change: ListingChange) => void
beforeEach(() => {
  errors = []
  store = new MemoryStore({ retainEvents: 100, retainSeconds: 3600, maxBytes: 50_000_000 })
  const watch = store.watchListings.bind(store)
  vi.spyOn(store, 'watchListings').mockImplementation((onChange) => {
    tell = onChange
    return watch((change) => tell(change))
  })
  catalog = new TaskCatalog(store, (error) => errors.push(error))
})
afterEach(async () => {
  await catalog.close()
  await store.close()
})

const find = async (filter: TaskFilter, request: Partial<TaskPageRequest> = {}) => {
  const page = await findTasks(catalog, taskQuery(filter), {
    order: 'CREATED_DESC',
    after: null,
    limit: 10,
    ...request,
  })
  const ids = page.tasks.map(({ snapshot }) => snapshot.state.spec.id)
  return { ids, hasMore: page.hasMore, last: page.tasks.at(-1)?.cursor ?? null }
}

it('knows what was there before it listened, and what came since', async () => {
  for (const i of range(1, 1200)) await createTask(store, { id: `early-${i}`, machineId: `m${i % 400}` })
  await catalog.loaded()
  await createTask(store, { id: 'late', machineId: 'm7' })
  expect((await find({ machineId: 'm7' })).ids).toEqual(['late', 'early-807', 'early-407', 'early-7'])
})

it('pages without a gap and without a repetition, in each order', async () => {
  for (const i of range(1, 25)) await createTask(store, { id: `t${i}` })
  for (const order of ['CREATED_DESC', 'CREATED_ASC', 'UPDATED_DESC'] as const) {
    const ids: string[] = []
    let after: string | null = null
    for (;;) {
      const page: Awaited<ReturnType<typeof find>> = await find(
        { trainer: 'external' },
        { order, after, limit: 4 },
      )
      ids.push(...page.ids)
      after = page.last
      if (!page.hasMore) break
    }
    const oldestFirst = range(1, 25).map((i) => `t${i}`)
    expect(ids).toEqual(order === 'CREATED_ASC' ? oldestFirst : oldestFirst.reverse())
  }
})

it('orders a page by what the tasks say now, though their listings are older', async () => {
  await catalog.loaded()
  const [a, b] = [await createTask(store, { id: 'a' }), await createTask(store, { id: 'b' })]
  tell = () => {}
  await append(store, b, progress(1))
  await append(store, a, progress(2))
  expect((await find({}, { order: 'UPDATED_DESC' })).ids).toEqual(['a', 'b'])
})

it('has the newest change first, also of tasks whose last changes were not told', async () => {
  await catalog.loaded()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const [a] = [await createTask(store, { id: 'a' }), await createTask(store, { id: 'b' })]
  const { state } = (await store.snapshot(a)) as Snapshot
  // A writer keeps a change to itself that comes soon after another.
  const later = { ...progress(1), recordedAt: state.updatedAt + 5000 }
  tell = () => {}
  await append(store, a, later)
  const newest = async () => (await find({}, { order: 'UPDATED_DESC', limit: 1 })).ids
  const known = () => catalog.index.get(1)?.updatedAt
  expect(known()).toBe(state.updatedAt)
  await vi.advanceTimersByTimeAsync(11_000)
  expect(known()).toBe(state.updatedAt + 5000)
  expect(await newest()).toEqual(['a'])
  expect(errors).toEqual([])
})

it('never shows a task that no longer matches or is gone, and fills the page with the next', async () => {
  await catalog.loaded()
  for (const i of range(1, 8)) await createTask(store, { id: `t${i}` })
  // Nothing of this is heard.
  const hear = tell
  tell = () => {}
  await append(store, { channelPrefix: 'gan:training', id: 't7' }, succeeded())
  const snapshot = store.snapshot.bind(store)
  vi.spyOn(store, 'snapshot').mockImplementation(async (key) => (key.id === 't5' ? null : snapshot(key)))
  expect(await find({ statuses: ['QUEUED'] }, { limit: 3 })).toMatchObject({
    ids: ['t8', 't6', 't4'],
    hasMore: true,
  })
  expect(await find({ statuses: ['SUCCESS'] })).toMatchObject({ ids: ['t7'], hasMore: false })
  expect(catalog.index.size).toBe(7)
  tell = hear
})

it('reads everything again after an interruption, and forgets what is gone', async () => {
  const kept = await createTask(store, { id: 'kept' })
  await catalog.loaded()
  await createTask(store, { id: 'gone' })
  const hear = tell
  tell = () => {}
  await createTask(store, { id: 'new' })
  await append(store, kept, succeeded())
  const read = store.listings.bind(store)
  vi.spyOn(store, 'listings').mockImplementation(async (...args) => {
    const page = await read(...args)
    return { ...page, listings: page.listings.filter(({ id }) => id !== 'gone') }
  })
  hear({ kind: 'unknown' })
  await catalog.caughtUp()
  expect([...catalog.index.values()].map(({ id, status }) => `${id} ${status}`).sort()).toEqual([
    'kept SUCCESS',
    'new QUEUED',
  ])
})

it('takes the newest of listings that cross', async () => {
  await catalog.loaded()
  const spec = await createTask(store)
  const [early] = [...catalog.index.values()]
  if (!early) throw new Error('not listed')
  await append(store, spec, succeeded())
  tell({ kind: 'listed', listing: early })
  expect([...catalog.index.values()].map(({ status }) => status)).toEqual(['SUCCESS'])
})

it('is loaded as soon as the engine is in reach', async () => {
  await createTask(store, { id: 'there' })
  vi.spyOn(store, 'listings').mockRejectedValueOnce(new EpochcastError('ENGINE_UNAVAILABLE', 'away'))
  catalog.start()
  await until('the failure', () => errors.length === 1)
  expect(catalog.isLoaded).toBe(false)
  expect((await find({ trainer: 'external' })).ids).toEqual(['there'])
})

it('refuses a cursor of another order', async () => {
  await createTask(store)
  const { last } = await find({}, { order: 'UPDATED_DESC' })
  await expect(find({}, { after: last })).rejects.toMatchObject({
    code: 'BAD_CURSOR',
    message: expect.stringContaining('another order'),
  })
  await expect(find({}, { after: 'x' })).rejects.toMatchObject({ code: 'BAD_CURSOR' })
})

it('equal searches of one turn of the event loop are one; other callers, filters and later turns have their own', async () => {
  for (const i of range(1, 5)) await createTask(store, { id: `t${i}` })
  await catalog.loaded()
  const lookups = vi.spyOn(store, 'snapshot')
  const request: TaskPageRequest = { order: 'CREATED_DESC', after: null, limit: 10 }
  const search = (filter: TaskFilter, caller = ANYONE) => findTasksOnce(catalog, filter, caller, request)
  const one = { ...ANYONE, taskIds: new Set(['t3']) }
  const pages = await Promise.all([
    ...range(1, 20).map(() => search({ trainer: 'external' })),
    search({ trainer: 'external' }, one),
    search({ statuses: ['QUEUED'] }),
  ])
  expect(pages.map(({ tasks }) => tasks.length)).toEqual([...range(1, 20).map(() => 5), 1, 5])
  expect(lookups).toHaveBeenCalledTimes(5 + 1 + 5)
  await new Promise(setImmediate)
  await createTask(store, { id: 't6' })
  expect((await search({ trainer: 'external' })).tasks).toHaveLength(6)
})
