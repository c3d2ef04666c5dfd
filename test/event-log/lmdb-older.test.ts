import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Snapshot } from '../../src/event-log/event-log.ts'
import { backUp } from '../../src/event-log/lmdb/inspect.ts'
import { LmdbStore } from '../../src/event-log/lmdb/lmdb.ts'
import type { Position } from '../../src/task/position.ts'
import type { TaskKey } from '../../src/task/task.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { append, createTask, progress, range } from '../support/tasks.ts'

const open = (path: string, fsync: boolean) =>
  new LmdbStore({
    path,
    retainEvents: 1000,
    retainSeconds: 3600,
    maxBytes: 1_000_000_000,
    share: 1,
    fsync,
    onError: (error) => {
      throw error
    },
  })

/** As a process leaves it that was killed. */
const leaveUnclosed = (path: string) => rmSync(join(path, 'closed'))

/** As if the machine had been started again since. */
function startMachineAgain(path: string, boot = 'another-boot'): void {
  const file = join(path, 'running')
  const [inode, flushed] = readFileSync(file, 'utf8').split(' ')
  writeFileSync(file, `${inode} ${flushed} ${boot}\n`)
}

const topOf = async (store: LmdbStore, key: TaskKey) => ((await store.snapshot(key)) as Snapshot).top

/**
 * A log of which five events were shown, and whose file went back to the time when there were three: what a power cut
 * may leave of writes that were not flushed.
 */
async function rolledBack(path: string, fsync: boolean) {
  const store = open(path, fsync)
  const key = await createTask(store)
  for (const i of range(2, 3)) await append(store, key, progress(i))
  const bytes = readFileSync(join(path, 'data.mdb'))
  for (const i of range(4, 5)) await append(store, key, progress(i))
  const shown = await topOf(store, key)
  await store.close()
  leaveUnclosed(path)
  writeFileSync(join(path, 'data.mdb'), bytes)
  return { key, shown }
}

/** Opens it, and finds that logs go on as they were, or under generations of their own. */
async function reopened(path: string, key: TaskKey, { generation, offset }: Position) {
  const store = open(path, true)
  const top = await topOf(store, key)
  await append(store, key, progress(6))
  const page = await store.read(key, { generation, offset }, 10)
  const { mayBeOlder } = store
  await store.close()
  expect(mayBeOlder === null).toBe(top.generation === generation)
  return { isRenewed: mayBeOlder !== null, top, page }
}

describe('a data directory that may lack what was shown of it', () => {
  it('tells viewers what is gone, and never lets a cursor point at other events', async () => {
    const path = dataDirectory()
    const { key, shown } = await rolledBack(path, false)
    startMachineAgain(path)
    const store = open(path, false)
    const top = await topOf(store, key)
    expect(top.offset).toBe(3)
    await append(store, key, progress(44))
    await append(store, key, progress(55))
    const resumeAt = { generation: top.generation, offset: 3 }
    const gone = { kind: 'gone', reason: 'LOG_RESET' }
    expect(await store.read(key, shown, 10)).toEqual({ ...gone, skipped: 2, resumeAt })
    // Whoever has seen no more than there is loses nothing.
    expect(await store.read(key, { ...shown, offset: 2 }, 10)).toEqual({
      ...gone,
      skipped: 0,
      resumeAt: { ...resumeAt, offset: 2 },
    })
    expect(await store.read(key, resumeAt, 10)).toMatchObject({
      entries: [
        { offset: 4, event: progress(44) },
        { offset: 5, event: progress(55) },
      ],
    })
    await store.close()
    // Once, and not at every start.
    const again = open(path, false)
    expect((await topOf(again, key)).generation).toBe(top.generation)
    await again.close()
  })

  it.each<[string, (path: string, key: TaskKey) => Promise<void> | void, boolean]>([
    ['the machine was not started again', () => {}, false],
    ['the machine was started again', (path) => startMachineAgain(path), true],
    ['nobody knows whether it was', (path) => startMachineAgain(path, 'unknown'), true],
    ['nobody knows how it ran', (path) => rmSync(join(path, 'running')), true],
    [
      'a run that flushes all came between',
      async (path) => {
        await open(path, true).close()
        leaveUnclosed(path)
        startMachineAgain(path)
      },
      false,
    ],
    [
      'a run that was killed at its start came between',
      async (path) => {
        const running = readFileSync(join(path, 'running'))
        await open(path, true).close()
        leaveUnclosed(path)
        writeFileSync(join(path, 'running'), running)
        startMachineAgain(path)
      },
      true,
    ],
  ])('without fsync, where %s', async (_, happen, isRenewed) => {
    const path = dataDirectory()
    const store = open(path, false)
    const key = await createTask(store)
    const shown = await topOf(store, key)
    await store.close()
    leaveUnclosed(path)
    await happen(path, key)
    expect(await reopened(path, key, shown)).toMatchObject({ isRenewed, top: { offset: 1 } })
  })

  it('is none that was closed, or that flushed all it acknowledged', async () => {
    for (const fsync of [true, false]) {
      const path = dataDirectory()
      const store = open(path, fsync)
      const key = await createTask(store)
      const shown = await topOf(store, key)
      await store.close()
      if (fsync) leaveUnclosed(path)
      startMachineAgain(path)
      const { isRenewed, page } = await reopened(path, key, shown)
      expect(isRenewed).toBe(false)
      expect(page).toMatchObject({ kind: 'entries', entries: [{ offset: 2, event: progress(6) }] })
    }
  })

  it.each<[string, (from: string, to: string) => Promise<void> | void]>([
    ['a backup', backUp],
    ['a copy of its files', (from, to) => cpSync(from, to, { recursive: true })],
    [
      'a copy of the files of a server that was killed',
      (from, to) => {
        leaveUnclosed(from)
        cpSync(from, to, { recursive: true })
      },
    ],
  ])('is %s, which lacks what came after it', async (_, copy) => {
    const [path, target] = [dataDirectory(), dataDirectory()]
    const store = open(path, true)
    const key = await createTask(store)
    const shown = await topOf(store, key)
    await store.close()
    await copy(path, target)
    expect(await reopened(target, key, { ...shown, offset: 2 })).toMatchObject({
      isRenewed: true,
      page: { kind: 'gone', reason: 'LOG_RESET', skipped: 1, resumeAt: { offset: 1 } },
    })
    // The one that it was made of goes on as it was.
    expect(await reopened(path, key, shown)).toMatchObject({ isRenewed: false })
  })

  it('has new generations in all of many logs, and their states as they were', async () => {
    const path = dataDirectory()
    const store = open(path, false)
    const keys = await Promise.all(range(1, 1100).map((i) => createTask(store, { name: `n${i}` })))
    const before = await Promise.all(keys.map((key) => store.snapshot(key)))
    await store.close()
    leaveUnclosed(path)
    startMachineAgain(path)
    const again = open(path, false)
    const after = await Promise.all(keys.map((key) => again.snapshot(key)))
    await again.close()
    for (const [i, found] of after.entries()) {
      const { top, state } = before[i] as Snapshot
      expect(found?.top.generation).not.toBe(top.generation)
      expect(found).toMatchObject({ state, top: { offset: 1 } })
    }
  })
})
