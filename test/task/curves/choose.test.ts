import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Buckets, choosePoints } from '../../../src/task/curves/choose.ts'
import { range } from '../../support/tasks.ts'

const value = fc.oneof(
  { weight: 20, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity) },
)
const gap = fc.oneof(
  { weight: 10, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 2, max: 1e6 }) },
)

const columnsOf = (points: readonly (readonly [number, number])[]) => {
  let step = 0
  return {
    values: Float64Array.from(points, ([value]) => value),
    steps: Float64Array.from(points, ([, gap]) => {
      step += gap
      return step
    }),
  }
}
const KINDS = [Number.NaN, Infinity, -Infinity]
const isLinear = (length: number) => Float64Array.from(range(1, length))

describe('choosing points', () => {
  it('keeps order and bound, first and last, lowest and highest, and the first of each kind that is not finite', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(value, gap), { minLength: 1, maxLength: 500 }),
        fc.integer({ min: 7, max: 100 }),
        fc.boolean(),
        (points, max, bySteps) => {
          const { values, steps } = columnsOf(points)
          const chosen = [...choosePoints(values, new Buckets(bySteps ? steps : null), max)]
          expect(chosen.length).toBeLessThanOrEqual(max)
          expect(chosen).toEqual([...new Set(chosen)].sort((a, b) => a - b))
          expect([chosen[0], chosen.at(-1)]).toEqual([0, values.length - 1])
          const finite = values.filter(Number.isFinite)
          const kept = chosen.map((at) => values[at] as number)
          if (finite.length > 0) {
            expect(kept).toContain(finite.reduce((a, b) => Math.min(a, b)))
            expect(kept).toContain(finite.reduce((a, b) => Math.max(a, b)))
          }
          for (const kind of KINDS) {
            const first = values.findIndex((each) => Object.is(each, kind))
            if (first >= 0) expect(chosen).toContain(first)
          }
        },
      ),
    )
  })

  it.each([7, 10, 100, 500])('uses most of %i points, whatever the values are', (max) => {
    const shapes: Record<string, (i: number) => number> = {
      waves: Math.sin,
      'one level': () => 1,
      'never finite': () => Number.NaN,
      'one NaN among numbers': (i) => (i === 500 ? Number.NaN : Math.sin(i)),
      'every kind in turn': (i) => [1 / i, Number.NaN, Infinity, -Infinity][i % 4] as number,
    }
    for (const [shape, valueAt] of Object.entries(shapes)) {
      const values = Float64Array.from(range(1, 10_000), valueAt)
      const { length } = choosePoints(values, new Buckets(isLinear(10_000)), max)
      expect([shape, length <= max && length >= Math.min(5, max) && length >= 0.6 * max - 3]).toEqual([
        shape,
        true,
      ])
    }
  })

  it('serves steps with a gap that all others would disappear in', () => {
    const steps = Float64Array.from([...range(1, 5000), ...range(1, 5000).map((i) => 1e12 + i)])
    const chosen = choosePoints(steps.map(Math.sin), new Buckets(steps), 500)
    expect(chosen.length).toBeGreaterThan(300)
    expect(chosen.filter((at) => at < 5000).length).toBeGreaterThan(100)
  })

  it('with more room has no fewer points anywhere', () => {
    const steps = Float64Array.from([
      ...range(1, 400).map((i) => i * 1000),
      ...range(1, 7000).map((i) => 400_000 + i),
    ])
    const values = steps.map(Math.sin)
    const early = (max: number) =>
      choosePoints(values, new Buckets(steps), max).filter((at) => at < 400).length
    expect(early(500)).toBeGreaterThan(200)
    expect(early(5000)).toBeGreaterThanOrEqual(early(500))
  })

  it('cuts steps into equal widths, so a dense end does not take the points of the rest', () => {
    const steps = Float64Array.from([
      ...range(1, 1000).map((i) => i * 100),
      ...range(1, 9000).map((i) => 100_000 + i),
    ])
    const chosen = choosePoints(steps.map(Math.sin), new Buckets(steps), 200)
    expect(chosen.filter((at) => at < 1000).length).toBeGreaterThan(100)
  })

  it('keeps a spike of one step in 10,000', () => {
    const values = Float64Array.from(range(1, 10_000), (i) => (i === 7321 ? 1000 : Math.sin(i)))
    expect([...choosePoints(values, new Buckets(isLinear(10_000)), 100)]).toContain(7320)
  })

  it('leaves points at the bound as they are', () => {
    expect([...choosePoints(isLinear(50), new Buckets(isLinear(50)), 50)]).toEqual(range(0, 49))
    expect(choosePoints(isLinear(50), new Buckets(isLinear(50)), 49).length).toBeLessThanOrEqual(49)
    expect([...choosePoints(isLinear(0), new Buckets(null), 7)]).toEqual([])
  })
})
