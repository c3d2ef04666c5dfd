import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type MetricPoint, thin } from '../../src/task/series.ts'
import type { MetricValue } from '../../src/task/task.ts'
import { range } from '../support/tasks.ts'

const pointsOf = (values: readonly MetricValue[]): MetricPoint[] =>
  values.map((value, step) => ({ step, value, timestamp: '2026-11-21T10:00:00.000Z' }))

const value = fc.oneof(
  { weight: 20, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constantFrom<MetricValue>('NaN', 'Infinity', '-Infinity') },
)

describe('thinning a series', () => {
  it('keeps order and bound, the lowest and the highest value, and that something was not finite', () => {
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 500 }),
        fc.integer({ min: 10, max: 100 }),
        (values, maxPoints) => {
          const points = pointsOf(values)
          const kept = thin(points, maxPoints)
          expect(kept.length).toBeLessThanOrEqual(maxPoints)
          expect(kept).toEqual(points.filter((point) => kept.includes(point)))
          const numbers = values.filter((each) => typeof each === 'number')
          if (numbers.length > 0) {
            const keptNumbers = kept.map((point) => point.value)
            expect(keptNumbers).toContain(numbers.reduce((a, b) => Math.min(a, b)))
            expect(keptNumbers).toContain(numbers.reduce((a, b) => Math.max(a, b)))
          }
          expect(kept.some((point) => typeof point.value === 'string')).toBe(
            values.some((each) => typeof each === 'string'),
          )
        },
      ),
    )
  })

  it('keeps a spike of one step in 10,000', () => {
    const values = range(1, 10_000).map((i) => (i === 7321 ? 1000 : Math.sin(i)))
    expect(thin(pointsOf(values), 100).map((point) => point.value)).toContain(1000)
  })

  it('leaves a series at the bound as it is', () => {
    const points = pointsOf(range(1, 50))
    expect(thin(points, 50)).toBe(points)
    expect(thin(points, 49).length).toBeLessThanOrEqual(49)
  })
})
