import { describe, expect, it } from 'vitest'
import { AnswerReads } from '../../src/execution/answer-reads.ts'
import { AnswerRoom } from '../../src/execution/answer-room.ts'
import { LIMITS } from '../../src/task/limits.ts'
import { range } from '../support/tasks.ts'

describe('what one answer reads', () => {
  it('is read once for all that ask for the same', async () => {
    const reads = new AnswerReads(new AnswerRoom(1).begin('a'))
    let count = 0
    const read = async () => ++count
    const found = await Promise.all(['a', 'b', 'a', 'a'].map((key) => reads.read(key, read, () => 1)))
    expect(found).toEqual([1, 2, 1, 1])
  })

  it('is read a few at a time, in the order of asking', async () => {
    const reads = new AnswerReads(new AnswerRoom(1).begin('a'))
    let [underWay, most] = [0, 0]
    const order: number[] = []
    const read = async (i: number) => {
      order.push(i)
      most = Math.max(most, ++underWay)
      await new Promise(setImmediate)
      underWay--
      return i
    }
    const found = await Promise.all(
      range(1, 20).map((i) =>
        reads.read(
          `${i}`,
          () => read(i),
          () => 1,
        ),
      ),
    )
    expect(found).toEqual(range(1, 20))
    expect(order).toEqual(range(1, 20))
    expect(most).toBe(4)
  })

  it('leaves a turn of the event loop to others, also where reading takes none', async () => {
    const reads = new AnswerReads(new AnswerRoom(1).begin('a'))
    let turns = 0
    let isDone = false
    const turn = () => {
      turns++
      if (!isDone) setImmediate(turn)
    }
    setImmediate(turn)
    const all = range(1, 40).map((i) =>
      reads.read(
        `${i}`,
        async () => turns,
        () => 1,
      ),
    )
    const began = await Promise.all(all)
    isDone = true
    for (const at of new Set(began))
      expect(began.filter((other) => other === at).length).toBeLessThanOrEqual(4)
  })

  it('is read no further once it is too much, and may be as much as the bound', async () => {
    const reads = new AnswerReads(new AnswerRoom(1).begin('a'))
    const half = LIMITS.answerReads / 2
    let count = 0
    const read = async () => ++count
    await reads.read('a', read, () => half)
    await reads.read('b', read, () => half)
    await expect(reads.read('c', read, () => 1)).rejects.toMatchObject({
      code: 'ANSWER_TOO_LARGE',
      details: { max: LIMITS.answerReads },
    })
    const later = range(1, 100).map((i) => reads.read(`${i}`, read, () => 1))
    const outcomes = await Promise.allSettled(later)
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    expect(count).toBe(3)
  })

  it('goes on after a read that failed', async () => {
    const reads = new AnswerReads(new AnswerRoom(1).begin('a'))
    const failing = range(1, 8).map((i) =>
      reads.read(
        `${i}`,
        () => Promise.reject(new Error('away')),
        () => 1,
      ),
    )
    const outcomes = await Promise.allSettled(failing)
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true)
    expect(
      await reads.read(
        'after',
        async () => 'found',
        () => 1,
      ),
    ).toBe('found')
  })
})
