import { expect, it } from 'vitest'
import { Random } from '../../../trainers/random.ts'
import { fitGaussianMixture } from '../../../trainers/tvae/gaussian-mixture.ts'
import {
  drawRow,
  encodedWidth,
  encodeRows,
  fitTableTransform,
  groupSizes,
} from '../../../trainers/tvae/table-transform.ts'

it('the modes of a column are found, as many as there are', () => {
  const random = new Random(1)
  const values = Array.from({ length: 2000 }, (_, index) =>
    index % 4 === 0 ? 10 + random.normal() : 50 + 3 * random.normal(),
  )
  const [low, high, ...more] = fitGaussianMixture(values, 5).sort((a, b) => a.mean - b.mean)
  expect(more).toEqual([])
  expect(low?.mean).toBeCloseTo(10, 0)
  expect(low?.weight).toBeCloseTo(0.25, 1)
  expect(high?.mean).toBeCloseTo(50, 0)
  expect(high?.std).toBeCloseTo(3, 0)
})

it('a constant column survives', () => {
  const modes = fitGaussianMixture(Array(100).fill(7), 5)
  expect(modes.every(({ mean, std }) => Math.abs(mean - 7) < 1e-6 && std > 0)).toBe(true)
})

it('decoding an encoded row gives the row back', () => {
  const random = new Random(2)
  const rows = Array.from({ length: 500 }, (_, index) => ({
    speed_rpm: index % 3 === 0 ? 750 + 3 * random.normal() : 1475 + 10 * random.normal(),
    regime: index % 3 === 0 ? 'idle' : 'run',
  }))
  const transform = fitTableTransform(rows, {
    continuous: ['speed_rpm'],
    categorical: { regime: ['idle', 'run'] },
  })
  const width = encodedWidth(transform)
  const encoded = encodeRows(rows, transform, random)
  for (const [index, row] of rows.entries()) {
    const [alpha = 0, ...oneHots] = encoded.subarray(index * width, (index + 1) * width)
    const probabilities = groupSizes(transform).map((size) => oneHots.splice(0, size))
    const decoded = drawRow({ alphas: [alpha], probabilities }, [0], transform, random)
    expect(decoded.regime).toBe(row.regime)
    expect(decoded.speed_rpm).toBeCloseTo(row.speed_rpm, 2)
  }
})

it('a category that the table does not know is refused', () => {
  const transform = fitTableTransform([{ regime: 'idle' }], {
    continuous: [],
    categorical: { regime: ['idle'] },
  })
  expect(() => encodeRows([{ regime: 'flying' }], transform, new Random(1))).toThrow(/column regime: flying/)
})
