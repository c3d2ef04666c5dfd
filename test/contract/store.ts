import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StoredSnapshot, WatchSignal } from '../../src/event-log/event-log.ts'
import { type Listing, type ListingChange, listingOf } from '../../src/event-log/listing.ts'
import type { Store } from '../../src/event-log/store.ts'
import type { ListingPage, ListPage } from '../../src/event-log/task-index.ts'
import { edited } from '../../src/task/edit.ts'
import type { TaskEvent } from '../../src/task/event.ts'
import { reduce } from '../../src/task/reducer.ts'
import { initialState, isFinalStatus, type TaskKey } from '../../src/task/task.ts'
import {
  append,
  createTask,
  givenUp,
  NOW,
  progress,
  range,
  runningAgain,
  specOf,
  succeeded,
  watchCreated,
} from '../support/tasks.ts'
import { until } from '../support/until.ts'

export interface StoreFactoryOptions {
  readonly retainEvents: number
  /** An hour where it is left out. */
  readonly retainSeconds?: number
}

/** What is done to an engine from outside. */
export interface StoreFaults {
  /** Takes the engine away from the store for a moment; null for one that lives in the store's own process. */
  readonly interrupt: (() => Promise<void>) | null
  /** Opens a store that has hardly any room, and returns how it gets room again. */
  readonly openFull: () => Promise<{ store: Store; makeRoom: () => Promise<void> }>
}

/** What every engine promises; passing it is proof that an engine serves. */
export function storeContract(
  open: (options: StoreFactoryOptions) => Promise<Store>,
  { interrupt, openFull }: StoreFaults,
): void {
  let store: Store
  const reopen = async (options: StoreFactoryOptions) => {
    await store.close()
    store = await open(options)
  }
  beforeEach(async () => {
    store = await open({ retainEvents: 1000 })
  })
  afterEach(() => store.close())

  const offsets = async (key: TaskKey, after: number | null, limit = 100) => {
    const generation = (await store.snapshot(key))?.top.generation ?? ''
    const result = await store.read(key, after === null ? null : { generation, offset: after }, limit)
    return result.kind === 'entries' ? result.entries.map(({ offset }) => offset) : result.kind
  }

  describe('create', () => {
    it('numbers the first events from 1 and stores the state', async () => {
      const spec = await createTask(store)
      const snapshot = await store.snapshot(spec)
      expect(snapshot?.top.offset).toBe(1)
      expect(snapshot?.state).toMatchObject({ spec, status: 'QUEUED' })
    })

    it('returns what is there to a second creation, and changes nothing', async () => {
      const spec = await createTask(store)
      await append(store, spec, progress(1))
      const again = await store.create(spec, [progress(7)], initialState(spec))
      expect(again).toMatchObject({ kind: 'exists', snapshot: { top: { offset: 2 } } })
      expect(await offsets(spec, null)).toEqual([1, 2])
    })

    it('lets exactly one of many concurrent creations create', async () => {
      const spec = specOf()
      const results = await Promise.all(
        range(1, 20).map(() => store.create(spec, [progress(1)], initialState(spec))),
      )
      expect(results.filter(({ kind }) => kind === 'created')).toHaveLength(1)
      expect((await store.snapshot(spec))?.top.offset).toBe(1)
    })

    it('creates, appends to and reads many tasks at the same time', async () => {
      const specs = await Promise.all(range(1, 50).map(() => createTask(store)))
      await Promise.all(specs.map((spec, i) => append(store, spec, progress(i + 1))))
      const pages = await Promise.all(specs.map((spec) => store.read(spec, null, 10)))
      const events = pages.map((page) => (page.kind === 'entries' ? page.entries[1]?.event : null))
      expect(events).toEqual(specs.map((_, i) => progress(i + 1)))
    })

    it('keeps tasks of one id under different prefixes apart', async () => {
      const gan = await createTask(store)
      const llm = await createTask(store, { id: gan.id, channelPrefix: 'llm:training' })
      await append(store, gan, progress(1))
      expect((await store.snapshot(llm))?.top.offset).toBe(1)
    })

    it('keeps parts of keys apart: what has a colon, or is no plain name, is no id of a task', async () => {
      const spec = await createTask(store)
      for (const id of [`training:${spec.id}`, '', '{x}', 'x}:state', '\ud800', 'x'.repeat(129)]) {
        const named = { channelPrefix: 'gan', id }
        await expect(store.snapshot(named)).rejects.toMatchObject({ code: 'BAD_INPUT' })
        await expect(createTask(store, named)).rejects.toMatchObject({ code: 'BAD_INPUT' })
      }
      expect((await store.list('all', null, 10)).snapshots).toHaveLength(1)
    })
  })

  describe('append', () => {
    it('numbers on from the expected top', async () => {
      const spec = await createTask(store)
      await append(store, spec, progress(1), progress(2))
      await append(store, spec, progress(3))
      expect(await offsets(spec, null)).toEqual([1, 2, 3, 4])
    })

    it('refuses another top and changes nothing', async () => {
      const spec = await createTask(store)
      const before = await store.snapshot(spec)
      if (!before) throw new Error('not created')
      await append(store, spec, progress(1))
      const request = { events: [progress(9)], state: before.state, isFinal: false }
      const stale = await store.append(spec, { ...request, expected: before.top })
      expect(stale.kind).toBe('conflict')
      const otherLog = { ...before.top, generation: 'another', offset: 2 }
      expect((await store.append(spec, { ...request, expected: otherLog })).kind).toBe('conflict')
      expect(await offsets(spec, null)).toEqual([1, 2])
    })

    it('lets exactly one of many appends at the same top through', async () => {
      const spec = await createTask(store)
      const snapshot = await store.snapshot(spec)
      if (!snapshot) throw new Error('not created')
      const results = await Promise.all(
        range(1, 20).map((i) =>
          store.append(spec, {
            expected: snapshot.top,
            events: [progress(i)],
            state: snapshot.state,
            isFinal: false,
          }),
        ),
      )
      expect(results.filter(({ kind }) => kind === 'appended')).toHaveLength(1)
      expect((await store.snapshot(spec))?.top.offset).toBe(2)
    })

    it('says so when there is no such task', async () => {
      const result = await store.append(specOf(), {
        expected: { generation: 'x', offset: 0 },
        events: [progress(1)],
        state: initialState(specOf()),
        isFinal: false,
      })
      expect(result.kind).toBe('missing')
    })
  })

  describe('read', () => {
    it('pages from any position, oldest first, in the order and form of the events', async () => {
      const spec = await createTask(store)
      await append(store, spec, ...range(1, 50).map((i) => progress(i)))
      expect(await offsets(spec, 0, 3)).toEqual([1, 2, 3])
      expect(await offsets(spec, 20, 3)).toEqual([21, 22, 23])
      expect(await offsets(spec, 49, 10)).toEqual([50, 51])
      expect(await offsets(spec, 51)).toEqual([])
      const page = await store.read(spec, null, 2)
      expect(page).toMatchObject({ kind: 'entries', top: { offset: 51 } })
      expect(page.kind === 'entries' && page.entries[1]).toEqual({ offset: 2, event: progress(1) })
    })

    it('keeps values that are not finite', async () => {
      const spec = await createTask(store)
      await append(store, spec, progress(1, 'NaN'))
      const page = await store.read(spec, null, 10)
      expect(page.kind === 'entries' && page.entries[1]?.event).toMatchObject({ loss: 'NaN' })
    })

    it('keeps and announces text of any kind, of many events and of one', async () => {
      const spec = await createTask(store)
      const announced: unknown[] = []
      const watch = await watchCreated(store, spec, (signal) => {
        if (signal.kind === 'appended') announced.push(...signal.entries.map(({ event }) => event))
      })
      const texts = [
        'a line\n, another',
        '\n,{"type":"x"},\n',
        '\u2028\u0000"\\',
        'träning 🚂 \ud800',
        '[]}\r\n,',
      ]
      const events = texts.map((error, i): TaskEvent => {
        const at = { timestamp: new Date(NOW).toISOString(), recordedAt: NOW }
        return { type: 'ErrorReported', member: null, error, errorType: `${i}`, ...at }
      })
      await append(store, spec, ...events)
      for (const event of events) await append(store, spec, event)
      const page = await store.read(spec, null, 100)
      const expected = JSON.parse(JSON.stringify([...events, ...events]))
      expect(page.kind === 'entries' && page.entries.slice(1).map(({ event }) => event)).toEqual(expected)
      await until('all of them to be announced', () => announced.length === expected.length)
      expect(announced).toEqual(expected)
      await watch.close()
    })

    it('says how many events before the position were trimmed', async () => {
      await reopen({ retainEvents: 10 })
      const spec = await createTask(store)
      await append(store, spec, ...range(1, 24).map((i) => progress(i)))
      const { top } = (await store.snapshot(spec)) ?? {}
      if (!top) throw new Error('not created')
      expect(await store.read(spec, { ...top, offset: 3 }, 100)).toEqual({
        kind: 'gone',
        reason: 'TRIMMED',
        resumeAt: { ...top, offset: 15 },
        skipped: 12,
      })
      // The edge: the position right before the oldest retained event still reads everything.
      expect(await offsets(spec, 15)).toEqual(range(16, 25))
      expect(await offsets(spec, null)).toEqual(range(16, 25))
    })

    it('says that the log was recreated when the position is of another generation', async () => {
      const spec = await createTask(store)
      const result = await store.read(spec, { generation: 'earlier', offset: 1 }, 10)
      expect(result).toMatchObject({ kind: 'gone', reason: 'LOG_RESET', resumeAt: { offset: 0 } })
    })

    it('says that a position past the top is ahead', async () => {
      const spec = await createTask(store)
      const { top } = (await store.snapshot(spec)) ?? {}
      if (!top) throw new Error('not created')
      expect(await store.read(spec, { ...top, offset: 2 }, 10)).toEqual({ kind: 'ahead', top })
    })

    it('says so when there is no such task', async () => {
      expect(await store.read(specOf(), null, 10)).toEqual({ kind: 'missing' })
      expect(await store.snapshot(specOf())).toBeNull()
    })
  })

  describe('watch', () => {
    it('announces what is appended from then on, with positions, to every watcher of the task only', async () => {
      const spec = await createTask(store)
      const other = await createTask(store)
      type Appended = Extract<WatchSignal, { kind: 'appended' }>
      const heard: Appended[] = []
      const heardToo: Appended[] = []
      const into = (list: Appended[]) => (signal: WatchSignal) =>
        signal.kind === 'appended' && list.push(signal)
      await watchCreated(store, spec, into(heard))
      await watchCreated(store, spec, into(heardToo))
      await append(store, other, progress(1))
      await append(store, spec, progress(1), progress(2))
      await until('both watchers to hear', () => heard.length === 1 && heardToo.length === 1)
      expect(heard[0]?.entries.map(({ offset }) => offset)).toEqual([2, 3])
      expect(heard[0]?.entries[0]?.event).toEqual(progress(1))
      expect(heard[0]?.top).toEqual((await store.snapshot(spec))?.top)
    })

    it('is silent once it is closed, while others go on', async () => {
      const spec = await createTask(store)
      let closed = 0
      let open = 0
      const watch = await watchCreated(store, spec, () => closed++)
      await watchCreated(store, spec, () => open++)
      await watch.close()
      await append(store, spec, progress(1))
      await until('the other watcher to hear', () => open === 1)
      expect(closed).toBe(0)
    })

    it('names every task that changes to those that watch all', async () => {
      const heard: string[] = []
      const watch = await store.watchAll((key) => heard.push(key?.id ?? 'any'))
      const first = await createTask(store)
      const second = await createTask(store, { channelPrefix: 'llm:training' })
      await append(store, first, progress(1))
      await until('three changes', () => heard.length === 3)
      expect(heard).toEqual([first.id, second.id, first.id])
      await watch.close()
    })
  })

  describe('edit', () => {
    const rename = async (spec: TaskKey, name: string, from?: StoredSnapshot) => {
      const expected = from ?? ((await store.snapshot(spec)) as StoredSnapshot)
      return store.edit(
        spec,
        expected,
        edited(expected.state, { name, labels: { of: name }, updatedAt: NOW + 5 }),
      )
    }

    it('replaces the state and leaves the log as it is, also after the end', async () => {
      const spec = await createTask(store)
      await append(store, spec, progress(1), succeeded())
      const before = (await store.snapshot(spec)) as StoredSnapshot
      expect(before.revision).toBe(0)
      const result = await rename(spec, 'first')
      const after = await store.snapshot(spec)
      expect(result).toEqual({ kind: 'edited', snapshot: after })
      expect(after).toMatchObject({ top: before.top, serial: before.serial, revision: 1 })
      expect(after?.state.spec).toMatchObject({ name: 'first', labels: { of: 'first' } })
      expect(await offsets(spec, null)).toEqual([1, 2, 3])
      expect(await store.read(spec, before.top, 10)).toMatchObject({ kind: 'entries', revision: 1 })
      expect(await store.create(spec, [progress(1)], initialState(spec))).toEqual({
        kind: 'exists',
        snapshot: after,
      })
    })

    it('lets exactly one of many edits of the same revision through', async () => {
      const spec = await createTask(store)
      const from = (await store.snapshot(spec)) as StoredSnapshot
      const results = await Promise.all(range(1, 20).map((i) => rename(spec, `${i}`, from)))
      expect(results.filter(({ kind }) => kind === 'edited')).toHaveLength(1)
      expect((await store.snapshot(spec))?.revision).toBe(1)
    })

    it('and an append that were decided for the same state exclude each other', async () => {
      const spec = await createTask(store)
      const from = (await store.snapshot(spec)) as StoredSnapshot
      await rename(spec, 'edited')
      const request = { expected: from.top, events: [progress(1)], state: from.state, isFinal: false }
      expect((await store.append(spec, request)).kind).toBe('conflict')
      expect((await store.append(spec, { ...request, revision: 1 })).kind).toBe('appended')
      const appended = (await store.snapshot(spec)) as StoredSnapshot
      expect((await rename(spec, 'late', { ...appended, top: from.top })).kind).toBe('conflict')
      expect((await rename(spec, 'again')).kind).toBe('edited')
      await append(store, spec, progress(2))
      expect((await store.snapshot(spec))?.state.spec.name).toBe('again')
      expect((await rename(specOf(), 'none', appended)).kind).toBe('missing')
    })

    it('is told to watches of the task, of all tasks and of listings', async () => {
      const spec = await createTask(store)
      const edits: WatchSignal[] = []
      const changed: (string | undefined)[] = []
      const names: (string | null)[] = []
      await watchCreated(store, spec, (signal) => edits.push(signal))
      await store.watchAll((key) => changed.push(key?.id))
      await store.watchListings((change) => change.kind === 'listed' && names.push(change.listing.name))
      await rename(spec, 'new')
      expect(names).toContain('new')
      await until('the edit', () => edits.length === 1 && changed.length > 0)
      const { generation } = ((await store.snapshot(spec)) as StoredSnapshot).top
      const edit = { name: 'new', labels: { of: 'new' }, updatedAt: NOW + 5 }
      expect(edits).toEqual([{ kind: 'edited', generation, revision: 1, edit }])
      // More than once where the news of its creation comes only now.
      expect(new Set(changed)).toEqual(new Set([spec.id]))
    })
  })

  describe('the return of a task that was given up', () => {
    const ids = async (scope: 'all' | 'unfinished') =>
      (await store.list(scope, null, 100)).snapshots.map(({ state }) => state.spec.id)

    it('brings it back in its place of the list, and the log goes on', async () => {
      const [oldest, task, newest] = [
        await createTask(store),
        await createTask(store),
        await createTask(store),
      ]
      await append(store, task, progress(1), givenUp())
      expect(await ids('unfinished')).toEqual([newest.id, oldest.id])
      await append(store, task, runningAgain(), progress(2))
      expect(await ids('unfinished')).toEqual([newest.id, task.id, oldest.id])
      expect(await ids('all')).toEqual([newest.id, task.id, oldest.id])
      expect(await offsets(task, null)).toEqual([1, 2, 3, 4, 5])
      await append(store, task, succeeded())
      expect(await ids('unfinished')).toEqual([newest.id, oldest.id])
    })

    it('takes back that it expires, and its next end is what counts then', async () => {
      await reopen({ retainEvents: 1000, retainSeconds: 1 })
      const [task, lost, ended] = [await createTask(store), await createTask(store), await createTask(store)]
      for (const one of [task, lost, ended]) await append(store, one, givenUp())
      await append(store, task, runningAgain())
      await append(store, ended, runningAgain(), succeeded())
      await until('the others to expire', async () => {
        await store.dropExpired()
        return (await ids('all')).length === 1
      })
      expect(await store.snapshot(lost)).toBeNull()
      expect(await store.snapshot(ended)).toBeNull()
      expect(await ids('unfinished')).toEqual([task.id])
      expect(await offsets(task, null)).toEqual([1, 2, 3])
      await append(store, task, progress(1), succeeded())
      await until('its end to expire', async () => {
        await store.dropExpired()
        return (await store.snapshot(task)) === null && (await ids('all')).length === 0
      })
    })

    it('is decided against what others write, as any append', async () => {
      const task = await createTask(store)
      await append(store, task, givenUp())
      const { top, state } = (await store.snapshot(task)) as StoredSnapshot
      const stale = { expected: { ...top, offset: 1 }, events: [runningAgain()], state, isFinal: false }
      expect((await store.append(task, { ...stale, isReturn: true })).kind).toBe('conflict')
      await until('it to be listed as finished', async () => (await ids('unfinished')).length === 0)
      expect(await ids('all')).toEqual([task.id])
      expect((await store.drop(task, (await store.snapshot(task)) as StoredSnapshot)).kind).toBe('dropped')
    })
  })

  describe('drop', () => {
    const finished = async () => {
      const spec = await createTask(store)
      const unfinished = (await store.snapshot(spec)) as StoredSnapshot
      await append(store, spec, progress(1), succeeded())
      return { spec, unfinished, ended: (await store.snapshot(spec)) as StoredSnapshot }
    }
    const listed = async (scope: 'all' | 'unfinished') =>
      (await store.list(scope, null, 100)).snapshots.map(({ state }) => state.spec.startId)

    it('takes log, state and place in the list away, and nothing else', async () => {
      const other = await createTask(store)
      const { spec, ended } = await finished()
      expect(await store.drop(spec, ended)).toEqual({ kind: 'dropped' })
      expect(await store.snapshot(spec)).toBeNull()
      expect(await store.read(spec, null, 10)).toEqual({ kind: 'missing' })
      expect((await store.list('all', null, 10)).snapshots.map(({ state }) => state.spec.id)).toEqual([
        other.id,
      ])
      expect(await store.drop(spec, ended)).toEqual({ kind: 'missing' })
      const request = { expected: ended.top, events: [progress(2)], state: ended.state, isFinal: false }
      expect((await store.append(spec, request)).kind).toBe('missing')
      expect((await store.edit(spec, ended, ended.state)).kind).toBe('missing')
    })

    it('changes nothing where the log is not as expected', async () => {
      const { spec, unfinished, ended } = await finished()
      expect((await store.drop(spec, unfinished)).kind).toBe('conflict')
      const another = { ...ended, top: { ...ended.top, generation: 'another' } }
      expect((await store.drop(spec, another)).kind).toBe('conflict')
      expect(await store.snapshot(spec)).toEqual(ended)
      // An edit is no reason: it leaves the log as it is.
      await store.edit(spec, ended, ended.state)
      expect((await store.drop(spec, ended)).kind).toBe('dropped')
    })

    it('keeps this very task from being created again, but not another of its name', async () => {
      const { spec, unfinished, ended } = await finished()
      await store.drop(spec, ended)
      expect(await store.create(spec, [progress(1)], unfinished.state)).toEqual({ kind: 'dropped' })
      expect(await store.snapshot(spec)).toBeNull()
      expect(await listed('unfinished')).toEqual([])
      const next = await createTask(store, { id: spec.id, startId: 'another start' })
      expect(await listed('all')).toEqual(['another start'])
      expect(await listed('unfinished')).toEqual(['another start'])
      const snapshot = (await store.snapshot(next)) as StoredSnapshot
      expect(snapshot).toMatchObject({ top: { offset: 1 }, revision: 0 })
      expect(snapshot.serial).toBeGreaterThan(ended.serial)
      await store.dropExpired()
      expect(await listed('all')).toEqual(['another start'])
    })

    it('is told to watches of the task and of listings', async () => {
      const { spec, ended } = await finished()
      const heard: string[] = []
      const dropped: number[] = []
      await store.watch(spec, ({ kind }) => heard.push(kind))
      await store.watchListings((change) => change.kind === 'dropped' && dropped.push(change.serial))
      await store.drop(spec, ended)
      expect(dropped).toContain(ended.serial)
      await until('the drop to be heard', () => heard.includes('dropped'))
    })
  })

  describe('listings', () => {
    const watched = async () => {
      const heard: ListingChange[] = []
      await store.watchListings((change) => heard.push(change))
      return heard
    }
    /** A process hears of its own writes at once, and may hear of them again. */
    const statuses = (heard: readonly ListingChange[]) => [
      ...new Set(heard.map((change) => (change.kind === 'listed' ? change.listing.status : change.kind))),
    ]

    it('are told of what is created, and where the writer gives one, before the write resolves', async () => {
      const heard = await watched()
      const spec = await createTask(store, { name: 'a name', labels: { team: 'vision' }, machineId: 'm1' })
      const created = (await store.snapshot(spec)) as StoredSnapshot
      expect(heard[0]).toEqual({
        kind: 'listed',
        // It was told before it was stored.
        listing: { ...listingOf(created), bytes: expect.closeTo(created.bytes, -1.5) },
      })
      expect(listingOf(created)).toMatchObject({
        name: 'a name',
        labels: { team: 'vision' },
        status: 'QUEUED',
      })
      const append = async (event: TaskEvent, isListed: boolean) => {
        const { state, top, ...rest } = (await store.snapshot(spec)) as StoredSnapshot
        const after = { ...rest, state: reduce(state, event), top: { ...top, offset: top.offset + 1 } }
        const listing = isListed ? listingOf(after) : undefined
        const isFinal = isFinalStatus(after.state.status)
        await store.append(spec, { expected: top, events: [event], state: after.state, isFinal, listing })
      }
      await append(progress(1), false)
      expect(statuses(heard)).toEqual(['QUEUED'])
      await append(succeeded(), true)
      expect(statuses(heard)).toEqual(['QUEUED', 'SUCCESS'])
    })

    it('reach every process, and end with the watch', async () => {
      const heard: ListingChange[] = []
      const watch = await store.watchListings((change) => heard.push(change))
      const other = await watched()
      const spec = await createTask(store)
      await until('both to hear', () => heard.length > 0 && other.length > 0)
      await watch.close()
      const count = heard.length
      await createTask(store)
      await until(
        'the other to hear',
        () => new Set(other.map((change) => JSON.stringify(change))).size === 2,
      )
      expect(heard).toHaveLength(count)
      expect(heard[0]).toMatchObject({ listing: { id: spec.id } })
    })

    it('tell of tasks whose retention has passed', async () => {
      await reopen({ retainEvents: 1000, retainSeconds: 1 })
      const heard = await watched()
      const finished = await createTask(store)
      const { serial } = (await store.snapshot(finished)) as StoredSnapshot
      await append(store, finished, succeeded())
      await until('it to be dropped', async () => {
        await store.dropExpired()
        return heard.some((change) => change.kind === 'dropped' && change.serial === serial)
      })
    })
  })

  describe('a new generation', () => {
    const started = async () => {
      const spec = await createTask(store)
      await append(store, spec, ...range(1, 5).map((i) => progress(i)))
      const { top: before } = (await store.snapshot(spec)) as StoredSnapshot
      await store.startGeneration(spec, before.generation, 4)
      const { top } = (await store.snapshot(spec)) as StoredSnapshot
      return { spec, before, top }
    }

    it('keeps what is stored, under another name', async () => {
      const { spec, before, top } = await started()
      expect(top.generation).not.toBe(before.generation)
      expect(top.offset).toBe(before.offset)
      expect(await offsets(spec, null)).toEqual(range(1, 6))
    })

    it.each([
      ['before the common end', 3, 3, 0],
      ['at it', 4, 4, 0],
      ['after it', 6, 4, 2],
    ])('tells a reader of the one before what it lost, %s', async (_, offset, resumeAt, skipped) => {
      const { spec, before, top } = await started()
      expect(await store.read(spec, { ...before, offset }, 10)).toEqual({
        kind: 'gone',
        reason: 'LOG_RESET',
        resumeAt: { ...top, offset: resumeAt },
        skipped,
      })
    })

    it('counts what was trimmed since among what such a reader lost', async () => {
      await reopen({ retainEvents: 10 })
      const spec = await createTask(store)
      await append(store, spec, ...range(1, 24).map((i) => progress(i)))
      const { top: before } = (await store.snapshot(spec)) as StoredSnapshot
      await store.startGeneration(spec, before.generation, 23)
      const { top } = (await store.snapshot(spec)) as StoredSnapshot
      const lost = async (offset: number) => {
        const result = await store.read(spec, { ...before, offset }, 10)
        return result.kind === 'gone' && [result.resumeAt, result.skipped]
      }
      expect(await lost(3)).toEqual([{ ...top, offset: 15 }, 12])
      await append(store, spec, ...range(25, 44).map((i) => progress(i)))
      expect(await lost(25)).toEqual([{ ...top, offset: 35 }, 2 + 12])
    })

    it('refuses what was decided for the one before', async () => {
      const { spec, before } = await started()
      const { state } = (await store.snapshot(spec)) as StoredSnapshot
      const stale = { expected: before, events: [progress(9)], state, isFinal: false }
      expect((await store.append(spec, stale)).kind).toBe('conflict')
    })

    it('is started once, by the first that notices the loss', async () => {
      const { spec, before, top } = await started()
      await store.startGeneration(spec, before.generation, 2)
      expect((await store.snapshot(spec))?.top).toEqual(top)
      await store.startGeneration(specOf(), before.generation, 2)
    })
  })

  describe('retention', () => {
    it('drops a finished task after its time, and lets another of its name begin', async () => {
      await reopen({ retainEvents: 1000, retainSeconds: 1 })
      const finished = await createTask(store)
      const running = await createTask(store)
      await append(store, finished, succeeded())
      expect(await store.snapshot(finished)).not.toBe(null)
      const isListed = async (key: TaskKey) =>
        (await store.list('all', null, 100)).snapshots.some(({ state }) => state.spec.id === key.id)
      await until('it to be dropped', async () => {
        await store.dropExpired()
        return (await store.snapshot(finished)) === null && !(await isListed(finished))
      })
      expect(await store.read(finished, null, 10)).toEqual({ kind: 'missing' })
      expect(await isListed(running)).toBe(true)
      await createTask(store, { id: finished.id })
      expect((await store.snapshot(finished))?.top.offset).toBe(1)
      await store.dropExpired()
      expect(await isListed(finished)).toBe(true)
    })
  })

  it('gives each receiver an event of its own', async () => {
    const spec = await createTask(store)
    const heard: Record<string, unknown>[] = []
    const spoil = (signal: WatchSignal) => {
      if (signal.kind !== 'appended') return
      for (const { event } of signal.entries) {
        heard.push({ ...event })
        Object.assign(event, { current: 'spoiled' })
      }
    }
    await watchCreated(store, spec, spoil)
    await watchCreated(store, spec, spoil)
    const event = progress(1)
    await append(store, spec, event)
    await until('both to hear', () => heard.length === 2)
    expect(heard).toEqual([progress(1), progress(1)])
    expect(event).toEqual(progress(1))
    for (const _ of [1, 2]) {
      const page = await store.read(
        spec,
        { ...((await store.snapshot(spec)) as StoredSnapshot).top, offset: 1 },
        1,
      )
      const read = page.kind === 'entries' ? page.entries[0]?.event : null
      expect(read).toEqual(progress(1))
      Object.assign(read as object, { current: 'spoiled' })
    }
  })

  // An engine in the store's own process cannot be away.
  it.skipIf(interrupt === null)(
    'says when it was interrupted and when it is back, and misses nothing then',
    async () => {
      const spec = await createTask(store)
      const heard: string[] = []
      const changed: (string | null)[] = []
      await watchCreated(store, spec, ({ kind }) => heard.push(kind))
      await store.watchAll((key) => changed.push(key?.id ?? null))
      const listings: string[] = []
      await store.watchListings(({ kind }) => listings.push(kind))
      await interrupt?.()
      await until('the interruption to be over', () => heard.at(-1) === 'resumed')
      expect(heard).toEqual(['interrupted', 'resumed'])
      // Any task may have changed meanwhile.
      await until('that to be told', () => changed.includes(null) && listings.includes('unknown'))
      await until('the store to be reached', () =>
        append(store, spec, progress(1)).then(
          () => true,
          () => false,
        ),
      )
      await until('it to be heard', () => heard.at(-1) === 'appended' && changed.at(-1) === spec.id)
    },
  )

  it('refuses what it has no room for with STORE_FULL, keeps what it has, and goes on when there is room', async () => {
    const { store: full, makeRoom } = await openFull()
    const created: TaskKey[] = []
    await expect(async () => {
      for (let i = 0; i < 10_000; i++)
        created.push(await createTask(full, { params: { text: 'x'.repeat(1000) } }))
    }).rejects.toMatchObject({ code: 'STORE_FULL' })
    expect(created.length).toBeGreaterThan(0)
    for (const key of created) expect((await full.snapshot(key))?.state.status).toBe('QUEUED')
    await makeRoom()
    await createTask(full)
    await full.close()
  })

  it('ends every watch when it is closed', async () => {
    const other = await open({ retainEvents: 1000 })
    const spec = await createTask(other)
    let heard = 0
    const watch = await other.watch(spec, () => heard++)
    await other.watchAll(() => heard++)
    expect(other.watchCount).toBe(2)
    await other.close()
    expect(other.watchCount).toBe(0)
    // Late, and harmless.
    await watch.close()
    const before = heard
    await append(store, await createTask(store), progress(1))
    expect(heard).toBe(before)
  })

  describe('list', () => {
    it('pages through all tasks, newest first', async () => {
      const ids: string[] = []
      for (let i = 0; i < 7; i++) ids.unshift((await createTask(store)).id)
      const seen: string[] = []
      let before: number | null = null
      for (;;) {
        const page: ListPage = await store.list('all', before, 3)
        seen.push(...page.snapshots.map(({ state }) => state.spec.id))
        before = page.snapshots.at(-1)?.serial ?? null
        if (!page.hasMore) break
      }
      expect(seen).toEqual(ids)
    })

    it('leaves finished tasks out of the unfinished', async () => {
      const finished = await createTask(store)
      const running = await createTask(store)
      await append(store, finished, progress(1), succeeded())
      const ids = async (scope: 'all' | 'unfinished') =>
        (await store.list(scope, null, 10)).snapshots.map(({ state }) => state.spec.id)
      expect(await ids('unfinished')).toEqual([running.id])
      expect(await ids('all')).toEqual([running.id, finished.id])
    })

    it('knows at the edge of a page whether there is more', async () => {
      await createTask(store)
      await createTask(store)
      expect((await store.list('all', null, 2)).hasMore).toBe(false)
      expect((await store.list('all', null, 1)).hasMore).toBe(true)
      expect((await store.list('unfinished', null, 2)).hasMore).toBe(false)
      expect((await store.list('unfinished', null, 1)).hasMore).toBe(true)
    })
  })

  describe('listings', () => {
    const read = async () => {
      const listings: Listing[] = []
      for (let before: number | null = null; ; ) {
        const page: ListingPage = await store.listings(before, 3)
        listings.push(...page.listings)
        before = page.listings.at(-1)?.serial ?? null
        if (!page.hasMore) return listings
      }
    }
    const expected = async () => (await store.list('all', null, 100)).snapshots.map(listingOf)
    const topOf = async (key: TaskKey) => (await store.snapshot(key)) as StoredSnapshot

    it('show each task as it is, whatever was done to it and whether lists were told', async () => {
      const labels = { team: 'a', 'ü "quoted" {': [1, { b: null }] }
      const told = await createTask(store, { labels, name: 'told ✓' })
      const untold = await createTask(store, { owner: '10.0.0.1' })
      const renamed = await createTask(store, { name: 'old' })
      const returned = await createTask(store)
      const dropped = await createTask(store)
      await createTask(store)
      await append(store, told, progress(1), succeeded())
      const { state, top } = await topOf(untold)
      const events = [progress(1), progress(2)]
      await store.append(untold, {
        expected: top,
        events,
        state: events.reduce(reduce, state),
        isFinal: false,
      })
      const before = await topOf(renamed)
      await store.edit(
        renamed,
        before,
        edited(before.state, { name: 'new', labels: { team: 'b' }, updatedAt: NOW + 1 }),
      )
      await append(store, returned, givenUp())
      await append(store, returned, runningAgain())
      await store.drop(dropped, await topOf(dropped))
      const listings = await read()
      expect(listings).toEqual(await expected())
      expect(listings.map(({ status }) => status)).toEqual([
        'QUEUED',
        'RUNNING',
        'QUEUED',
        'QUEUED',
        'SUCCESS',
      ])
    })

    it('and all else tell the same of how much a task takes', async () => {
      const labels = { text: 'x'.repeat(4000) }
      const key = await createTask(store, { labels })
      const listed = async () => {
        const [listing] = (await store.listings(null, 1)).listings
        const [snapshot] = (await store.list('all', null, 1)).snapshots
        expect(listing?.bytes).toBe(snapshot?.bytes)
        expect((await topOf(key)).bytes).toBe(snapshot?.bytes)
        return snapshot?.bytes as number
      }
      const created = await listed()
      const exists = await store.create(key, [progress(1)], initialState(key))
      expect(exists).toMatchObject({ kind: 'exists', snapshot: { bytes: created } })
      const event = progress(1)
      for (const isTold of [false, true]) {
        const before = await topOf(key)
        const state = reduce(before.state, event)
        const top = { ...before.top, offset: before.top.offset + 1 }
        const result = await store.append(key, {
          expected: before.top,
          events: [event],
          state,
          isFinal: false,
          listing: isTold ? listingOf({ ...before, state, top }) : undefined,
        })
        expect(result).toMatchObject({ kind: 'appended', bytes: await listed() })
      }
      const before = await topOf(key)
      const renamed = edited(before.state, { name: 'new', labels: { a: 'b' }, updatedAt: NOW + 1 })
      const result = await store.edit(key, before, renamed)
      expect(result).toMatchObject({ kind: 'edited', snapshot: { bytes: await listed() } })
      expect(await listed()).toBeLessThan(created - 3000)
    })

    it('are none where there are no tasks, and tell at the edge of a page whether there is more', async () => {
      expect(await store.listings(null, 1)).toEqual({ listings: [], hasMore: false })
      await createTask(store)
      await createTask(store)
      expect((await store.listings(null, 2)).hasMore).toBe(false)
      expect((await store.listings(null, 1)).hasMore).toBe(true)
    })
  })

  describe('a lease', () => {
    it('is held by one owner at a time, which may keep it', async () => {
      expect(await store.isLeased('sweep')).toBe(false)
      expect(await store.lease('sweep', 'first', 60_000)).toBe(true)
      expect(await store.lease('sweep', 'second', 60_000)).toBe(false)
      expect(await store.lease('sweep', 'first', 60_000)).toBe(true)
      expect(await store.isLeased('sweep')).toBe(true)
      expect(await store.lease('another', 'second', 60_000)).toBe(true)
    })

    it('is free again once its time has passed', async () => {
      await store.lease('sweep', 'first', 20)
      await until('the lease to be free', () => store.lease('sweep', 'second', 60_000))
      expect(await store.lease('sweep', 'first', 60_000)).toBe(false)
    })
  })

  it('tells its status', async () => {
    expect(await store.status()).toMatchObject({ name: store.name, connected: true })
  })
}
