import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Liveness } from '../../src/dispatch/liveness.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import type { TaskKey } from '../../src/task/task.ts'
import { append, createTask, progress, range, runningAgain, succeeded } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { taskWriter } from '../support/writer.ts'

let store: MemoryStore
let liveness: Liveness
let errors: unknown[]
let snapshots: ReturnType<typeof vi.spyOn>
let lists: ReturnType<typeof vi.spyOn>
beforeEach(() => {
  errors = []
  store = new MemoryStore({ retainEvents: 100, retainSeconds: 3600, maxBytes: 100_000_000 })
  snapshots = vi.spyOn(store, 'snapshot')
  lists = vi.spyOn(store, 'list')
})
afterEach(async () => {
  await liveness.close()
  await store.close()
  expect(errors).toEqual([])
})
const start = (stallMs: number, abandonMs = 1e9, serverId = 'this', followed: readonly string[] = []) => {
  const onError = (error: unknown) => errors.push(error)
  liveness = new Liveness(store, taskWriter(store), {
    serverId,
    stallMs,
    abandonMs,
    serverLeaseMs: 500,
    isAlone: false,
    isFollowed: ({ trainer }) => followed.includes(trainer),
    onError,
  })
  liveness.start()
}
const statusOf = async (key: TaskKey) => (await MemoryStore.prototype.snapshot.call(store, key))?.state.status
/** So many more looks have been begun. */
const checks = async (count: number) => {
  const leases = vi.spyOn(store, 'lease')
  await until('checks', () => leases.mock.calls.filter(([name]) => name === 'liveness').length >= count)
  leases.mockRestore()
}
const now = () => ({ createdAt: Date.now() })

it('looks at those tasks whose time has come, and at no others', async () => {
  for (const _ of range(1, 2000)) await createTask(store, now())
  const silent: TaskKey[] = []
  for (const _ of range(1, 3)) silent.push(await createTask(store, { createdAt: Date.now() - 2e9 }))
  start(1e9)
  await until('the silent to be given up', async () =>
    (await Promise.all(silent.map(statusOf))).every((status) => status === 'FAILURE'),
  )
  await checks(3)
  const looked = new Set(snapshots.mock.calls.map((call: unknown[]) => (call[0] as TaskKey).id))
  expect([...looked].sort()).toEqual(silent.map(({ id }) => id).sort())
  // The list was read once, in pages.
  expect(lists.mock.calls.length).toBe(21)
})

it('goes by what is heard: tasks that begin, go silent, are asked to stop, end and come back', async () => {
  start(200)
  await checks(2)
  const key = await createTask(store, now())
  const ended = await createTask(store, now())
  await append(store, key, { ...runningAgain(), recordedAt: Date.now() })
  await append(store, ended, succeeded())
  await until('the stall', async () => (await statusOf(key)) === 'STALLED')
  const writer = taskWriter(store)
  await writer.update(key, (state) => ({
    events: [{ ...progress(2), recordedAt: Date.now() }],
    state: { ...state, status: 'RUNNING', heardAt: Date.now() },
  }))
  await until('another stall', async () => (await statusOf(key)) === 'STALLED')
  await writer.update(key, (state) => ({
    events: [{ ...progress(3), recordedAt: Date.now() }],
    state: { ...state, stopRequested: true },
  }))
  await until('its end, as it was asked to stop', async () => (await statusOf(key)) === 'CANCELLED')
  expect(await statusOf(ended)).toBe('SUCCESS')
})

it('ends what a server held that is gone, and lets others be', async () => {
  const lost = await createTask(store, { ...now(), holder: 'gone' })
  const own = await createTask(store, { ...now(), holder: 'this' })
  start(1e9)
  await until('the loss', async () => (await statusOf(lost)) === 'FAILURE')
  expect(await statusOf(own)).toBe('QUEUED')
})

it('lets a task go that is deleted while it is looked at', async () => {
  const key = await createTask(store, { createdAt: Date.now() - 2e9 })
  snapshots.mockImplementationOnce(async () => {
    const found = await MemoryStore.prototype.snapshot.call(store, key)
    await append(store, key, succeeded())
    await store.drop(
      key,
      (await MemoryStore.prototype.snapshot.call(store, key)) as NonNullable<typeof found>,
    )
    return found
  })
  start(1e9)
  await checks(3)
  expect(await statusOf(key)).toBeUndefined()
})

it('yields between every fifty that are due at once', async () => {
  for (const _ of range(1, 600)) await createTask(store, { createdAt: Date.now() - 2e9 })
  let inTurn = 0
  let most = 0
  snapshots.mockImplementation((key: unknown) => {
    if (inTurn++ === 0)
      setImmediate(() => {
        inTurn = 0
      })
    most = Math.max(most, inTurn)
    return MemoryStore.prototype.snapshot.call(store, key as TaskKey)
  })
  start(1e9, 1e9)
  await until(
    'all to be given up',
    async () => (await store.list('unfinished', null, 1)).snapshots.length === 0,
  )
  // Each is read to be looked at, and once more to be written to.
  expect(most).toBeLessThanOrEqual(100)
})

it('does not give up a task whose launcher tells its end: it waits in a queue, or stays stalled', async () => {
  const before = { createdAt: Date.now() - 10_000 }
  const waiting = await createTask(store, { ...before, trainer: 'queued' })
  const running = await createTask(store, { ...before, trainer: 'queued' })
  const asked = await createTask(store, { ...before, trainer: 'queued' })
  const external = await createTask(store, before)
  const then = { recordedAt: Date.now() - 10_000 }
  await append(store, running, { ...runningAgain(), ...then })
  await append(store, asked, { ...runningAgain(), ...then, stopRequested: true } as ReturnType<
    typeof runningAgain
  >)
  start(200, 400, 'this', ['queued'])
  await until('the others to be given up', async () => (await statusOf(external)) === 'FAILURE')
  await until('the stall', async () => (await statusOf(running)) === 'STALLED')
  await checks(5)
  expect(await Promise.all([waiting, running, asked].map(statusOf))).toEqual(['QUEUED', 'STALLED', 'STALLED'])
  expect((await MemoryStore.prototype.snapshot.call(store, asked))?.state.stopRequested).toBe(true)
})
