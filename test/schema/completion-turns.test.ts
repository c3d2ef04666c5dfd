import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { CompletionTurns } from '../../src/schema/completion-turns.ts'

describe('much that is to be completed', () => {
  it('are given in the order of asking, a bounded number in a turn of the event loop', async () => {
    const turns = new CompletionTurns()
    const given: number[] = []
    for (let i = 0; i < 10; i++) void turns.take(1000).then(() => given.push(i))
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
    const turns = new CompletionTurns()
    const order: string[] = []
    await Promise.all([
      turns.take(25_000).then(() => order.push('large')),
      turns.take(1).then(() => order.push('small')),
    ])
    expect(order).toEqual(['large', 'small'])
  })

  it('wait for one turn only where others are done', async () => {
    const turns = new CompletionTurns()
    await Promise.all(Array.from({ length: 10 }, () => turns.take(25_000)))
    let isGiven = false
    void turns.take(1000).then(() => {
      isGiven = true
    })
    await eventLoopTurn()
    await eventLoopTurn()
    expect(isGiven).toBe(true)
  })

  it('is a long list, whose items come in their order, not all at once; a short one comes as it is', async () => {
    const turns = new CompletionTurns()
    const items = Array.from({ length: 1000 }, (_, i) => i)
    const given: number[] = []
    const all = turns.spread(items, 20).map(async (item) => given.push(await item))
    let count = 0
    for (let last = -1; given.length < 1000; count++) {
      await eventLoopTurn()
      expect(given.length - Math.max(0, last)).toBeLessThanOrEqual(300)
      last = given.length
    }
    expect(count).toBeGreaterThanOrEqual(4)
    await Promise.all(all)
    expect(given).toEqual(items)
    expect(turns.spread([1, 2], 20)).toEqual([1, 2])
  })

  it('are long lists that are written: a part in each turn, of fewer lists where texts are long; a short one at once', async () => {
    const items = Array.from({ length: 1000 }, (_, i) => i)
    const turnsFor = async (charactersEach: number) => {
      let [turns, isDone] = [0, false]
      const turn = () => {
        turns++
        if (!isDone) setImmediate(turn)
      }
      setImmediate(turn)
      const completion = new CompletionTurns()
      const lists = Array.from({ length: 10 }, async () => {
        const written: number[] = []
        await completion.writeAll(items, 20, (some) => {
          written.push(...some)
          return charactersEach * some.length
        })
        return written
      })
      const all = await Promise.all(lists)
      isDone = true
      for (const written of all) expect(written).toEqual(items)
      return turns
    }
    const short = await turnsFor(10)
    expect(short).toBeGreaterThanOrEqual(19)
    expect(await turnsFor(4000)).toBeGreaterThanOrEqual(2 * short)

    let isWritten = false
    void new CompletionTurns().writeAll([1, 2], 20, () => {
      isWritten = true
      return 0
    })
    expect(isWritten).toBe(true)
  })
})
