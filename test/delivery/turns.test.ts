import { expect, it } from 'vitest'
import { Turns } from '../../src/delivery/turns.ts'
import { range } from '../support/tasks.ts'

const round = () => new Promise((resolve) => setImmediate(resolve))

it('runs at once as many as a round has room for, and the others in the rounds that follow, in order', async () => {
  const turns = new Turns(3)
  const ran: number[] = []
  for (const i of range(1, 8)) turns.take(() => ran.push(i))
  expect(ran).toEqual([1, 2, 3])
  await round()
  expect(ran).toEqual(range(1, 6))
  await round()
  expect(ran).toEqual(range(1, 8))
})

it('lets none pass those that wait', async () => {
  const turns = new Turns(1)
  const ran: string[] = []
  turns.take(() => {
    ran.push('first')
    turns.take(() => ran.push('asked for by the first'))
  })
  turns.take(() => ran.push('second'))
  await round()
  turns.take(() => ran.push('late'))
  expect(ran).toEqual(['first', 'asked for by the first'])
  await round()
  await round()
  expect(ran).toEqual(['first', 'asked for by the first', 'second', 'late'])
})

it('has room again when a round is over', async () => {
  const turns = new Turns(1)
  for (const _ of range(1, 5)) {
    let ran = false
    turns.take(() => {
      ran = true
    })
    expect(ran).toBe(true)
    await round()
  }
})

it('can be awaited', async () => {
  const turns = new Turns(2)
  const ran: number[] = []
  await Promise.all(
    range(1, 5).map(async (i) => {
      await turns.turn()
      ran.push(i)
    }),
  )
  expect(ran).toEqual(range(1, 5))
})
