import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { PointTurns } from '../../src/schema/point-turns.ts'

describe('the points of many series', () => {
  it('are given in the order of asking, a bounded number in a turn of the event loop', async () => {
    const turns = new PointTurns()
    const given: number[] = []
    for (let i = 0; i < 10; i++) void turns.take(500).then(() => given.push(i))
    const afterTurns: number[] = []
    while (given.length < 10) {
      await eventLoopTurn()
      afterTurns.push(given.length)
    }

    expect(given).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    const inOneTurn = afterTurns.map((count, i) => count - (afterTurns[i - 1] ?? 0))
    expect(Math.max(...inOneTurn)).toBe(2)
  })

  it('stay together, however many one series has', async () => {
    const turns = new PointTurns()
    const order: string[] = []
    await Promise.all([
      turns.take(5000).then(() => order.push('large')),
      turns.take(1).then(() => order.push('small')),
    ])
    expect(order).toEqual(['large', 'small'])
  })

  it('wait for one turn only where others are done', async () => {
    const turns = new PointTurns()
    await Promise.all(Array.from({ length: 10 }, () => turns.take(5000)))
    let isGiven = false
    void turns.take(500).then(() => {
      isGiven = true
    })
    await eventLoopTurn()
    await eventLoopTurn()
    expect(isGiven).toBe(true)
  })
})
