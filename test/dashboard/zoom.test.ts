import { describe, expect, it } from 'vitest'
import { clamped, pinched, scaled } from '../../clients/dashboard/charts/zoom.ts'

describe('what two fingers hold', () => {
  it('stays under them as they part, close in and move', () => {
    // Of 0 to 100 in 100 pixels, 40 and 60 are held.
    expect(pinched([40, 60], [40, 60], 100)).toEqual({ min: 0, max: 100 })
    expect(pinched([40, 60], [0, 100], 100)).toEqual({ min: 40, max: 60 })
    expect(pinched([40, 60], [45, 65], 100)).toEqual({ min: -5, max: 95 })
    expect(pinched([60, 40], [100, 0], 100)).toEqual({ min: 40, max: 60 })
    expect(pinched([40, 60], [30, 70], 200)).toEqual({ min: 25, max: 125 })
  })

  it.each([
    ['too close', [40, 60], [50, 65]],
    ['at one place', [40, 60], [50, 50]],
    ['past each other', [40, 60], [70, 30]],
    ['on one value', [50, 50], [20, 80]],
    ['on none', [Number.NaN, 50], [20, 80]],
  ] as const)('shows nothing else where they are %s', (_, values, places) => {
    expect(pinched(values, places, 100)).toBeNull()
  })
})

it('a part is scaled around a value, which stays where it is', () => {
  expect(scaled({ min: 0, max: 100 }, 50, 1 / 2)).toEqual({ min: 25, max: 75 })
  expect(scaled({ min: 0, max: 100 }, 0, 1 / 2)).toEqual({ min: 0, max: 50 })
  expect(scaled({ min: 25, max: 75 }, 30, 2)).toEqual({ min: 20, max: 120 })
})

it('a part is where there is something, no smaller than can be looked at, and null where it is all', () => {
  const whole = { min: 0, max: 1_000_000 }
  expect(clamped({ min: -5, max: 40 }, whole)).toEqual({ min: 0, max: 45 })
  expect(clamped({ min: 999_960, max: 1_000_005 }, whole)).toEqual({ min: 999_955, max: 1e6 })
  expect(clamped({ min: 40, max: 40 }, whole)).toEqual({ min: 40, max: 41 })
  expect(clamped({ min: 3e6, max: 3e6 + 5 }, whole)).toEqual({ min: 999_995, max: 1e6 })
  expect(clamped({ min: -9, max: -5 }, whole)).toEqual({ min: 0, max: 4 })
  for (const all of [whole, { min: 5, max: 1_000_005 }, { min: 0.5, max: 1e6 }, { min: -7, max: 2e6 }])
    expect(clamped(all, whole)).toBeNull()
  expect(clamped({ min: 3, max: 4 }, { min: 3, max: 3 })).toBeNull()
})
