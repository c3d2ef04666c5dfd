import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Deadlines, type Due } from '../../src/dispatch/deadlines.ts'

it('takes what is due, the earliest first, whatever was set, moved and deleted before', () => {
  const step = fc.record({
    kind: fc.constantFrom('set', 'delete', 'take'),
    item: fc.nat(19),
    time: fc.nat(99),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const deadlines = new Deadlines<Due & { readonly name: number }>()
      const items = Array.from({ length: 20 }, (_, name) => ({ name, dueAt: 0, place: -1 }))
      const model = new Map<number, number>()
      for (const { kind, item, time } of steps) {
        const one = items[item] as (typeof items)[number]
        if (kind === 'set') {
          deadlines.set(one, time)
          model.set(item, time)
        } else if (kind === 'delete') {
          deadlines.delete(one)
          model.delete(item)
        } else {
          const times = deadlines.take(time, 5).map(({ name, dueAt, place }) => {
            expect([dueAt, place]).toEqual([model.get(name), -1])
            model.delete(name)
            return dueAt
          })
          const left = [...model.values()].filter((dueAt) => dueAt <= time)
          expect(times).toEqual([...times].sort((a, b) => a - b))
          // All that are due, or the five that are first.
          if (times.length < 5) expect(left).toEqual([])
          else expect(Math.min(...left, Number.POSITIVE_INFINITY)).toBeGreaterThanOrEqual(times[4] as number)
        }
        expect(deadlines.size).toBe(model.size)
      }
    }),
  )
})
