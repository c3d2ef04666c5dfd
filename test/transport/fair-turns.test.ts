import { setImmediate as round } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { FairTurns } from '../../src/transport/fair-turns.ts'

it('run at once while there is room, and then in the order of asking, so many a round', async () => {
  const turns = new FairTurns(4, 1000)
  const run: number[] = []
  for (let i = 0; i < 3000; i++) turns.take('a', () => run.push(i))
  expect(run).toEqual([0, 1, 2, 3])
  await round()
  await round()
  expect(run.length % 4).toBe(0)
  expect(run.length).toBeLessThanOrEqual(12)
  while (run.length < 3000) await round()
  expect(run).toEqual(Array.from({ length: 3000 }, (_, i) => i))
  turns.take('a', () => run.push(-1))
  while (run.at(-1) !== -1) await round()
})

it('are promises, too', async () => {
  const turns = new FairTurns(1, 1000)
  const order: string[] = []
  const all = ['first', 'second', 'third'].map(async (name) => {
    await turns.turn('a')
    order.push(name)
  })
  await null
  expect(order).toEqual(['first'])
  await Promise.all(all)
  expect(order).toEqual(['first', 'second', 'third'])
})

it('are divided among those who ask: the one of many waits no longer than a round', async () => {
  const turns = new FairTurns(4, 1000)
  let greedy = 0
  for (let i = 0; i < 1000; i++) turns.take('greedy', () => greedy++)
  await round()
  const atFirst = greedy
  // As many as it has, in the rounds in which the other one has as many.
  let modest = 0
  for (let i = 0; i < 100; i++) turns.take('modest', () => modest++)
  while (modest < 100) await round()
  expect(greedy - atFirst).toBeLessThan(120)
  expect(greedy - atFirst).toBeGreaterThan(80)
})

it('keep nothing of those that have been run, however many wait behind them', async () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const turns = new FairTurns(1, 1000)
  const refs: WeakRef<object>[] = []
  const run: number[] = []
  for (let i = 0; i < 100; i++) {
    const request = { i }
    refs.push(new WeakRef(request))
    turns.take('a', () => run.push(request.i))
  }
  while (run.length < 50) await round()
  collect()
  const kept = refs.filter((ref) => ref.deref() !== undefined).length
  expect(kept).toBeLessThanOrEqual(100 - run.length)
})

it('count the promises that a turn goes on in', async () => {
  const turns = new FairTurns(100, 5)
  const order: string[] = []
  const slow = async () => {
    await null
    for (const end = performance.now() + 10; performance.now() < end; );
    order.push('slow')
  }
  for (let i = 0; i < 5; i++) turns.take('slow', () => void slow())
  await null
  for (let i = 0; i < 3; i++) turns.take('quick', () => void order.push('quick'))
  while (order.length < 8) await round()
  // All five had begun before the first of them took long; from then on there is one in a round.
  order.length = 0
  for (let i = 0; i < 5; i++) turns.take('slow', () => void slow())
  while (order.length < 5) await round()
  for (let i = 0; i < 5; i++)
    setImmediate(() => {
      turns.take('slow', () => void slow())
      if (i === 1) turns.take('quick', () => void order.push('quick'))
    })
  order.length = 0
  while (order.length < 6) await round()
  expect(order.indexOf('quick')).toBeLessThanOrEqual(1)
})

it('are over in a round for whoever takes long, however few they are', async () => {
  const turns = new FairTurns(100, 5)
  const hold = () => {
    for (const end = performance.now() + 10; performance.now() < end; );
  }
  let slow = 0
  for (let i = 0; i < 5; i++)
    turns.take('slow', () => {
      slow++
      hold()
    })
  expect(slow).toBe(1)
  let quick = 0
  turns.take('quick', () => quick++)
  expect(quick).toBe(1)
  for (let before = slow; slow < 5; before = slow) {
    await round()
    expect(slow - before).toBeLessThanOrEqual(1)
  }
})
