import { useEffect, useState } from 'react'
import type { Curve } from '../../typescript/index.ts'
import { type Axis, axesOf, bestAxis } from './axis.ts'
import type { ChartView } from './chart-data.ts'
import type { Zoom } from './zoom.ts'

/** What a page's charts have in common: the axis, which is the best one until somebody chooses, and how it is drawn. */
export function useChartView(curves: readonly Curve[]) {
  const [chosen, setChosen] = useState<Partial<ChartView>>({ smoothing: 0, isLog: false })
  const [zoom, setZoom] = useState<Zoom | null>(null)
  const axes = axesOf(curves)
  const wanted = chosen.axis
  const axis: Axis = wanted && axes.includes(wanted) ? wanted : bestAxis(curves)
  // A part of one axis is none of another.
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever it changes
  useEffect(() => setZoom(null), [axis])
  const view: ChartView = { smoothing: chosen.smoothing ?? 0, isLog: chosen.isLog ?? false, axis }
  const onView = (change: Partial<ChartView>) => setChosen((before) => ({ ...before, ...change }))
  return { axes, view, onView, zoom, onZoom: setZoom }
}
