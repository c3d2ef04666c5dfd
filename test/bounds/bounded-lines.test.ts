import { expect, it } from 'vitest'
import { BoundedLines } from '../../src/bounds/bounded-lines.ts'
import { range } from '../support/tasks.ts'

it('lets so many of each kind through in a window, and counts the others', () => {
  const lines = new BoundedLines({ lines: 2, windowMs: 1000 })
  const take = (kind: string, now: number) => lines.take(kind, now)
  expect([take('a', 0), take('a', 1), take('a', 2), take('a', 999)]).toEqual([0, 0, null, null])
  expect(take('b', 3)).toBe(0)
  expect([take('a', 1000), take('a', 1001), take('a', 1002)]).toEqual([2, 0, null])
})

it('remembers so many kinds and no more', () => {
  const lines = new BoundedLines()
  const taken = range(1, 300).map((i) => lines.take(`${i}`, 0))
  expect(taken.filter((each) => each === 0)).toHaveLength(200)
})
