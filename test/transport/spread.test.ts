import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { spread } from '../../src/transport/spread.ts'
import { range } from '../support/tasks.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** How many were ended at each tick of 20 ms. */
async function ticksOf(count: number, withinMs: number): Promise<number[]> {
  const ended: number[] = []
  let isOver = false
  const done = spread(range(1, count), withinMs, (item) => ended.push(item)).then(() => {
    isOver = true
  })
  const ticks = [ended.length]
  while (!isOver) {
    const before = ended.length
    await vi.advanceTimersByTimeAsync(20)
    if (ended.length > before) ticks.push(ended.length - before)
  }
  await done
  expect(ended).toEqual(range(1, count))
  return ticks
}

it('ends many evenly over the time, all of them, each once', async () => {
  const ticks = await ticksOf(10_000, 2000)
  expect(ticks).toHaveLength(100)
  expect(new Set(ticks)).toEqual(new Set([100]))
})

it('takes no longer for a few than they are a storm', async () => {
  expect(await ticksOf(12, 600_000)).toEqual([4, 4, 4])
  expect(await ticksOf(5, 600_000)).toEqual([5])
})

it('ends all at once where there is no time', async () => {
  expect(await ticksOf(1000, 0)).toEqual([1000])
  expect(await ticksOf(1000, 19)).toEqual([1000])
})

it('has nothing to do for none', async () => {
  expect(await ticksOf(0, 5000)).toEqual([0])
})
