import { expect, it, vi } from 'vitest'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { TaskFinder } from '../../src/event-log/task-finder.ts'
import { createTask } from '../support/tasks.ts'

const openLog = () => new MemoryStore({ retainEvents: 1000, retainSeconds: 3600, maxBytes: 10_000_000 })

/** Of which a look-up waits until it is let go. */
function slowLog() {
  const log = openLog()
  const snapshot = log.snapshot.bind(log)
  const waiting: (() => void)[] = []
  vi.spyOn(log, 'snapshot').mockImplementation(async (key) => {
    const found = snapshot(key)
    await new Promise<void>((resolve) => waiting.push(resolve))
    return found
  })
  const letGo = () => {
    for (const resolve of waiting.splice(0)) resolve()
  }
  return { log, letGo }
}

it('is found in the order of asking, also where it has become known meanwhile', async () => {
  const { log, letGo } = slowLog()
  const { id, channelPrefix } = await createTask(log)
  let isKnown = false
  const finder = new TaskFinder(log, () => isKnown)
  const order: number[] = []
  const find = async (i: number) => {
    const found = finder.find([channelPrefix], id, null)
    if (found instanceof Promise) await found
    order.push(i)
  }
  const finding = [find(1), find(2)]
  // As it is once the first of them has written.
  isKnown = true
  finding.push(find(3))
  letGo()
  await Promise.all(finding)
  expect(order).toEqual([1, 2, 3])
  expect(log.snapshot).toHaveBeenCalledTimes(1)
  expect(finder.find([channelPrefix], id, null)).toMatchObject({ id })
})

it('is looked up again by who asked later where it was not there', async () => {
  const { log, letGo } = slowLog()
  const id = 'late'
  const finder = new TaskFinder(log, () => false)
  const early = Promise.resolve(finder.find(['gan:training'], id, null))
  const created = createTask(log, { id, channelPrefix: 'gan:training' })
  await created
  const late = Promise.resolve(finder.find(['gan:training'], id, null))
  letGo()
  await expect(early).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' })
  await expect.poll(() => vi.mocked(log.snapshot).mock.calls.length).toBe(2)
  letGo()
  expect(await late).toMatchObject({ id })
})
