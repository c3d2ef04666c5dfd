import { describe, expect, it } from 'vitest'
import { LAG_BOUNDS, LagHistogram } from '../../src/delivery/lag-histogram.ts'
import { DEFINITIONS, HISTOGRAMS } from '../../src/metrics/definitions.ts'

/** As Prometheus names its base units. */
const UNITS = /_(seconds|bytes)$/
const OTHER_UNITS = /_(ms|milliseconds|minutes|hours|kb|kib|mb|mib|percent)(_|$)/

describe('every metric', () => {
  it.each([...DEFINITIONS, ...HISTOGRAMS].map((each) => [each.name, each] as const))(
    '%s has a name and words as Prometheus wants them',
    (name, definition) => {
      expect(name).toMatch(/^epochcast(_[a-z]+)+$/)
      expect(name).not.toMatch(OTHER_UNITS)
      expect(definition.help).toMatch(/^[A-Z].*\.$/)
      if (!('kind' in definition)) expect(name).toMatch(UNITS)
      else expect(name.endsWith('_total')).toBe(definition.kind === 'counter')
    },
  )

  it('has its name for itself', () => {
    const names = [...DEFINITIONS, ...HISTOGRAMS].map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })
})

it('a time counts for the smallest bound that it does not exceed', () => {
  const histogram = new LagHistogram()
  for (const bound of LAG_BOUNDS) histogram.observe(bound)
  histogram.observe(0)
  histogram.observe(11)
  expect(histogram.counts).toEqual([2, ...LAG_BOUNDS.slice(1).map(() => 1), 1])
  expect(histogram.sumSeconds).toBeCloseTo(LAG_BOUNDS.reduce<number>((sum, bound) => sum + bound, 0) + 11)
})
