import { expect, it } from 'vitest'
import { axesOf, bestAxis } from '../../clients/dashboard/charts/axis.ts'
import type { Curve } from '../../clients/typescript/index.ts'

const curve = (name: string, axis: Curve['axis'], epoch: number | null = null): Curve => ({
  ...{ name, axis, phase: null, member: null },
  points: [{ step: 3, epoch, value: 1, timestamp: '2026-11-29T10:00:00.000Z', attempt: 1 }],
})

const machine = ['cpu_percent', 'memory_bytes', 'processes'].map((name) => curve(`system/${name}`, 'TIME'))

it('curves of a machine do not take a training from its steps', () => {
  expect(bestAxis([curve('loss', 'STEP'), ...machine])).toBe('step')
  expect(bestAxis([curve('loss', 'EPOCH', 3), ...machine])).toBe('epoch')
  expect(axesOf([curve('loss', 'STEP'), ...machine])).toEqual(['step', 'time'])
})

it('curves of a machine alone are shown by time', () => {
  expect(bestAxis(machine)).toBe('time')
  expect(bestAxis([])).toBe('time')
})
