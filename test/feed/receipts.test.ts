import { expect, it } from 'vitest'
import { Receipts } from '../../src/feed/receipts.ts'
import { range } from '../support/tasks.ts'

const own = (offset: number, receivedAt = offset) => ({ offset, receivedAt, isOwn: true })
const offsets = (receipts: Receipts, after: number, upTo: number) =>
  receipts.between(after, upTo).map(({ offset }) => offset)

it('tells those of a part of the log, each once', () => {
  const receipts = new Receipts()
  for (const offset of [2, 5, 9]) receipts.received(own(offset))
  expect(offsets(receipts, 0, 9)).toEqual([2, 5, 9])
  expect(offsets(receipts, 2, 9)).toEqual([5, 9])
  expect(offsets(receipts, 2, 8)).toEqual([5])
  expect(offsets(receipts, 9, 20)).toEqual([])
})

it('does not take the announcement of its own report for another', () => {
  const receipts = new Receipts()
  receipts.received(own(3, 100))
  receipts.announced(3, 200)
  receipts.announced(4, 300)
  expect(receipts.between(0, 9)).toEqual([own(3, 100), { offset: 4, receivedAt: 300, isOwn: false }])
})

it('replaces what was noted for an append that came to nothing', () => {
  const receipts = new Receipts()
  receipts.received(own(3, 100))
  receipts.announced(4, 200)
  receipts.received(own(3, 300))
  expect(receipts.between(0, 9)).toEqual([own(3, 300)])
})

it('keeps the newest only', () => {
  const receipts = new Receipts()
  for (const offset of range(1, 1000)) receipts.received(own(offset))
  const kept = offsets(receipts, 0, 1000)
  expect(kept.length).toBeGreaterThanOrEqual(64)
  expect(kept.length).toBeLessThanOrEqual(128)
  expect(kept.at(-1)).toBe(1000)
})
