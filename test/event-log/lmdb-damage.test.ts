import { closeSync, openSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Snapshot } from '../../src/event-log/event-log.ts'
import { LmdbStore } from '../../src/event-log/lmdb/lmdb.ts'
import { NO_OUTPUT } from '../../src/task/output.ts'
import type { Position } from '../../src/task/position.ts'
import type { TaskKey } from '../../src/task/task.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { append, createTask, progress, range } from '../support/tasks.ts'

const open = (path: string, errors: string[] = []) =>
  new LmdbStore({
    path,
    retainEvents: 1000,
    retainSeconds: 3600,
    maxBytes: 1_000_000_000,
    share: 1,
    fsync: false,
    onError: (error) => errors.push((error as Error).message),
  })

const marked = (mark: string) => ({ ...progress(1), message: `${mark}${'.'.repeat(30)}` })

/** Turns one bit of each place where the file has this text, as a disk might. */
function flip(path: string, text: string): void {
  const file = join(path, 'data.mdb')
  const bytes = readFileSync(file)
  const descriptor = openSync(file, 'r+')
  let flipped = 0
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1), flipped++) {
    writeSync(descriptor, Buffer.of((bytes[at] as number) ^ 1), 0, 1, at)
  }
  closeSync(descriptor)
  expect(flipped).toBeGreaterThan(0)
}

/** One task with five appends, of which the third has the mark, and another. */
async function written(path: string) {
  const store = open(path)
  const [harmed, other] = [
    await createTask(store, { params: { x: 'HARMED-STATE' } }),
    await createTask(store),
  ]
  for (const i of range(1, 5)) await append(store, harmed, i === 3 ? marked('MARKED-EVENT') : marked(`${i}`))
  // The state has the newest message, too: the mark must stand in events alone.
  await append(store, other, progress(1))
  const snapshots = [await store.snapshot(harmed), await store.snapshot(other)] as Snapshot[]
  const { top, state, revision } = snapshots[0] as Snapshot
  const put = [
    { name: 'a', bytes: Buffer.from('MARKED-SEGMENT') },
    { name: 'b', bytes: Buffer.from('whole') },
  ]
  const curves = { through: 0, index: 'MARKED-INDEX', put, drop: [] }
  await store.append(harmed, {
    expected: top,
    revision,
    events: [progress(6)],
    state,
    isFinal: false,
    curves,
  })
  await store.close()
  return { harmed, other, top }
}

const offsets = async (store: LmdbStore, key: TaskKey, after: number | null) => {
  const { generation } = ((await store.snapshot(key)) as Snapshot).top
  const page = await store.read(key, after === null ? null : { generation, offset: after }, 100)
  return page.kind === 'entries' ? page.entries.map(({ offset }) => offset) : page
}

describe('a data directory in which a bit was flipped', () => {
  it('never gives a damaged event for the truth: readers are told how many are gone', async () => {
    const path = dataDirectory()
    const { harmed, other, top } = await written(path)
    flip(path, 'MARKED-EVENT')
    const errors: string[] = []
    const store = open(path, errors)
    expect(errors).toEqual([
      expect.stringContaining(`1 record of gan:training:${harmed.id} cannot be read as`),
    ])
    expect(await offsets(store, harmed, 0)).toEqual([1, 2, 3])
    const resumeAt = { ...top, offset: 4 }
    expect(await offsets(store, harmed, 3)).toEqual({ kind: 'gone', reason: 'TRIMMED', resumeAt, skipped: 1 })
    expect(await offsets(store, harmed, 4)).toEqual([5, 6, 7])
    expect(errors.at(-1)).toContain(`events 4 to 4 of gan:training:${harmed.id}`)
    expect(await offsets(store, other, null)).toEqual([1, 2])
    await append(store, harmed, progress(7))
    await store.close()
  })

  it('leaves out a part of the curves, and an index', async () => {
    const path = dataDirectory()
    const { harmed } = await written(path)
    flip(path, 'MARKED-SEGMENT')
    flip(path, 'MARKED-INDEX')
    const errors: string[] = []
    const store = open(path, errors)
    const [a, b] = await store.readSegments(harmed, ['a', 'b'])
    expect([a, b && Buffer.from(b).toString()]).toEqual([null, 'whole'])
    expect((await store.readCurves(harmed))?.index).toBeNull()
    expect(errors[0]).toContain(`2 records of gan:training:${harmed.id} cannot be read as written`)
    expect(errors).toHaveLength(3)
    await store.close()
  })

  it('begins an output again whose head is damaged, with none of the lines that there were', async () => {
    const path = dataDirectory()
    const before = open(path)
    const key = await createTask(before)
    const print = (store: LmdbStore, expected: Position | null, texts: string[]) =>
      store.output.append(key, { expected, generation: 'MARKED-HEAD', state: NO_OUTPUT, texts })
    const line = (text: string) => JSON.stringify({ at: '', text })
    // The second and third chunk of it begin where later lines of the next output stand.
    await print(
      before,
      null,
      range(1, 300).map((i) => line(`lost ${i}`)),
    )
    await before.close()
    flip(path, 'MARKED-HEAD')
    const store = open(path)
    expect(await store.output.find(key)).toBeNull()
    let expected: Position | null = null
    for (const from of range(0, 3)) {
      const texts = range(1, 100).map((i) => line(`kept ${100 * from + i}`))
      const result = await print(store, expected, texts)
      expected = result.kind === 'appended' ? result.top : null
    }
    const read = await store.output.read(key, null, 1000)
    const lines = read.kind === 'lines' ? read.lines.map(({ offset, line }) => `${offset} ${line.text}`) : []
    expect(lines).toEqual(range(1, 400).map((i) => `${i} kept ${i}`))
    await store.close()
  })

  it('has a task whose head is damaged left out at the start, by its number, and all others', async () => {
    const path = dataDirectory()
    const { harmed, other } = await written(path)
    flip(path, 'HARMED-STATE')
    const errors: string[] = []
    const store = open(path, errors)
    expect(errors).toEqual([expect.stringContaining('1 record of task number 1 cannot be read as written')])
    expect(await store.snapshot(harmed)).toBeNull()
    expect((await store.list('all', null, 10)).snapshots.map(({ state }) => state.spec.id)).toEqual([
      other.id,
    ])
    await append(store, other, progress(2))
    expect(((await store.snapshot(await createTask(store))) as Snapshot).serial).toBe(3)
    await store.close()
  })

  it('with pages that cannot be read is refused at the start, with what to do', async () => {
    const path = dataDirectory()
    await written(path)
    const { size } = statSync(join(path, 'data.mdb'))
    truncateSync(join(path, 'data.mdb'), Math.floor(size / 2 / 4096) * 4096)
    expect(() => open(path)).toThrow(
      /whose file data\.mdb is damaged \(.*\); restore a backup of the directory/,
    )
    // It is not held, either.
    expect(() => open(path)).toThrow(/is damaged/)
  })
})
