import { attemptStarts, withoutReplaced } from './attempts.ts'
import { choosePoints } from './choose.ts'
import { pickFloats, pickIntegers } from './columns.ts'
import type { Segment, SegmentRows, SegmentSeries } from './segment.ts'

/** No series is thinned further than this. */
export const MIN_POINTS_PER_SERIES = 8

/**
 * Makes one segment of consecutive ones, thinned to about `maxPoints` points of all series together. As long as that is
 * not needed, all points stay, those that a later attempt replaced among them: somebody may still ask for the series as
 * they were before it. Points of a single segment may be views of its own.
 */
export function mergeSegments(segments: readonly Segment[], maxPoints: number): Segment {
  const after = segments[0]?.after ?? 0
  const [only] = segments
  const isAlone = only !== undefined && segments.length === 1
  const rows = isAlone ? only.rows : concatenateRows(segments, after)
  const all = isAlone ? only.series.map((one) => ({ ...one, isThinned: false })) : concatenateSeries(segments)
  const isRoomy = all.reduce((sum, { values }) => sum + values.length, 0) <= maxPoints
  const hasOneAttempt = rows.attempts[0] === rows.attempts.at(-1)
  const series = isRoomy || hasOneAttempt ? all : all.map((one) => withoutReplacedPoints(one, rows))
  const limit = fairShare(
    series.map(({ values }) => values.length),
    maxPoints,
  )
  const thinned = series.map((one) => (one.values.length <= limit ? one : thin(one, rows, limit)))
  return { after, through: segments.at(-1)?.through ?? after, ...withUsedRows(rows, thinned) }
}

/** The most that each may have, so that together they have at most `total`: what small ones leave is shared. */
export function fairShare(lengths: readonly number[], total: number): number {
  const ascending = [...lengths].sort((a, b) => a - b)
  let left = total
  for (let i = 0; i < ascending.length; i++) {
    const share = Math.floor(left / (ascending.length - i))
    const length = ascending[i] as number
    if (length > share) return Math.max(MIN_POINTS_PER_SERIES, share)
    left -= length
  }
  return Number.POSITIVE_INFINITY
}

function concatenateRows(segments: readonly Segment[], after: number): SegmentRows {
  const all = emptyRows(segments.reduce((sum, { rows }) => sum + rows.length, 0))
  let at = 0
  for (const { after: ownAfter, rows } of segments) {
    all.steps.set(rows.steps, at)
    all.epochs.set(rows.epochs, at)
    all.times.set(rows.times, at)
    all.attempts.set(rows.attempts, at)
    for (let i = 0; i < rows.length; i++) {
      all.offsets[at + i] = (rows.offsets[i] as number) + (ownAfter - after)
    }
    at += rows.length
  }
  return all
}

const emptyRows = (length: number): SegmentRows => ({
  length,
  offsets: new Uint32Array(length),
  steps: new Float64Array(length),
  epochs: new Float64Array(length),
  times: new Float64Array(length),
  attempts: new Uint32Array(length),
})

/** Every series with its points of all segments; their rows are those of all segments, too. */
function concatenateSeries(segments: readonly Segment[]): SegmentSeries[] {
  const lengths = new Map<number, number>()
  for (const { series } of segments) {
    for (const { number, values } of series) lengths.set(number, (lengths.get(number) ?? 0) + values.length)
  }
  const all = new Map<number, SegmentSeries & { filled: number }>()
  for (const [number, length] of lengths) {
    all.set(number, {
      number,
      isThinned: false,
      rows: new Uint32Array(length),
      values: new Float64Array(length),
      filled: 0,
    })
  }
  let firstRow = 0
  for (const { series, rows } of segments) {
    for (const own of series) {
      const into = all.get(own.number) as SegmentSeries & { filled: number }
      into.values.set(own.values, into.filled)
      for (let i = 0; i < own.rows.length; i++) {
        into.rows[into.filled + i] = firstRow + (own.rows[i] as number)
      }
      into.filled += own.values.length
    }
    firstRow += rows.length
  }
  return [...all.values()]
}

function withoutReplacedPoints(series: SegmentSeries, { steps, attempts }: SegmentRows): SegmentSeries {
  const staying = withoutReplaced(pickFloats(steps, series.rows), pickIntegers(attempts, series.rows))
  return staying ? pick(series, staying) : series
}

/**
 * By buckets of equally many events: those of equally many points would halve what is left of a task's beginning each
 * time that it is merged with less that is newer, until nothing is.
 */
function thin(series: SegmentSeries, rows: SegmentRows, limit: number): SegmentSeries {
  const offsets = Float64Array.from(pickIntegers(rows.offsets, series.rows))
  const chosen = choosePoints(series.values, offsets, limit)
  return { ...pick(series, withStarts(chosen, series, rows)), isThinned: true }
}

/**
 * What these points replace of earlier segments is told by where the first two attempts start: whatever a later attempt
 * replaced is gone already, so each begins above the one before. A first attempt of all replaces nothing.
 */
function withStarts(
  chosen: Uint32Array,
  series: SegmentSeries,
  { steps, attempts }: SegmentRows,
): Uint32Array {
  if (attempts.at(-1) === 1) return chosen
  const starts = attemptStarts(pickFloats(steps, series.rows), pickIntegers(attempts, series.rows)).slice(
    0,
    2,
  )
  return Uint32Array.from(new Set([...chosen, ...starts])).sort()
}

const pick = ({ number, rows, values }: SegmentSeries, positions: Uint32Array): SegmentSeries => ({
  number,
  isThinned: false,
  rows: pickIntegers(rows, positions),
  values: pickFloats(values, positions),
})

/** Only rows that a point refers to, in their order. */
function withUsedRows(rows: SegmentRows, series: readonly SegmentSeries[]): Pick<Segment, 'rows' | 'series'> {
  const isUsed = new Uint8Array(rows.length)
  for (const { rows: own } of series) {
    for (let i = 0; i < own.length; i++) isUsed[own[i] as number] = 1
  }
  const placeOf = new Uint32Array(rows.length)
  let length = 0
  for (let row = 0; row < rows.length; row++) if (isUsed[row]) placeOf[row] = length++
  const used = new Uint32Array(length)
  for (let row = 0; row < rows.length; row++) if (isUsed[row]) used[placeOf[row] as number] = row
  return {
    rows: {
      length,
      offsets: pickIntegers(rows.offsets, used),
      steps: pickFloats(rows.steps, used),
      epochs: pickFloats(rows.epochs, used),
      times: pickFloats(rows.times, used),
      attempts: pickIntegers(rows.attempts, used),
    },
    series: series.map(({ number, isThinned, rows: own, values }) => ({
      number,
      isThinned,
      rows: pickIntegers(placeOf, own),
      values,
    })),
  }
}
