import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TOGETHER } from '../../src/event-log/append-plan.ts'
import { LISTING_INTERVAL_MS } from '../../src/event-log/listing.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { MAX_APPEND_TRIES, MAX_LINE, MAX_TURN_WAIT_MS } from '../../src/event-log/task-writer.ts'
import { editOf } from '../../src/task/edit.ts'
import type { TaskEvent } from '../../src/task/event.ts'
import { reduce, reduceAll } from '../../src/task/reducer.ts'
import type { TaskKey, TaskState } from '../../src/task/task.ts'
import { append, createTask, NOW, progress, range, succeeded } from '../support/tasks.ts'
import { until } from '../support/until.ts'
import { taskWriter } from '../support/writer.ts'

let log: MemoryStore
beforeEach(() => {
  log = new MemoryStore({ retainEvents: 1000, retainSeconds: 3600, maxBytes: 10_000_000 })
})
afterEach(() => log.close())

const adding = (event: ReturnType<typeof progress>) => (state: TaskState) => ({
  events: [event],
  state: reduce(state, event),
})
const offsets = async (key: Parameters<MemoryStore['read']>[0]) => {
  const page = await log.read(key, null, 1000)
  return page.kind === 'entries' ? page.entries.map(({ offset }) => offset) : []
}

describe('writers', () => {
  it('take turns within a process, and each decides for the state that it gets', async () => {
    const key = await createTask(log)
    const writer = taskWriter(log)
    const seen: (number | null)[] = []
    await Promise.all(
      range(1, 100).map((i) =>
        writer.update(key, (state) => {
          seen.push(state.current)
          return adding(progress(i))(state)
        }),
      ),
    )
    expect(seen).toEqual([null, ...range(1, 99)])
    expect(await offsets(key)).toEqual(range(1, 101))
  })

  it('of several processes never overwrite each other', async () => {
    const key = await createTask(log)
    const writers = range(1, 4).map(() => taskWriter(log))
    await Promise.all(range(1, 200).map((i) => writers[i % 4]?.update(key, adding(progress(i)))))
    expect(await offsets(key)).toEqual(range(1, 201))
  })

  it('that edit and writers that append lose nothing to each other', async () => {
    const key = await createTask(log)
    const [one, other] = [taskWriter(log), taskWriter(log)]
    const name = (text: string) => (state: TaskState) => editOf(state, { name: text }, NOW)
    await one.update(key, adding(progress(1)))
    const appends = range(2, 100).map((i) => (i % 2 ? one : other).update(key, adding(progress(i))))
    const edits = range(1, 5).map((i) => (i % 2 ? one : other).edit(key, name(`name ${i}`)))
    const named = await Promise.all(edits)
    await Promise.all(appends)
    expect(named.map(({ revision }) => revision).sort()).toEqual(range(1, 5))
    const snapshot = await log.snapshot(key)
    const last = named.find(({ revision }) => revision === 5)
    expect(snapshot).toMatchObject({ revision: 5, state: { spec: { name: last?.state.spec.name } } })
    expect(await offsets(key)).toEqual(range(1, 101))
    // What is remembered from before the edit is noticed to be old.
    await one.update(key, adding(succeeded()))
    expect((await other.edit(key, name('after the end'))).state).toMatchObject({
      status: 'SUCCESS',
      spec: { name: 'after the end' },
    })
    expect((await log.snapshot(key))?.state.spec.name).toBe('after the end')
  })

  it('list a task when its status changes, and else only now and then', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: NOW })
    const key = await createTask(log)
    const listed: string[] = []
    await log.watchListings((change) => change.kind === 'listed' && listed.push(change.listing.status))
    const writer = taskWriter(log)
    for (const i of range(1, 5)) await writer.update(key, adding(progress(i)))
    expect(listed).toEqual(['QUEUED'])
    vi.setSystemTime(NOW + LISTING_INTERVAL_MS)
    for (const i of range(6, 9)) await writer.update(key, adding(progress(i)))
    expect(listed).toEqual(['QUEUED', 'QUEUED'])
    await writer.update(key, adding(succeeded()))
    expect(listed).toEqual(['QUEUED', 'QUEUED', 'SUCCESS'])
    vi.useRealTimers()
  })

  it('refuse only by what the log says, not by what is remembered', async () => {
    const key = await createTask(log)
    const writer = taskWriter(log)
    await writer.update(key, adding(progress(1)))
    await append(log, key, progress(2))
    const { decision } = await writer.update(key, (state) => {
      if (state.current === 1) throw new Error('out of date')
      return adding(progress(3))(state)
    })
    expect(decision.state.current).toBe(3)
  })

  it('read only once what they then remember', async () => {
    const key = await createTask(log)
    const writer = taskWriter(log)
    const snapshot = vi.spyOn(log, 'snapshot')
    for (const i of range(1, 10)) await writer.update(key, adding(progress(i)))
    expect(snapshot).toHaveBeenCalledTimes(1)
    await writer.update(key, adding(succeeded()))
    expect(await writer.find(['gan:training'], key.id, null)).toMatchObject({ id: key.id })
  })

  it('give up when others are always faster', async () => {
    const key = await createTask(log)
    const writer = taskWriter(log)
    vi.spyOn(log, 'append').mockImplementation(async () => ({ kind: 'conflict' }))
    await expect(writer.update(key, adding(progress(1)))).rejects.toMatchObject({ code: 'CONTENDED' })
    expect(log.append).toHaveBeenCalledTimes(MAX_APPEND_TRIES)
  })

  it('do not wait forever for their turn', async () => {
    const key = await createTask(log)
    const writer = taskWriter(log)
    let answer = () => {}
    const stuck = new Promise<void>((resolve) => {
      answer = resolve
    })
    const real = log.snapshot.bind(log)
    const snapshot = vi.spyOn(log, 'snapshot').mockImplementationOnce(async (of) => {
      await stuck
      return real(of)
    })
    const first = writer.update(key, adding(progress(1)))
    const second = writer.update(key, adding(progress(2)))
    await until('the first to read', () => snapshot.mock.calls.length === 1)
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + MAX_TURN_WAIT_MS + 1000)
    answer()
    await first
    await expect(second).rejects.toMatchObject({ code: 'CONTENDED' })
    clock.mockRestore()
    expect(await offsets(key)).toEqual([1, 2])
  })
})

describe('updates that wait for one task', () => {
  /** Starts an append that ends when it is told to, and gathers the sizes of all appends. */
  async function busyWriter() {
    const key = await createTask(log)
    const writer = taskWriter(log)
    let finish = () => {}
    const held = new Promise<void>((resolve) => {
      finish = resolve
    })
    const sizes: number[] = []
    const real = log.append.bind(log)
    const appending = vi.spyOn(log, 'append').mockImplementation(async (...args) => {
      sizes.push(args[1].events.length)
      if (sizes.length === 1) await held
      return real(...args)
    })
    const first = writer.update(key, adding(progress(1)))
    await until('the first to append', () => sizes.length === 1)
    return { key, writer, first, finish, sizes, appending }
  }
  const addingAll = (events: readonly TaskEvent[]) => (state: TaskState) => ({
    events,
    state: reduceAll(state, events),
  })
  const currents = async (key: TaskKey) => {
    const page = await log.read(key, null, 10_000)
    const events = page.kind === 'entries' ? page.entries.map(({ event }) => event) : []
    return events.flatMap((event) => (event.type === 'ProgressUpdate' ? [event.current] : []))
  }
  const many = (from: number, to: number) => addingAll(range(from, to).map((i) => progress(i)))

  it('are appended together, in order, each with its own answer', async () => {
    const { key, writer, first, finish, sizes } = await busyWriter()
    const waiting = [many(2, 4), many(5, 5), addingAll([]), many(6, 7)].map((decide) =>
      writer.update(key, decide),
    )
    finish()
    await first
    const answers = await Promise.all(waiting)
    expect(sizes).toEqual([1, 6])
    // The log begins with QUEUED, so that progress 1 is at 2.
    expect(answers.map(({ top }) => top.offset)).toEqual([5, 6, 6, 8])
    expect(answers.map(({ decision }) => decision.state.current)).toEqual([4, 5, 5, 7])
    expect(await currents(key)).toEqual(range(1, 7))
  })

  it('are refused each by itself', async () => {
    const { key, writer, first, finish, sizes } = await busyWriter()
    const refuse = (): never => {
      throw new Error('refused')
    }
    const waiting = [refuse, many(2, 3), refuse, many(4, 4), refuse].map((decide) =>
      writer.update(key, decide),
    )
    const outcomes = Promise.allSettled(waiting)
    finish()
    await first
    expect((await outcomes).map(({ status }) => status)).toEqual([
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
    ])
    expect(sizes).toEqual([1, 3])
    expect(await currents(key)).toEqual(range(1, 4))
  })

  it('are refused by what the log says, where nothing of theirs is appended', async () => {
    const { key, writer, first, finish } = await busyWriter()
    const seen: (number | null)[] = []
    const refusing = (state: TaskState): never => {
      seen.push(state.current)
      throw new Error('refused')
    }
    const refused = Promise.allSettled([writer.update(key, refusing), writer.update(key, refusing)])
    const snapshot = vi.spyOn(log, 'snapshot')
    finish()
    await first
    expect((await refused).every(({ status }) => status === 'rejected')).toBe(true)
    expect(snapshot).toHaveBeenCalledTimes(1)
    expect(seen).toEqual([1, 1, 1, 1])
  })

  it('decide again where another process was faster', async () => {
    const { key, writer, first, finish, appending } = await busyWriter()
    const waiting = [many(2, 3), many(4, 4)].map((decide) => writer.update(key, decide))
    finish()
    await first
    appending.mockRestore()
    await Promise.all(waiting)
    await append(log, key, progress(50))
    const later = [many(51, 52), many(53, 53)].map((decide) => writer.update(key, decide))
    expect((await Promise.all(later)).map(({ top }) => top.offset)).toEqual([8, 9])
    expect(await currents(key)).toEqual([1, 2, 3, 4, 50, 51, 52, 53])
  })

  it('all learn that the engine failed, and those that come later are served', async () => {
    const { key, writer, first, finish, appending } = await busyWriter()
    const waiting = [many(2, 3), many(4, 4)].map((decide) => writer.update(key, decide))
    appending.mockRejectedValueOnce(new Error('out of reach'))
    const outcomes = Promise.allSettled(waiting)
    finish()
    await first
    expect(await outcomes).toMatchObject([
      { status: 'rejected', reason: { message: 'out of reach' } },
      { status: 'rejected', reason: { message: 'out of reach' } },
    ])
    await writer.update(key, many(5, 5))
    expect(await currents(key)).toEqual([1, 5])
  })

  const long = (current: number, length: number): TaskEvent => {
    const event = { ...progress(current), message: '' } as TaskEvent
    const message = 'x'.repeat(length - JSON.stringify(event).length)
    return { ...event, message } as TaskEvent
  }
  it.each<[string, readonly (readonly TaskEvent[])[], readonly number[]]>([
    [
      'as many updates as one append takes',
      range(1, TOGETHER.updates).map((i) => [progress(i)]),
      [TOGETHER.updates],
    ],
    ['one update more', range(1, TOGETHER.updates + 1).map((i) => [progress(i)]), [TOGETHER.updates, 1]],
    [
      'as many events as one append takes',
      [range(1, TOGETHER.events - 1).map((i) => progress(i)), [progress(1)], [progress(2)]],
      [TOGETHER.events, 1],
    ],
    [
      'one event more',
      [range(1, TOGETHER.events - 1).map((i) => progress(i)), [progress(1), progress(2)]],
      [TOGETHER.events - 1, 2],
    ],
    [
      'an update that is larger than that',
      [[progress(1)], range(1, TOGETHER.events + 1).map((i) => progress(i)), [progress(2)]],
      [1, TOGETHER.events + 1, 1],
    ],
    ['as much text as one append takes', [[long(1, 1000)], [long(2, TOGETHER.textLength - 1000)]], [2]],
    ['one character more', [[long(1, 1000)], [long(2, TOGETHER.textLength - 999)]], [1, 1]],
  ])('of %s make appends of the right size', async (_, updates, expected) => {
    const { key, writer, first, finish, sizes } = await busyWriter()
    const waiting = updates.map((events) => writer.update(key, addingAll(events)))
    finish()
    await Promise.all([first, ...waiting])
    expect(sizes).toEqual([1, ...expected])
  })
})

it('so many updates of one task wait at most; those of others have lines of their own', async () => {
  const [busy, other] = [await createTask(log), await createTask(log)]
  const writer = taskWriter(log)
  const real = log.append.bind(log)
  const held: (() => void)[] = []
  vi.spyOn(log, 'append').mockImplementation(async (key, request) => {
    if (key.id === busy.id && held.length === 0) await new Promise<void>((resolve) => held.push(resolve))
    return real(key, request)
  })
  let written = 0
  const update = (key: TaskKey) =>
    writer.update(key, (state) => ({ events: ++written % 1000 === 0 ? [progress(written)] : [], state }))
  const waiting = [writer.update(busy, (state) => ({ events: [progress(1)], state }))]
  for (const _ of range(2, MAX_LINE)) waiting.push(update(busy))
  await expect(update(busy)).rejects.toMatchObject({
    code: 'CONTENDED',
    message: expect.stringContaining(`${MAX_LINE} others wait`),
  })
  await writer.update(other, (state) => ({ events: [progress(1)], state }))
  await until('the append', () => held.length === 1)
  held[0]?.()
  await Promise.all(waiting)
  await update(busy)
})
