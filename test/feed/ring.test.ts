import { expect, it } from 'vitest'
import { Ring } from '../../src/feed/ring.ts'
import type { DeliveredEvent } from '../../src/task/stream-event.ts'
import { progress, range } from '../support/tasks.ts'

const event = (offset: number, metrics: Record<string, number> = {}) =>
  ({ ...progress(offset), offset, metrics }) as unknown as DeliveredEvent
const large = (offset: number) =>
  event(offset, Object.fromEntries(range(1, 100).map((i) => [`${i}`.padEnd(100), i])))
const offsets = (events: readonly DeliveredEvent[] | null) => events?.map(({ offset }) => offset) ?? null

it('holds so many of the newest events, all in a row', () => {
  const ring = new Ring(4)
  for (const i of range(1, 7)) ring.push([event(i)])
  expect([offsets(ring.events), offsets(ring.newest(2)), ring.newest(5)]).toEqual([range(4, 7), [6, 7], null])
  ring.push(range(8, 30).map((i) => event(i)))
  expect([offsets(ring.events), offsets(ring.newest(4))]).toEqual([range(27, 30), range(27, 30)])
  ring.reset([event(40), event(41)])
  expect([offsets(ring.events), ring.newest(3)]).toEqual([[40, 41], null])
})

it('holds fewer of large ones, and the newest whatever its size', () => {
  const ring = new Ring(100, 50_000)
  for (const i of range(1, 50)) ring.push([event(i)])
  expect(ring.events).toHaveLength(50)
  for (const i of range(51, 70)) ring.push([large(i)])
  expect(offsets(ring.events)).toEqual(range(68, 70))
  expect(offsets(ring.newest(3))).toEqual(range(68, 70))
  expect(ring.newest(4)).toBeNull()
  const small = new Ring(100, 1000)
  small.push(range(1, 5).map(large))
  expect(offsets(small.events)).toEqual([5])
  for (const i of range(6, 20)) small.push([event(i)])
  expect(offsets(small.events)).toEqual(range(18, 20))
})
