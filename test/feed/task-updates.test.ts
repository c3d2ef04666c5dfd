import { afterEach, expect, it, vi } from 'vitest'
import type { Snapshot, StoredSnapshot } from '../../src/event-log/event-log.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { EngineWait } from '../../src/feed/engine-wait.ts'
import { ShownTasks } from '../../src/feed/shown-tasks.ts'
import { TaskUpdates } from '../../src/feed/task-updates.ts'
import { TaskCatalog } from '../../src/repository/task-catalog.ts'
import { type TaskFilter, taskQuery } from '../../src/repository/task-filter.ts'
import { edited } from '../../src/task/edit.ts'
import type { TaskStatus } from '../../src/task/task.ts'
import { append, createTask, newState, progress, range, succeeded } from '../support/tasks.ts'

const options = { minIntervalMs: 0, maxStreamMs: 60_000 }
let log: MemoryStore
let catalog: TaskCatalog
afterEach(async () => {
  await catalog.close()
  await log.close()
})

const open = (keptSize?: number) => {
  log = new MemoryStore({ retainEvents: 100, retainSeconds: 3600, maxBytes: 500_000_000 })
  catalog = new TaskCatalog(log, (error) => {
    throw error
  })
  return new TaskUpdates(log, catalog, new EngineWait(log, 0), undefined, keptSize)
}

async function next(stream: AsyncIterator<Snapshot>): Promise<string> {
  const { value } = await stream.next()
  return `${value.state.spec.id} ${value.state.status} ${value.state.current ?? ''}`.trim()
}

it('gives a slow reader each task once, in its newest state', async () => {
  const updates = open()
  const [a, b] = [await createTask(log, { id: 'a' }), await createTask(log, { id: 'b' })]
  const stream = updates.stream({}, options)
  expect([await next(stream), await next(stream)]).toEqual(['b QUEUED', 'a QUEUED'])
  for (const i of range(1, 100)) await append(log, i % 2 ? a : b, progress(i))
  await append(log, a, succeeded())
  expect([await next(stream), await next(stream)]).toEqual(['b QUEUED 100', 'a SUCCESS 99'])
  await stream.return?.()
  expect([updates.size, log.watchCount]).toEqual([0, 0])
})

it.each([
  ['once for all of them', undefined, 10],
  ['for each of them, where that does not fit', 3000, 20],
  ['for each of them, where nothing fits', 1, 20],
])('a task that changed is read %s', async (_, keptSize, expected) => {
  const updates = open(keptSize)
  const tasks = await Promise.all(range(0, 9).map((i) => createTask(log, { id: `t${i}` })))
  const streams = [updates.stream({}, options), updates.stream({}, options)]
  for (const stream of streams) for (const _ of tasks) await next(stream)
  for (const task of tasks) await append(log, task, progress(1))
  const reads = vi.spyOn(log, 'snapshot')
  for (const stream of streams) {
    const told = []
    for (const _ of tasks) told.push(await next(stream))
    expect(told).toEqual(range(0, 9).map((i) => `t${i} QUEUED 1`))
  }
  expect(reads.mock.calls.length).toBe(expected)
  for (const stream of streams) await stream.return?.()
})

it('tells a reader that fell behind the whole list of changes every change all the same', async () => {
  const updates = open()
  const quiet = await createTask(log, { id: 'quiet' })
  const busy = await createTask(log, { id: 'busy' })
  const stream = updates.stream({}, options)
  expect([await next(stream), await next(stream)]).toEqual(['busy QUEUED', 'quiet QUEUED'])
  await append(log, quiet, { ...succeeded(), recordedAt: Date.now() })
  for (let i = 0; i < 20_001; i++) await append(log, busy, { ...progress(1), recordedAt: Date.now() })
  expect([await next(stream), await next(stream)].sort()).toEqual(['busy QUEUED 1', 'quiet SUCCESS'])
  await stream.return?.()
})

it('misses no change of a task while the engine was out of reach, whichever clock it was made by', async () => {
  const updates = open()
  let tell: (key: null) => void = () => {}
  const watchAll = log.watchAll.bind(log)
  vi.spyOn(log, 'watchAll').mockImplementation((onChange) => {
    tell = onChange
    return watchAll(() => {})
  })
  const [a, b] = [await createTask(log, { id: 'a' }), await createTask(log, { id: 'b' })]
  const stream = updates.stream({}, options)
  expect([await next(stream), await next(stream)]).toEqual(['b QUEUED', 'a QUEUED'])
  // Announced to nobody; the server that recorded b was a few seconds ahead.
  await append(log, a, { ...succeeded(), recordedAt: Date.now() })
  await append(log, b, { ...progress(1), recordedAt: Date.now() + 5000 })
  tell(null)
  expect([await next(stream), await next(stream)].sort()).toEqual(['a SUCCESS', 'b QUEUED 1'])
  await stream.return?.()
})

it('lets go of everything when its reader leaves while waiting', async () => {
  const updates = open()
  await createTask(log)
  const stream = updates.stream({}, options)
  await stream.next()
  const waiting = stream.next()
  await stream.return?.()
  expect((await waiting).done).toBe(true)
  expect([updates.size, log.watchCount]).toEqual([0, 0])
})

it('opens with what is unfinished or has just ended, and with named tasks whatever their status', async () => {
  const updates = open()
  const end = async (id: string, secondsAgo: number) => {
    const key = await createTask(log, { id })
    await append(log, key, { ...succeeded(), recordedAt: Date.now() - 1000 * secondsAgo })
  }
  await end('old', 100)
  await end('recent', 10)
  await createTask(log, { id: 'running' })
  const opening = async (filter: TaskFilter, finishedWithinMs: number, count: number) => {
    const stream = updates.stream(filter, { ...options, finishedWithinMs })
    const opened: string[] = []
    for (let i = 0; i < count; i++) opened.push(await next(stream))
    const more = stream.next()
    await stream.return?.()
    expect((await more).done).toBe(true)
    return opened
  }
  expect(await opening({}, 50_000, 2)).toEqual(['running QUEUED', 'recent SUCCESS'])
  expect(await opening({}, 500_000, 3)).toEqual(['running QUEUED', 'recent SUCCESS', 'old SUCCESS'])
  expect(await opening({}, 0, 1)).toEqual(['running QUEUED'])
  expect(await opening({ statuses: ['SUCCESS'] }, 50_000, 1)).toEqual(['recent SUCCESS'])
  expect(await opening({ ids: ['old', 'running', 'nobody'] }, 0, 2)).toEqual([
    'running QUEUED',
    'old SUCCESS',
  ])
})

it('tells a task once more when it leaves the filter, and again when it comes back', async () => {
  const updates = open()
  const task = await createTask(log, { id: 'a', labels: { team: 'vision' } })
  const never = await createTask(log, { id: 'never' })
  const label = async (team: string) => {
    const expected = (await log.snapshot(task)) as StoredSnapshot
    await log.edit(
      task,
      expected,
      edited(expected.state, { name: null, labels: { team }, updatedAt: Date.now() }),
    )
  }
  const stream = updates.stream({ labels: { team: 'vision' } }, options)
  expect(await next(stream)).toBe('a QUEUED')
  await label('speech')
  expect(await next(stream)).toBe('a QUEUED')
  // No longer its concern.
  await append(log, task, progress(1))
  await append(log, never, progress(1))
  await label('vision')
  expect(await next(stream)).toBe('a QUEUED 1')
  await stream.return?.()
})

it('tells of a task that left the filter while the engine was out of reach', async () => {
  const updates = open()
  let tell: (key: null) => void = () => {}
  const watchAll = log.watchAll.bind(log)
  vi.spyOn(log, 'watchAll').mockImplementation((onChange) => {
    tell = onChange
    return watchAll(() => {})
  })
  const task = await createTask(log, { id: 'a' })
  await createTask(log, { id: 'b' })
  const stream = updates.stream({ statuses: ['QUEUED'] }, options)
  expect([await next(stream), await next(stream)]).toEqual(['b QUEUED', 'a QUEUED'])
  await append(log, task, { ...succeeded(), recordedAt: Date.now() })
  tell(null)
  expect(await next(stream)).toBe('a SUCCESS')
  await stream.return?.()
})

it('remembers only so many tasks that may leave a filter, those that it showed last', () => {
  const shown = new ShownTasks(taskQuery({ statuses: ['QUEUED'] }), 2)
  const snapshot = (serial: number, status: TaskStatus): Snapshot => ({
    state: { ...newState(), status },
    top: { generation: 'g', offset: 1 },
    serial,
    revision: 0,
  })
  for (const serial of [1, 2, 3]) expect(shown.isToBeTold(snapshot(serial, 'QUEUED'))).toBe(true)
  expect([1, 2, 3].map((serial) => shown.isToBeTold(snapshot(serial, 'RUNNING')))).toEqual([
    false,
    true,
    true,
  ])
})

it('remembers little for each subscriber where all of them remember much', () => {
  const query = taskQuery({ statuses: ['QUEUED'] })
  const [first, second] = [new ShownTasks(query, 1000, 150), new ShownTasks(query, 1000, 150)]
  const show = (shown: ShownTasks, serial: number, status: TaskStatus = 'QUEUED') =>
    shown.isToBeTold({
      state: { ...newState(), status },
      top: { generation: 'g', offset: 1 },
      serial,
      revision: 0,
    })
  for (const serial of range(1, 140)) show(first, serial)
  for (const serial of range(1, 120)) show(second, serial)
  const left = (shown: ShownTasks, upTo: number) =>
    range(1, upTo).filter((serial) => show(shown, serial, 'RUNNING'))
  expect(left(second, 120)).toEqual(range(21, 120))
  // Alone again, it has all the room.
  for (const serial of range(1, 9)) show(second, serial)
  first.forget()
  for (const serial of range(1, 130)) show(second, serial)
  expect(left(second, 130)).toEqual(range(1, 130))
})

it('opens a filter of few among many tasks without a look at the others', async () => {
  const updates = open()
  for (const i of range(1, 5000)) await createTask(log, { id: `t${i}`, machineId: `m${i % 2500}` })
  await catalog.loaded()
  const snapshots = vi.spyOn(log, 'snapshot')
  const lists = vi.spyOn(log, 'list')
  const examined = catalog.index.examined
  const stream = updates.stream({ machineId: 'm7' }, options)
  expect([await next(stream), await next(stream)]).toEqual(['t2507 QUEUED', 't7 QUEUED'])
  expect(snapshots).toHaveBeenCalledTimes(2)
  expect(lists).not.toHaveBeenCalled()
  expect(catalog.index.examined - examined).toBeLessThan(10)
  await stream.return?.()
})
