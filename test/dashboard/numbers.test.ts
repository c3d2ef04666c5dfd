import { describe, expect, it } from 'vitest'
import { AXES } from '../../clients/dashboard/charts/axis.ts'
import { visibleDistance } from '../../clients/dashboard/charts/chart-data.ts'
import { NUMBERS } from '../../clients/dashboard/charts/unit.ts'
import { BYTES, PERCENT } from '../../clients/dashboard/machine/units.ts'
import { formatCount, formatDuration, formatNumber, placeOf } from '../../clients/dashboard/ui/format.ts'
import { range } from '../support/tasks.ts'

/** As a chart has them. */
const ticks = (from: number, distance: number, count = 5) =>
  range(0, count - 1).map((index) => from + index * distance)

describe('labels of an axis', () => {
  it.each([
    ['steps from a million on', ticks(1_200_000, 1000), ['1.2M', '1.201M', '1.202M', '1.203M', '1.204M']],
    ['single ones of them', ticks(1_200_000, 1, 3), ['1,200,000', '1,200,001', '1,200,002']],
    ['large and small ones', [0, 5e8, 1e9], ['0', '0.5B', '1B']],
    ['a loss that hardly falls', ticks(0.69324, 1e-5, 3), ['0.69324', '0.69325', '0.69326']],
    ['a learning rate', ticks(3.137e-4, 1e-7, 3), ['3.137e-4', '3.138e-4', '3.139e-4']],
    ['tenths and their sums', [0, 0.1, 0.2, 0.1 + 0.2], ['0', '0.1', '0.2', '0.3']],
    ['quarters', ticks(-0.25, 0.25, 4), ['-0.25', '0', '0.25', '0.5']],
    ['what is left of zero', [-0.1, 1.4e-17, 0.1], ['-0.1', '0', '0.1']],
    ['nearly nothing', [0, 5e-10, 1e-9], ['0', '5e-10', '1e-9']],
    ['a single one', [123_456.7], ['123,457']],
    ['none', [], []],
  ])('tell %s apart', (_, values, labels) => {
    expect(NUMBERS.ticks(values)).toEqual(labels)
  })

  it('are never the same, whatever the values and their distance', () => {
    for (const from of [0, 1, 999, 123_456, 1e6, 98_304_000, 1e9 + 7, 3e12, 1e15])
      for (const distance of [1, 2.5, 20, 500, 1e5]) {
        for (const sign of [1, -1]) {
          const values = ticks(from, distance).map((value) => value * sign)
          for (const words of [NUMBERS, PERCENT, AXES.step])
            expect(new Set(words.ticks(values)).size, `${from} by ${distance}`).toBe(5)
        }
        expect(new Set(AXES.time.ticks(ticks(from, distance))).size).toBe(5)
      }
    for (const from of [0, 0.5, 3e-4, 1e-9])
      for (const distance of [0.1, 2.5e-3, 1e-6, 1e-10])
        expect(new Set(NUMBERS.ticks(ticks(from, distance))).size, `${from} by ${distance}`).toBe(5)
    expect(new Set(BYTES.ticks(ticks(2 ** 34, 2 ** 20))).size).toBe(5)
    expect(AXES.time.ticks(ticks(0, 0.25))).toEqual(['0s', '0.25s', '0.5s', '0.75s', '1s'])
    expect(AXES.time.ticks([93_600, 94_200])).toEqual(['1d 2h', '1d 2h 10m'])
  })
})

describe('values', () => {
  it('have four digits, and more where they differ by less', () => {
    const values = [0.693123, 0.00031416, 12_345_678, 123_456_789_012, 12_345.67, -123_435.7, 1e12]
    expect(values.map((value) => formatNumber(value))).toEqual([
      '0.6931',
      '3.142e-4',
      '12,345,678',
      '123.5B',
      '12,346',
      '-123,436',
      '1T',
    ])
    expect(formatNumber(0.693123, 2e-7)).toBe('0.693123')
    expect(formatNumber(-123_435.7, 0.2)).toBe('-123,435.7')
    expect(formatNumber(3.1395e-4, 2e-9)).toBe('3.1395e-4')
    expect([formatNumber('-Infinity', 1), formatNumber(0, 1e-9), formatNumber(null)]).toEqual([
      '−∞',
      '0',
      '–',
    ])
  })

  it('differ by about a pixel of the part that is shown', () => {
    const aligned: [number[], (number | null)[]] = [
      [1, 2, 3, 4],
      [1000, 1, null, 3],
    ]
    expect(visibleDistance(aligned, null)).toBeCloseTo(999 / 200)
    expect(visibleDistance(aligned, { min: 2, max: 4 })).toBeCloseTo(2 / 200)
    expect(visibleDistance(aligned, { min: 4, max: 4 })).toBe(Number.POSITIVE_INFINITY)
  })
})

it('steps, epochs and counts are written whole, wherever they stand', () => {
  expect(formatCount(1_204_900)).toBe('1,204,900')
  expect(formatCount(12.3456)).toBe('12.3456')
  expect(AXES.step.format(1_202_100)).toBe('1,202,100')
  const nothing = { epoch: null, totalEpochs: null, round: null, totalRounds: null, machineId: null }
  const task = { ...nothing, name: null, trainer: null, id: 'a', current: 1_204_900, total: 5_000_000 }
  expect(placeOf(task)).toBe('step 1,204,900 of 5,000,000')
})

it('times have their two largest units, and smaller ones where they differ by less', () => {
  expect([0, 0.4, 59, 60, 4330, 93_784].map((time) => formatDuration(time))).toEqual([
    '0s',
    '<1s',
    '59s',
    '1m',
    '1h 12m',
    '1d 2h',
  ])
  expect(formatDuration(93_784, 1)).toBe('1d 2h 3m 4s')
  expect(AXES.time.format(3.456)).toBe('3.46s')
})
