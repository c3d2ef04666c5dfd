import { afterEach, describe, expect, it } from 'vitest'
import type { Snapshot, StoredSnapshot } from '../../src/event-log/event-log.ts'
import { OutputWriter } from '../../src/event-log/output-writer.ts'
import type { Store } from '../../src/event-log/store.ts'
import { edited } from '../../src/task/edit.ts'
import { EpochcastError } from '../../src/task/errors.ts'
import { NO_OUTPUT, skippedNote } from '../../src/task/output.ts'
import { isFinalStatus, type TaskKey, type TaskState } from '../../src/task/task.ts'
import { append, createTask, progress, succeeded } from '../support/tasks.ts'

export interface RoomOptions {
  readonly maxBytes: number
  readonly share: number
}

/** What every engine promises of the bytes that it may take: who is refused, and who is not. */
export function roomContract(
  open: (options: RoomOptions) => Promise<Store & { readonly bytes: number }>,
): void {
  let store: Store & { readonly bytes: number }
  afterEach(() => store.close())
  const maxBytes = 600_000
  const STEP = 20_000

  const has = async (key: TaskKey) => (await store.snapshot(key)) !== null
  /** Whether it was done; false where there was no room. */
  const fits = async (work: Promise<unknown>): Promise<boolean> => {
    try {
      await work
      return true
    } catch (error) {
      if (error instanceof EpochcastError && error.code === 'STORE_FULL') return false
      throw error
    }
  }
  /** Appends an event and a state that is larger by a step, in a part of it that the API lets grow. */
  const grow = async (key: TaskKey, part: (text: string, state: TaskState) => Partial<TaskState>) => {
    const before = (await store.snapshot(key)) as Snapshot
    const event = progress(before.top.offset)
    const size = STEP * before.top.offset
    const state = { ...before.state, status: 'RUNNING' as const, ...part('x'.repeat(size), before.state) }
    const result = await store.append(key, { expected: before.top, events: [event], state, isFinal: false })
    expect(result.kind).toBe('appended')
  }
  const message = (text: string) => ({ message: text })

  describe('growth', () => {
    it.each<[string, (text: string, state: TaskState) => Partial<TaskState>]>([
      ['its messages', message],
      [
        'its metrics',
        (text) => ({
          metrics: Object.fromEntries(text.match(/.{128}/g)?.map((name, i) => [`${name}${i}`, 1]) ?? []),
        }),
      ],
      ['digests of its producers', (text) => ({ producers: { [text]: 1 } })],
      ['its labels', (text, { spec }) => ({ spec: { ...spec, labels: { text } } })],
    ])('is refused at the append that causes it, whole: %s', async (_, part) => {
      store = await open({ maxBytes, share: 0.9 })
      const greedy = await createTask(store, { owner: '10.0.0.1' })
      const other = await createTask(store, { owner: '10.0.0.2' })
      await append(store, other, progress(1), progress(2))
      let before = (await store.snapshot(greedy)) as Snapshot
      while (await fits(grow(greedy, part))) before = (await store.snapshot(greedy)) as Snapshot
      expect(await store.snapshot(greedy)).toEqual(before)
      expect(before.top.offset).toBeGreaterThan(5)
      expect(store.bytes).toBeLessThanOrEqual(maxBytes)
      // Somebody else goes on, keeps all events, and may start another.
      await append(store, other, progress(3))
      const page = await store.read(other, null, 10)
      expect(page.kind === 'entries' && page.entries.map(({ offset }) => offset)).toEqual([1, 2, 3, 4])
      await createTask(store, { owner: '10.0.0.3' })
      // Its end is not refused, and makes room.
      await append(store, greedy, succeeded())
      await createTask(store, { owner: '10.0.0.1', params: { text: 'x'.repeat(STEP) } })
    })

    it('of output is bounded, too: the end of what it was stays, and no event of anybody goes for it', async () => {
      store = await open({ maxBytes, share: 0.9 })
      const greedy = await createTask(store, { owner: '10.0.0.1' })
      const other = await createTask(store, { owner: '10.0.0.2' })
      for (const key of [greedy, other]) await append(store, key, progress(1), progress(2))
      const writer = new OutputWriter(store.output)
      const line = { ...skippedNote(1, ''), text: 'x'.repeat(1000) }
      const lines = Array.from({ length: 20 }, () => line)
      for (let i = 0; i < 60; i++)
        await fits(writer.append(greedy, () => ({ lines, state: NO_OUTPUT, duplicates: 0 })))
      expect(store.bytes).toBeLessThanOrEqual(maxBytes)
      expect(store.bytes).toBeGreaterThan(maxBytes / 2)
      for (const key of [greedy, other]) {
        const page = await store.read(key, null, 10)
        expect(page.kind === 'entries' && page.entries.map(({ offset }) => offset)).toEqual([1, 2, 3])
      }
      await append(store, other, progress(3))
      await createTask(store, { owner: '10.0.0.3' })
    })

    it('is refused of segments of curves, too', async () => {
      store = await open({ maxBytes, share: 0.9 })
      const greedy = await createTask(store, { owner: '10.0.0.1' })
      const fold = async (i: number) => {
        const { top, state } = (await store.snapshot(greedy)) as Snapshot
        const put = [{ name: `s${i}`, bytes: new Uint8Array(STEP) }]
        const curves = { through: top.offset, index: `${i}`, put, drop: [] }
        await store.append(greedy, { expected: top, events: [progress(i)], state, isFinal: false, curves })
      }
      let folds = 0
      while (await fits(fold(folds))) folds++
      expect(folds).toBeGreaterThan(5)
      expect((await store.snapshot(greedy))?.top.offset).toBe(1 + folds)
      const [last, refused] = await store.readSegments(greedy, [`s${folds - 1}`, `s${folds}`])
      expect([last?.byteLength, refused]).toEqual([STEP, null])
      expect(store.bytes).toBeLessThanOrEqual(maxBytes)
    })

    it('is refused of edits, and of many small tasks', async () => {
      store = await open({ maxBytes, share: 0.9 })
      const key = await createTask(store, { owner: '10.0.0.1' })
      const rename = async (i: number) => {
        const known = (await store.snapshot(key)) as StoredSnapshot
        await store.edit(
          key,
          known,
          edited(known.state, { name: 'n', labels: { i: 'x'.repeat(i * STEP) }, updatedAt: 1 }),
        )
      }
      let edits = 1
      while (await fits(rename(edits))) edits++
      expect(edits).toBeGreaterThan(5)
      expect((await store.snapshot(key))?.revision).toBe(edits - 1)
      await createTask(store, { owner: '10.0.0.2' })
      let small = 0
      while (await fits(createTask(store, { owner: '10.0.0.3' }))) small++
      expect(small).toBeGreaterThan(5)
      expect(store.bytes).toBeLessThanOrEqual(maxBytes)
      await createTask(store, { owner: '10.0.0.4' })
    })
  })

  describe('shares', () => {
    const fill = async (owner: string | null) => {
      const before = store.bytes
      const key = await createTask(store, { owner })
      while (await fits(grow(key, message)));
      return store.bytes - before
    }

    it('leave nearly all to an owner that is alone, and of what is left the like to the next', async () => {
      store = await open({ maxBytes, share: 0.9 })
      expect(await fill('10.0.0.1')).toBeGreaterThan(0.85 * maxBytes)
      const left = maxBytes - store.bytes
      expect(left).toBeGreaterThan(0.1 * maxBytes - STEP)
      await fill('10.0.0.2')
      expect(await fits(createTask(store, { owner: '10.0.0.3' }))).toBe(true)
    })

    it('are as small as they are set', async () => {
      store = await open({ maxBytes, share: 0.5 })
      const first = await fill('10.0.0.1')
      expect(first).toBeLessThanOrEqual(0.5 * maxBytes)
      expect(first).toBeGreaterThan(0.5 * maxBytes - 2 * STEP)
      const second = await fill('10.0.0.2')
      expect(second).toBeLessThanOrEqual(0.25 * maxBytes)
    })

    it('are not counted of the server itself, nor where they are off', async () => {
      store = await open({ maxBytes, share: 0.5 })
      expect(await fill(null)).toBeGreaterThan(maxBytes - 2 * STEP)
      await store.close()
      store = await open({ maxBytes, share: 1 })
      expect(await fill('10.0.0.1')).toBeGreaterThan(maxBytes - 2 * STEP)
    })
  })

  describe('finished tasks', () => {
    const finished = async (owner: string) => {
      const key = await createTask(store, { owner, params: { text: 'x'.repeat(STEP) } })
      await append(store, key, succeeded())
      return key
    }

    it('go first of whoever has most, whoever is the oldest', async () => {
      store = await open({ maxBytes, share: 0.9 })
      const old = await finished('10.0.0.1')
      const running = await createTask(store, { owner: '10.0.0.1' })
      for (let i = 0; i < 60; i++) await finished('10.0.0.2')
      expect(store.bytes).toBeLessThanOrEqual(maxBytes)
      expect([await has(old), await has(running)]).toEqual([true, true])
      // Nor does it go for what a third one begins.
      for (let i = 0; i < 8; i++)
        await createTask(store, { owner: '10.0.0.3', params: { text: 'x'.repeat(STEP) } })
      expect(store.bytes).toBeLessThanOrEqual(maxBytes)
      expect([await has(old), await has(running)]).toEqual([true, true])
    })

    it('go, the oldest first, where one owner has all', async () => {
      store = await open({ maxBytes, share: 0.9 })
      const keys: TaskKey[] = []
      for (let i = 0; i < 60; i++) keys.push(await finished('10.0.0.1'))
      const present = await Promise.all(keys.map(has))
      const first = present.indexOf(true)
      expect(first).toBeGreaterThan(20)
      expect(present.slice(first)).not.toContain(false)
      for (const { state } of (await store.list('all', null, 200)).snapshots)
        expect(isFinalStatus(state.status)).toBe(true)
    })
  })
}
