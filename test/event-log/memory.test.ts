import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Snapshot } from '../../src/event-log/event-log.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import type { TaskKey } from '../../src/task/task.ts'
import { curvesContract } from '../contract/curves.ts'
import { storeContract } from '../contract/store.ts'
import { append, createTask, NOW, progress, range, succeeded } from '../support/tasks.ts'

const options = { retainEvents: 1000, retainSeconds: 3600, maxBytes: 10_000_000 }

describe('the memory engine', () => {
  storeContract(async (given) => new MemoryStore({ ...options, ...given }), {
    interrupt: null,
    openFull: async () => {
      let now = Date.now()
      const store = new MemoryStore({ ...options, retainSeconds: 1, maxBytes: 20_000, now: () => now })
      const finished = await createTask(store)
      return {
        store,
        makeRoom: async () => {
          await append(store, finished, succeeded())
          now += 1000
          await store.dropExpired()
        },
      }
    },
  })
})

describe('curves on the memory engine', () => {
  curvesContract(async (given) => new MemoryStore({ ...options, maxBytes: 100_000_000, ...given }))
})

// Its bounds are its own: other engines have the store's.
describe('the memory engine, bounded', () => {
  let now = NOW
  let log: MemoryStore
  const open = (bounds: Partial<typeof options>) => {
    log = new MemoryStore({ ...options, ...bounds, now: () => now })
  }
  beforeEach(() => {
    now = NOW
  })
  afterEach(() => log.close())
  const exists = async (key: { channelPrefix: string; id: string }) => (await log.snapshot(key)) !== null

  it('drops finished tasks once their retention has passed, and no others', async () => {
    open({ retainSeconds: 10 })
    const running = await createTask(log)
    const early = await createTask(log)
    const late = await createTask(log)
    await append(log, early, succeeded())
    now += 5_000
    await append(log, late, succeeded())
    now += 5_000
    await log.dropExpired()
    expect(await Promise.all([running, early, late].map(exists))).toEqual([true, false, true])
  })

  it('drops the oldest finished tasks when it is full', async () => {
    open({ maxBytes: 20_000 })
    const first = await createTask(log)
    await append(log, first, ...range(1, 10).map((i) => progress(i)), succeeded())
    const second = await createTask(log)
    await append(log, second, ...range(1, 10).map((i) => progress(i)), succeeded())
    const running = await createTask(log)
    while (await exists(first)) {
      expect(await exists(second)).toBe(true)
      await append(log, running, progress(1))
      expect(log.bytes).toBeLessThanOrEqual(20_000)
    }
    expect(await exists(second)).toBe(true)
  })

  it('trims the largest unfinished log when nothing finished is left, and says so to its readers', async () => {
    open({ maxBytes: 40_000 })
    const large = await createTask(log)
    const small = await createTask(log)
    await append(log, small, progress(1))
    for (const i of range(1, 300)) await append(log, large, progress(i))
    expect(log.bytes).toBeLessThanOrEqual(40_000)
    const { top } = (await log.snapshot(large)) ?? {}
    if (!top) throw new Error('the task is gone')
    expect(await log.read(large, { ...top, offset: 1 }, 10)).toMatchObject({
      kind: 'gone',
      reason: 'TRIMMED',
    })
    expect(await log.read(small, null, 10)).toMatchObject({ entries: [{ offset: 1 }, { offset: 2 }] })
  })

  it('refuses a new task when not even that makes room, and forgets nothing else', async () => {
    open({ maxBytes: 8_000 })
    const tasks: TaskKey[] = []
    await expect(async () => {
      for (;;) tasks.push(await createTask(log))
    }).rejects.toMatchObject({ code: 'STORE_FULL' })
    expect(tasks.length).toBeGreaterThan(2)
    expect(await Promise.all(tasks.map(exists))).toEqual(tasks.map(() => true))
    expect(log.bytes).toBeLessThanOrEqual(8_000)
  })

  it('gives back all it counted of a task that is deleted', async () => {
    open({})
    const key = await createTask(log)
    await append(log, key, ...range(1, 100).map((i) => progress(i)), succeeded())
    const renamed = (await log.snapshot(key)) as Snapshot
    await log.edit(key, renamed, { ...renamed.state, message: 'x'.repeat(1000) })
    await log.drop(key, (await log.snapshot(key)) as Snapshot)
    expect(log.bytes).toBe(0)
  })

  it('gives back all it counted when everything is dropped', async () => {
    open({ retainSeconds: 1, retainEvents: 5 })
    for (let task = 0; task < 3; task++) {
      const key = await createTask(log)
      for (const i of range(1, 200)) await append(log, key, progress(i))
      await append(log, key, succeeded())
    }
    now += 2_000
    await log.dropExpired()
    expect(log.bytes).toBe(0)
  })
})
