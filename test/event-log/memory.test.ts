import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Snapshot, StoredSnapshot } from '../../src/event-log/event-log.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import type { TaskKey } from '../../src/task/task.ts'
import { curvesContract } from '../contract/curves.ts'
import { outputContract } from '../contract/output.ts'
import { roomContract } from '../contract/room.ts'
import { storeContract } from '../contract/store.ts'
import {
  append,
  createTask,
  givenUp,
  NOW,
  progress,
  range,
  runningAgain,
  succeeded,
} from '../support/tasks.ts'

const options = { retainEvents: 1000, retainSeconds: 3600, maxBytes: 10_000_000, share: 1 }

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

describe('output on the memory engine', () => {
  outputContract(async (given) => new MemoryStore({ ...options, ...given }))
})

describe('room on the memory engine', () => {
  roomContract(async (given) => new MemoryStore({ ...options, ...given }))
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

  it('trims no log of another owner, and none below its newest hundred events', async () => {
    open({ maxBytes: 200_000, share: 0.9 })
    const of = async (owner: string, events: number) => {
      const key = await createTask(log, { owner })
      for (const i of range(1, events)) await append(log, key, progress(i))
      return key
    }
    const lengthOf = async (key: TaskKey) => {
      const page = await log.read(key, null, 1000)
      return page.kind === 'entries' ? page.entries.length : page.kind
    }
    const other = await of('10.0.0.2', 150)
    const long = await of('10.0.0.1', 250)
    const short = await of('10.0.0.1', 50)
    await of('10.0.0.1', 800)
    await expect(async () => {
      for (;;) await of('10.0.0.1', 1)
    }).rejects.toMatchObject({ code: 'STORE_FULL' })
    expect(await Promise.all([other, long, short].map(lengthOf))).toEqual([151, 100, 51])
    expect(log.bytes).toBeLessThanOrEqual(200_000)
  })

  it('lists unfinished tasks in order, whatever finished, came back or went meanwhile', async () => {
    open({})
    const keys: TaskKey[] = []
    for (const _ of range(1, 9)) keys.push(await createTask(log))
    const at = (i: number) => keys[i] as TaskKey
    for (const i of [1, 3, 4]) await append(log, at(i), givenUp())
    await append(log, at(3), runningAgain())
    await append(log, at(7), succeeded())
    await log.drop(at(7), (await log.snapshot(at(7))) as Snapshot)
    const pages: string[][] = []
    for (let before: number | null = null, more = true; more; ) {
      const page = await log.list('unfinished', before, 2)
      pages.push(page.snapshots.map(({ state }) => state.spec.id))
      before = page.snapshots.at(-1)?.serial ?? null
      more = page.hasMore
    }
    const ids = (...indexes: number[]) => indexes.map((i) => at(i).id)
    expect(pages).toEqual([ids(8, 6), ids(5, 3), ids(2, 0)])
  })

  it('drops thousands that expire at once in several turns of the event loop', async () => {
    open({ retainSeconds: 1 })
    for (const _ of range(1, 350)) await append(log, await createTask(log), succeeded())
    now += 2_000
    let turns = 0
    const tick = () => {
      turns++
      if (log.bytes > 0) setImmediate(tick)
    }
    setImmediate(tick)
    await log.dropExpired()
    expect(log.bytes).toBe(0)
    expect(turns).toBeGreaterThanOrEqual(3)
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
    const renamed = (await log.snapshot(key)) as StoredSnapshot
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
