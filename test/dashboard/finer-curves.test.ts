import { expect, it } from 'vitest'
import { withPart } from '../../clients/dashboard/run/finer-curves.ts'
import type { Curve } from '../../clients/typescript/index.ts'
import { range } from '../support/tasks.ts'

const curve = (steps: readonly number[]): Curve => ({
  name: 'loss',
  axis: 'STEP',
  points: steps.map((step) => ({ step, value: step, timestamp: '2026-01-01T00:00:00Z', attempt: 1 })),
})

it('a curve goes on from its coarse points to the finer ones of a part and back, each step once', () => {
  const coarse = curve(range(0, 10).map((index) => index * 100))
  const stepsWith = (part: readonly number[]) =>
    withPart(coarse, [curve(part)]).points.map(({ step }) => step)
  const finer = [300, 310, 320, 330]
  expect(stepsWith(finer)).toEqual([0, 100, 200, ...finer, 400, 500, 600, 700, 800, 900, 1000])
  expect(stepsWith([-5, 100])).toEqual([-5, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000])
  expect(stepsWith([])).toEqual(coarse.points.map(({ step }) => step))
})
