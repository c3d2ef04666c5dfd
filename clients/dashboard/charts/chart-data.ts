import uPlot from 'uplot'
import { type Axis, xOf } from './axis.ts'
import type { Line } from './metric-groups.ts'
import { smooth } from './smooth.ts'
import type { Zoom } from './zoom.ts'

/** A value that no line can go through, where it happened. */
export interface Mark {
  readonly x: number
  readonly kind: 'NaN' | 'Infinity' | '-Infinity'
}

export interface ChartData {
  /** x, and for each line its values, or its smoothed values and then its own. */
  readonly aligned: uPlot.AlignedData
  readonly marks: readonly Mark[]
}

export interface ChartView {
  readonly axis: Axis
  /** Part of each value that the one before it makes: 0 for none. */
  readonly smoothing: number
  readonly isLog: boolean
}

/** Most marks of one chart; of more, the first ones, which tell where it began. */
const MAX_MARKS = 200
/** A chart is about so high. */
const PIXELS = 200

/** The lines' points on one axis, in the form in which uPlot takes them. */
export function chartData(lines: readonly Line[], { axis, smoothing, isLog }: ChartView): ChartData {
  const tables = lines.map((line) => tableOf(line, { axis, smoothing, isLog }))
  const aligned = tables.map(({ data }) => data)
  return {
    aligned: aligned.length === 1 ? (aligned[0] as uPlot.AlignedData) : uPlot.join(aligned),
    marks: tables.flatMap(({ marks }) => marks).slice(0, MAX_MARKS),
  }
}

/** How far values are apart that are seen to differ, in the part that is shown: about a pixel. */
export function visibleDistance([xs, ...series]: uPlot.AlignedData, zoom: Zoom | null): number {
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const ys of series)
    for (let i = 0; i < xs.length; i++) {
      const [x, y] = [xs[i] as number, ys[i]]
      if (y == null || (zoom && (x < zoom.min || x > zoom.max))) continue
      if (y < low) low = y
      if (y > high) high = y
    }
  return high > low ? (high - low) / PIXELS : Number.POSITIVE_INFINITY
}

interface Table {
  readonly key: string
  readonly data: uPlot.AlignedData
  readonly marks: readonly Mark[]
}

/** As it was made last, by the points of a curve: while one of many grows, the others stay as they are. */
const tables = new WeakMap<readonly unknown[], Table>()

function tableOf(line: Line, { axis, smoothing, isLog }: ChartView): Table {
  const { points } = line.curve
  const key = JSON.stringify([axis, smoothing, isLog, line.startedAt])
  const known = tables.get(points)
  if (known?.key === key) return known
  const marks: Mark[] = []
  const [xs, ys] = table(line, axis, marks)
  if (isLog) for (let i = 0; i < ys.length; i++) if ((ys[i] ?? 1) <= 0) ys[i] = null
  const made: Table = { key, marks, data: smoothing > 0 ? [xs, smooth(ys, smoothing), ys] : [xs, ys] }
  tables.set(points, made)
  return made
}

function table({ curve, startedAt }: Line, axis: Axis, marks: Mark[]): [number[], (number | null)[]] {
  let xs: number[] = []
  let ys: (number | null)[] = []
  let isSorted = true
  for (const point of curve.points) {
    const x = xOf(point, curve, axis, startedAt)
    if (x === null) continue
    const { value } = point
    if (typeof value === 'string') marks.push({ x, kind: value })
    const last = xs.length - 1
    if (last >= 0 && x < (xs[last] as number)) isSorted = false
    const y = typeof value === 'number' ? value : null
    // Of two at one place the later holds, as for every reader of the log.
    if (last >= 0 && x === xs[last]) ys[last] = y
    else {
      xs.push(x)
      ys.push(y)
    }
  }
  if (!isSorted) {
    const order = xs.map((_, index) => index).sort((a, b) => (xs[a] as number) - (xs[b] as number))
    xs = order.map((index) => xs[index] as number)
    ys = order.map((index) => ys[index] as number | null)
  }
  return [xs, ys]
}
