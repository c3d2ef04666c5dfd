import { afterEach, expect, it, vi } from 'vitest'
import type { Snapshot } from '../../src/event-log/event-log.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { TaskUpdates } from '../../src/feed/task-updates.ts'
import { append, createTask, progress, range, succeeded } from '../support/tasks.ts'

const options = { minIntervalMs: 0, maxStreamMs: 60_000 }
let log: MemoryStore
afterEach(() => log.close())

const open = () => {
  log = new MemoryStore({ retainEvents: 100, retainSeconds: 3600, maxBytes: 500_000_000 })
  return new TaskUpdates(log)
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
