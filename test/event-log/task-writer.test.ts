import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MemoryEventLog } from '../../src/event-log/memory.ts'
import { MAX_APPEND_TRIES, MAX_TURN_WAIT_MS, TaskWriter } from '../../src/event-log/task-writer.ts'
import { reduce } from '../../src/task/reducer.ts'
import type { TaskState } from '../../src/task/task.ts'
import { append, createTask, progress, range, succeeded } from '../support/tasks.ts'
import { until } from '../support/until.ts'

let log: MemoryEventLog
beforeEach(() => {
  log = new MemoryEventLog({ retainEvents: 1000, retainSeconds: 3600, maxBytes: 10_000_000 })
})
afterEach(() => log.close())

const adding = (event: ReturnType<typeof progress>) => (state: TaskState) => ({
  events: [event],
  state: reduce(state, event),
})
const offsets = async (key: Parameters<MemoryEventLog['read']>[0]) => {
  const page = await log.read(key, null, 1000)
  return page.kind === 'entries' ? page.entries.map(({ offset }) => offset) : []
}

describe('writers', () => {
  it('take turns within a process, and each decides for the state that it gets', async () => {
    const key = await createTask(log)
    const writer = new TaskWriter(log)
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
    const writers = range(1, 4).map(() => new TaskWriter(log))
    await Promise.all(range(1, 200).map((i) => writers[i % 4]?.update(key, adding(progress(i)))))
    expect(await offsets(key)).toEqual(range(1, 201))
  })

  it('refuse only by what the log says, not by what is remembered', async () => {
    const key = await createTask(log)
    const writer = new TaskWriter(log)
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
    const writer = new TaskWriter(log)
    const snapshot = vi.spyOn(log, 'snapshot')
    for (const i of range(1, 10)) await writer.update(key, adding(progress(i)))
    expect(snapshot).toHaveBeenCalledTimes(1)
    await writer.update(key, adding(succeeded()))
    expect(await writer.find(['gan:training'], key.id, null)).toMatchObject({ id: key.id })
  })

  it('give up when others are always faster', async () => {
    const key = await createTask(log)
    const writer = new TaskWriter(log)
    vi.spyOn(log, 'append').mockImplementation(async () => ({ kind: 'conflict' }))
    await expect(writer.update(key, adding(progress(1)))).rejects.toMatchObject({ code: 'CONTENDED' })
    expect(log.append).toHaveBeenCalledTimes(MAX_APPEND_TRIES)
  })

  it('do not wait for their turn for ever', async () => {
    const key = await createTask(log)
    const writer = new TaskWriter(log)
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
