import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Ring, SHRUNK_RING_BYTES } from '../../src/feed/ring.ts'
import { RingBudget } from '../../src/feed/ring-budget.ts'
import type { DeliveredEvent } from '../../src/task/stream-event.ts'
import { progress, range } from '../support/tasks.ts'

const event = (offset: number, metrics: Record<string, number> = {}) =>
  ({ ...progress(offset), offset, metrics }) as unknown as DeliveredEvent
const large = (offset: number) =>
  event(offset, Object.fromEntries(range(1, 100).map((i) => [`${i}`.padEnd(100), i])))
const offsets = (events: readonly DeliveredEvent[] | null) => events?.map(({ offset }) => offset) ?? null

it('holds so many of the newest events, all in a row', () => {
  const ring = new Ring(4, new RingBudget(1_000_000))
  for (const i of range(1, 7)) ring.push([event(i)])
  expect([offsets(ring.events), offsets(ring.newest(2)), ring.newest(5)]).toEqual([range(4, 7), [6, 7], null])
  ring.push(range(8, 30).map((i) => event(i)))
  expect([offsets(ring.events), offsets(ring.newest(4))]).toEqual([range(27, 30), range(27, 30)])
  ring.reset([event(40), event(41)])
  expect([offsets(ring.events), ring.newest(3)]).toEqual([[40, 41], null])
})

it('holds fewer of large ones, and the newest whatever its size', () => {
  const ring = new Ring(100, new RingBudget(1_000_000), 50_000)
  for (const i of range(1, 50)) ring.push([event(i)])
  expect(ring.events).toHaveLength(50)
  for (const i of range(51, 70)) ring.push([large(i)])
  expect(offsets(ring.events)).toEqual(range(68, 70))
  expect(offsets(ring.newest(3))).toEqual(range(68, 70))
  expect(ring.newest(4)).toBeNull()
  const small = new Ring(100, new RingBudget(1_000_000), 1000)
  small.push(range(1, 5).map(large))
  expect(offsets(small.events)).toEqual([5])
  for (const i of range(6, 20)) small.push([event(i)])
  expect(offsets(small.events)).toEqual(range(18, 20))
})

it('lets go of its older events where all rings together have too many, those first that nobody reads', () => {
  const budget = new RingBudget(100_000)
  const [watched, idle] = [new Ring(200, budget), new Ring(200, budget)]
  for (const ring of [watched, idle]) ring.push(range(1, 150).map((i) => event(i)))
  expect(budget.bytes).toBe(2 * 150 * 256)
  watched.newest(1)
  const newest = new Ring(200, budget)
  newest.push(range(1, 150).map((i) => event(i)))
  expect(budget.bytes).toBeLessThanOrEqual(100_000)
  expect(idle.events).toHaveLength(SHRUNK_RING_BYTES / 256)
  expect(offsets(idle.newest(2))).toEqual([149, 150])
  expect(idle.newest(100)).toBeNull()
  expect([watched.events.length, newest.events.length]).toEqual([150, 150])
  // What was read is spared once, and not for ever.
  const last = new Ring(200, budget)
  last.push(range(1, 150).map((i) => event(i)))
  expect(last.events).toHaveLength(150)
  expect(watched.events.length + newest.events.length).toBeLessThan(300)
  for (const ring of [watched, idle, newest, last]) ring.close()
  expect(budget.bytes).toBe(0)
})

it('keeps what tells its log from another, also where there is no room at all', () => {
  const budget = new RingBudget(1)
  const rings = range(1, 10).map(() => new Ring(100, budget))
  for (const i of range(1, 60)) for (const ring of rings) ring.push([event(i)])
  for (const ring of rings) expect(offsets(ring.events)?.slice(-10)).toEqual(range(51, 60))
  expect(budget.bytes).toBeLessThanOrEqual(10 * SHRUNK_RING_BYTES)
  // One event may be larger than that.
  rings[0]?.push([large(61)])
  expect(offsets(rings[0]?.events ?? null)).toEqual([61])
})

it('is counted right, whatever is done to it', () => {
  const step = fc.tuple(
    fc.nat(4),
    fc.constantFrom('push', 'large', 'read', 'reset', 'reopen'),
    fc.integer({ min: 1, max: 40 }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.constantFrom(1, 20_000, 60_000), (steps, maxBytes) => {
      const budget = new RingBudget(maxBytes)
      const rings = range(0, 4).map(() => new Ring(30, budget, 30_000))
      let offset = 0
      for (const [index, kind, count] of steps) {
        const ring = rings[index] as Ring
        if (kind === 'push') ring.push(range(1, count).map(() => event(++offset)))
        else if (kind === 'large') ring.push([large(++offset)])
        else if (kind === 'reset') ring.reset(range(1, count).map(() => event(++offset)))
        else if (kind === 'read') {
          const read = ring.newest(count)
          if (read) expect(read).toEqual(ring.events.slice(-count))
        } else {
          ring.close()
          // A reading that began before has no effect.
          ring.push([event(++offset)])
          rings[index] = new Ring(30, budget, 30_000)
        }
        // The floor: for each ring a little, or one event.
        expect(budget.bytes).toBeLessThanOrEqual(Math.max(maxBytes, 5 * 13_000))
      }
      for (const ring of rings) ring.close()
      expect(budget.bytes).toBe(0)
    }),
  )
})
