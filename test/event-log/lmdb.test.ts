import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Snapshot, StoredSnapshot } from '../../src/event-log/event-log.ts'
import { listingOf } from '../../src/event-log/listing.ts'
import { withHead } from '../../src/event-log/lmdb/head.ts'
import { LmdbStore } from '../../src/event-log/lmdb/lmdb.ts'
import type { LmdbStoreOptions } from '../../src/event-log/lmdb/options.ts'
import { openTables } from '../../src/event-log/lmdb/tables.ts'
import { outputText } from '../../src/task/output.ts'
import { initialState, type TaskKey } from '../../src/task/task.ts'
import { curvesContract } from '../contract/curves.ts'
import { outputContract } from '../contract/output.ts'
import { roomContract } from '../contract/room.ts'
import { storeContract } from '../contract/store.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { fullDisk } from '../support/full-disk.ts'
import { append, createTask, NOW, progress, range, runningAgain, succeeded } from '../support/tasks.ts'

const open = (options: Partial<LmdbStoreOptions> = {}) =>
  new LmdbStore({
    path: options.path ?? dataDirectory(),
    retainEvents: 1000,
    retainSeconds: 3600,
    maxBytes: 1_000_000_000,
    share: 1,
    fsync: true,
    onError: () => {},
    ...options,
  })

describe('the lmdb engine', () => {
  // Flushed when they are closed: the contract is not about the disk, and waits for it would be most of its time.
  storeContract(async (options) => open({ fsync: false, ...options }), {
    interrupt: null,
    openFull: async () => {
      let now = Date.now()
      const store = open({ fsync: false, retainSeconds: 1, maxBytes: 20_000, now: () => now })
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

describe('curves on the lmdb engine', () => {
  curvesContract(async (options) => open({ fsync: false, ...options }))
})

describe('output on the lmdb engine', () => {
  outputContract(async (options) => open({ fsync: false, ...options }))
})

describe('room on the lmdb engine', () => {
  roomContract(async (options) => open({ fsync: false, ...options }))
})

describe('the lmdb engine, opened again', () => {
  it('has everything that was acknowledged, under the same positions', async () => {
    const path = dataDirectory()
    const before = open({ path, retainEvents: 50 })
    const [ended, running, curved] = [
      await createTask(before),
      await createTask(before),
      await createTask(before),
    ]
    await append(before, ended, progress(1), succeeded())
    for (const i of range(1, 100)) await append(before, running, progress(i))
    await before.edit(
      running,
      (await before.snapshot(running)) as StoredSnapshot,
      initialState({ ...running, name: 'new' }),
    )
    const { top, state } = (await before.snapshot(curved)) as Snapshot
    const line = outputText({
      timestamp: '',
      stream: 'STDERR',
      text: 'x',
      member: null,
      isCut: false,
      skipped: 2,
    })
    const output = { expected: null, generation: 'g', state: { attempt: 1, producers: { a: '1.x' } } }
    await before.output.append(running, { ...output, texts: Array.from({ length: 300 }, () => line) })
    const put = [{ name: 'a', bytes: Uint8Array.of(0, 255) }]
    const curves = { through: 1, index: 'index', put, drop: [] }
    await before.append(curved, { expected: top, events: [progress(1)], state, isFinal: false, curves })
    const look = async (store: LmdbStore) => ({
      bytes: store.bytes,
      all: await store.list('all', null, 100),
      unfinished: await store.list('unfinished', null, 100),
      logs: await Promise.all([ended, running, curved].map((key) => store.read(key, null, 1000))),
      curves: await store.readCurves(curved),
      segments: await store.readSegments(curved, ['a', 'b']),
      output: [await store.output.find(running), await store.output.read(running, null, 1000)],
    })
    const seen = await look(before)
    expect(seen.logs[1]).toMatchObject({ kind: 'entries', top: { offset: 101 }, revision: 1 })
    expect(seen.output).toMatchObject([{ extent: { top: 300 } }, { kind: 'lines', oldest: 1 }])
    await before.close()
    const after = open({ path, retainEvents: 50 })
    expect(await look(after)).toEqual(seen)
    await append(after, running, progress(101))
    expect(
      await after.read(running, { ...(seen.logs[1] as { top: typeof top }).top, offset: 101 }, 10),
    ).toMatchObject({
      entries: [{ offset: 102, event: progress(101) }],
    })
    await after.close()
  })

  it('lists tasks that an older version stored, or wrote to since, by their states', async () => {
    const path = dataDirectory()
    const before = open({ path })
    const [old, current] = [await createTask(before), await createTask(before)]
    for (const key of [old, current]) await append(before, key, runningAgain())
    await before.close()
    const tables = openTables({ path, fsync: true, mapBytes: 2 ** 30 })
    for (const { key, value } of [...tables.tasks.getRange({})]) {
      const changed = withHead(key, value, ({ listed, ...head }) => {
        if (!listed) throw new Error('it has no listing')
        // An older version copies what it does not know.
        const isOlder = head.key.id === current.id
        return isOlder ? { ...head, listed: { ...listed, status: 'QUEUED', version: head.top - 1 } } : head
      })
      await tables.tasks.put(key, changed as Buffer)
    }
    await tables.root.close()
    const after = open({ path })
    const { listings } = await after.listings(null, 10)
    expect(listings.map(({ id, status }) => [id, status])).toEqual([
      [current.id, 'RUNNING'],
      [old.id, 'RUNNING'],
    ])
    expect(listings).toEqual((await after.list('all', null, 10)).snapshots.map(listingOf))
    await after.close()
  })

  it('still knows what was deleted, and gives no serial twice', async () => {
    const path = dataDirectory()
    const before = open({ path })
    const spec = await createTask(before)
    const { state, serial, top } = (await before.snapshot(spec)) as Snapshot
    await before.drop(spec, (await before.snapshot(spec)) as Snapshot)
    await before.close()
    let now = Date.now()
    const after = open({ path, now: () => now })
    expect(top.offset).toBe(1)
    expect(await after.create(spec, [progress(1)], state)).toEqual({ kind: 'dropped' })
    const next = await createTask(after)
    expect(((await after.snapshot(next)) as Snapshot).serial).toBeGreaterThan(serial)
    now += 3_600_001
    expect(await after.create(spec, [progress(1)], state)).toMatchObject({ kind: 'created' })
    await after.close()
  })

  it('has its leases free again: who held them ended with the process', async () => {
    const path = dataDirectory()
    const before = open({ path })
    await before.lease('server', 'first', 3_600_000)
    await before.close()
    const after = open({ path })
    expect(await after.isLeased('server')).toBe(false)
    await after.close()
  })
})

it('the lmdb engine reads states again that it did not keep', async () => {
  const path = dataDirectory()
  const before = open({ path })
  const spec = await createTask(before, { params: { text: 'träning 🚂' } })
  await append(before, spec, progress(1))
  const seen = await before.snapshot(spec)
  await before.close()
  const after = open({ path })
  expect(await after.snapshot(spec)).toEqual(seen)
  await append(after, spec, progress(2))
  expect(await after.snapshot(spec)).toMatchObject({ state: { current: 2 }, top: { offset: 3 } })
  await after.close()
})

describe('a commit of the lmdb engine', () => {
  it('serves many calls with one fsync', async () => {
    const store = open()
    const tasks = await Promise.all(range(1, 100).map(() => createTask(store)))
    const { commits, calls } = { ...store.counts }
    await Promise.all(tasks.map((task) => append(store, task, progress(1))))
    expect(store.counts.calls - calls).toBe(100)
    expect(store.counts.commits - commits).toBeLessThan(10)
    await store.close()
  })

  it('comes before anybody is shown what it has', async () => {
    const store = open()
    const spec = await createTask(store)
    const heard: string[] = []
    await store.watch(spec, ({ kind }) => heard.push(kind))
    const { top, state } = (await store.snapshot(spec)) as Snapshot
    const appended = store
      .append(spec, { expected: top, events: [progress(1)], state, isFinal: false })
      .then(() => heard.push('acknowledged'))
    for (let turn = 0; store.counts.commits < 2; turn++) {
      expect(turn).toBeLessThan(100)
      expect((await store.snapshot(spec))?.top.offset).toBe(1)
      expect(heard).toEqual([])
      await new Promise((resolve) => setImmediate(resolve))
    }
    await appended
    expect(heard).toEqual(['appended', 'acknowledged'])
    expect((await store.snapshot(spec))?.top.offset).toBe(2)
    await store.close()
  })

  it('without fsync is flushed when the engine is closed', async () => {
    const path = dataDirectory()
    const store = open({ path, fsync: false })
    const spec = await createTask(store)
    await store.close()
    const again = open({ path })
    expect((await again.snapshot(spec))?.top.offset).toBe(1)
    await again.close()
  })
})

// A disk is what no other engine has.
describe.skipIf(!fullDisk.isPossible)('the lmdb engine on a disk that fills up', () => {
  it('refuses what has no room, keeps what it acknowledged, and goes on when there is room', async () => {
    const disk = fullDisk.mount(4)
    const errors: unknown[] = []
    const store = open({ path: join(disk.path, 'data'), onError: (error) => errors.push(error) })
    const kept = await createTask(store)
    const filling = await createTask(store)
    const heard: number[] = []
    await store.watch(filling, (signal) => {
      if (signal.kind === 'appended') heard.push(...signal.entries.map(({ offset }) => offset))
    })
    disk.fill(2_000_000)
    let acknowledged = 1
    const long = { ...progress(1), message: 'x'.repeat(20_000) }
    const error = await (async () => {
      for (;;) {
        await append(store, filling, long)
        acknowledged++
      }
    })().catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'STORE_FULL', details: { retryAfterMs: 1000 } })
    expect(acknowledged).toBeGreaterThan(10)
    // Others of the group are refused as well, and each is whole or not there at all.
    const results = await Promise.allSettled(
      range(1, 20).map(() => createTask(store, { params: { x: 'x'.repeat(90_000) } })),
    )
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'STORE_FULL' })
    }
    expect((await store.snapshot(filling))?.top.offset).toBe(acknowledged)
    expect(heard).toEqual(range(2, acknowledged))
    disk.empty()
    await append(store, filling, progress(2))
    await append(store, kept, progress(1))
    await store.close()
    const again = open({ path: join(disk.path, 'data') })
    const page = await again.read(filling, null, 10_000)
    expect(page.kind === 'entries' && page.entries.map(({ offset }) => offset)).toEqual(
      range(1, acknowledged + 1),
    )
    expect((await again.snapshot(kept))?.top.offset).toBe(2)
    await again.close()
    expect(errors).toEqual([])
  })
})

// Its bounds are those of the memory engine, counted as they are on disk.
describe('the lmdb engine, bounded', () => {
  const exists = async (store: LmdbStore, key: TaskKey) => (await store.snapshot(key)) !== null

  it('drops finished tasks once their retention has passed, and no others', async () => {
    let now = NOW
    const log = open({ retainSeconds: 10, now: () => now })
    const [running, early, late] = [await createTask(log), await createTask(log), await createTask(log)]
    await append(log, early, succeeded())
    now += 5_000
    await append(log, late, succeeded())
    now += 5_000
    await log.dropExpired()
    expect(await Promise.all([running, early, late].map((key) => exists(log, key)))).toEqual([
      true,
      false,
      true,
    ])
    await log.close()
  })

  it('drops the oldest finished tasks when it is full, and then trims the largest log', async () => {
    const maxBytes = 30_000
    const log = open({ maxBytes, fsync: false })
    const first = await createTask(log)
    await append(log, first, ...range(1, 10).map((i) => progress(i)), succeeded())
    const second = await createTask(log)
    await append(log, second, ...range(1, 10).map((i) => progress(i)), succeeded())
    const [large, small] = [await createTask(log), await createTask(log)]
    await append(log, small, progress(1))
    while (await exists(log, first)) {
      expect(await exists(log, second)).toBe(true)
      await append(log, large, progress(1))
      expect(log.bytes).toBeGreaterThan(0)
      expect(log.bytes).toBeLessThanOrEqual(maxBytes)
    }
    expect(await exists(log, second)).toBe(true)
    for (const i of range(1, 300)) await append(log, large, progress(i))
    expect(log.bytes).toBeLessThanOrEqual(maxBytes)
    expect(await exists(log, second)).toBe(false)
    const { top } = (await log.snapshot(large)) as Snapshot
    expect(await log.read(large, { ...top, offset: 1 }, 10)).toMatchObject({
      kind: 'gone',
      reason: 'TRIMMED',
    })
    expect(await log.read(small, null, 10)).toMatchObject({ entries: [{ offset: 1 }, { offset: 2 }] })
    await log.close()
  })

  it('never refuses an end, which makes room for the next', async () => {
    const log = open({ maxBytes: 20_000, fsync: false })
    const first = await createTask(log)
    const others = async () => {
      for (;;) await createTask(log, { params: { x: 'x'.repeat(1000) } })
    }
    await expect(others()).rejects.toMatchObject({ code: 'STORE_FULL' })
    const long = { ...progress(1), message: 'x'.repeat(3000) }
    await append(log, first, long, succeeded())
    expect((await log.snapshot(first))?.state.status).toBe('SUCCESS')
    await createTask(log)
    expect(await exists(log, first)).toBe(false)
    expect(log.bytes).toBeLessThanOrEqual(20_000)
    await log.close()
  })

  it('gives back all it counted, also of what only a later process drops', async () => {
    let now = NOW
    const path = dataDirectory()
    const options = { path, retainSeconds: 1, retainEvents: 5, fsync: false, now: () => now }
    const log = open(options)
    for (let task = 0; task < 3; task++) {
      const key = await createTask(log)
      for (const i of range(1, 50)) await append(log, key, progress(i), progress(i))
      await append(log, key, succeeded())
    }
    const { bytes } = log
    await log.close()
    now += 2_000
    const again = open(options)
    expect(again.bytes).toBe(bytes)
    await again.dropExpired()
    expect(again.bytes).toBe(0)
    await again.close()
  })
})
