import type { Curve, CurvePoint } from '../../typescript/index.ts'
import { distanceOf, formatCount, formatDuration, formatTicks } from '../ui/format.ts'

interface AxisWords {
  readonly label: string
  /** One place on it, whole. */
  format(x: number): string
  /** Each unlike the others. */
  ticks(xs: readonly number[]): string[]
}

const counted = (label: string): AxisWords => ({ label, format: formatCount, ticks: formatTicks })

/** What a chart's x counts. */
export const AXES = {
  step: counted('Step'),
  epoch: counted('Epoch'),
  round: counted('Round'),
  time: {
    label: 'Time',
    format: (x) => formatDuration(x, x < 60 ? 0.1 : 1),
    ticks: (xs) => xs.map((x) => formatDuration(x, distanceOf(xs))),
  },
} satisfies Record<string, AxisWords>

export type Axis = keyof typeof AXES

/** Where a point stands on an axis; null where it has no place there. Time is in seconds since the start. */
export function xOf(
  point: CurvePoint,
  { axis: counts }: Curve,
  axis: Axis,
  startedAt: number,
): number | null {
  switch (axis) {
    case 'step':
      return counts === 'STEP' ? point.step : null
    case 'epoch':
      return point.epoch ?? null
    case 'round':
      return counts === 'ROUND' ? point.step : null
    case 'time':
      return (Date.parse(point.timestamp) - startedAt) / 1000
  }
}

/** Those that any curve has a place on. */
export function axesOf(curves: readonly Curve[]): Axis[] {
  const has = (axis: Axis) =>
    curves.some((curve) => curve.points[0] !== undefined && xOf(curve.points[0], curve, axis, 0) !== null)
  return (Object.keys(AXES) as Axis[]).filter(has)
}

/** The one on which most curves have a place; of several, the finest. Those of machines, which have only a time, have no say. */
export function bestAxis(curves: readonly Curve[]): Axis {
  const counted = curves.filter((curve) => curve.axis !== 'TIME')
  const placed = (axis: Axis) =>
    counted.filter((curve) => curve.points[0] !== undefined && xOf(curve.points[0], curve, axis, 0) !== null)
      .length
  const [best] = (['step', 'epoch', 'round', 'time'] as const)
    .map((axis) => ({ axis, count: placed(axis) }))
    .sort((a, b) => b.count - a.count)
  return best !== undefined && best.count > 0 ? best.axis : 'time'
}
