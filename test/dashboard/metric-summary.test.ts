import { expect, it } from 'vitest'
import { curveOf, summaryOf } from '../../clients/dashboard/run/metric-summary.ts'
import type { Curve } from '../../clients/typescript/index.ts'

const curve = (
  axis: Curve['axis'],
  phase: 'TRAIN' | null,
  values: readonly Curve['points'][0]['value'][],
): Curve => ({
  ...{ name: 'loss', axis, phase, member: null },
  points: values.map((value, step) => ({ step, value, timestamp: '2026-11-29T10:00:00.000Z', attempt: 1 })),
})

const steps = curve('STEP', null, [14.58, 13.1, 12.17, 12.6])
const epochs = curve('EPOCH', 'TRAIN', [14, 12.05])

it('the value of a metric is of the same curve as its best and its picture', () => {
  const of = curveOf([epochs, steps], 'loss')
  expect(of).toBe(steps)
  // The newest that the task has is the mean of an epoch.
  const { value, text, span, values } = summaryOf(of, 12.05, 'loss')
  expect({ value, text, span, values }).toEqual({
    ...{ value: 12.6, text: '12.6', span: 'best 12.17' },
    values: [14.58, 13.1, 12.17, 12.6],
  })
  expect(summaryOf(epochs, 12.05, 'loss')).toMatchObject({ text: '12.05', span: 'best 12.05' })
  expect(summaryOf(steps, 12.05, 'temperature')).toMatchObject({ text: '12.6', span: '12.17 to 14.58' })
})

it('a value without a curve stands alone, and one that is no number beside the best that was', () => {
  expect(summaryOf(undefined, 0.5, 'loss')).toEqual({ value: 0.5, text: '0.5', span: null, values: [] })
  expect(summaryOf(curve('STEP', null, [2, 1, 'NaN']), 'NaN', 'loss')).toMatchObject({
    ...{ value: 'NaN', text: 'NaN', span: 'best 1' },
  })
})
