import { useMemo } from 'react'
import { useQuery } from 'urql'
import { type Curve, TaskSeriesDocument, type TaskSummaryFragment } from '../../typescript/index.ts'
import { type Axis, xOf } from '../charts/axis.ts'
import type { Zoom } from '../charts/zoom.ts'

/** Curves of fewer points have not been thinned by much. */
const THINNED_FROM = 1000
const MAX_POINTS = 2000

/** The curves with all that the server has of the part that is looked at, where they were thinned. */
export function useFinerCurves(
  { id, channelPrefix }: TaskSummaryFragment,
  curves: readonly Curve[],
  axis: Axis,
  startedAt: number,
  zoom: Zoom | null,
): readonly Curve[] {
  // As it was when it was zoomed: what comes after that comes whole.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a curve that grows is not asked for again
  const part = useMemo(() => (zoom ? stepsOf(curves, axis, startedAt, zoom) : null), [axis, zoom])
  const [{ data }] = useQuery({
    query: TaskSeriesDocument,
    variables: { id, channelPrefix, from: part?.from ?? 0, to: part?.to ?? 0, maxPoints: MAX_POINTS },
    pause: part === null,
  })
  const finer = part === null ? null : data?.task?.series
  return useMemo(
    () => (finer ? curves.map((curve) => withPart(curve, finer as readonly Curve[])) : curves),
    [curves, finer],
  )
}

interface Steps {
  readonly from: number
  readonly to: number
}

/** The API gives parts by steps; null where curves count by different things, or nothing was left out of them. */
function stepsOf(curves: readonly Curve[], axis: Axis, startedAt: number, { min, max }: Zoom): Steps | null {
  if (new Set(curves.map((curve) => curve.axis)).size !== 1) return null
  if (!curves.some(({ points }) => points.length > THINNED_FROM)) return null
  if (axis === 'step' || axis === 'round') return { from: min, to: max }
  const steps = curves.flatMap((curve) =>
    curve.points.flatMap((point) => {
      const x = xOf(point, curve, axis, startedAt)
      return x !== null && x >= min && x <= max ? [point.step] : []
    }),
  )
  return steps.length > 0 ? { from: Math.min(...steps), to: Math.max(...steps) } : null
}

/** The curve with a finer part in the place of its own points there. The part may be that of the zoom before, until the next comes. */
export function withPart(curve: Curve, finer: readonly Curve[]): Curve {
  const found = finer.find(
    ({ name, phase, member, axis }) =>
      name === curve.name && phase === curve.phase && member === curve.member && axis === curve.axis,
  )
  const [first, last] = [found?.points[0], found?.points.at(-1)]
  if (!found || !first || !last) return curve
  const before = curve.points.filter(({ step }) => step < first.step)
  const after = curve.points.filter(({ step }) => step > last.step)
  return { ...curve, points: [...before, ...found.points, ...after] }
}
