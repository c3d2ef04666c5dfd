import { attemptStarts, withoutReplaced } from './attempts.ts'
import { Buckets, choosePoints } from './choose.ts'
import { pickFloats, pickIntegers } from './columns.ts'
import { pointsIn, type Segment, type SegmentRows, type SegmentSeries } from './segment.ts'

/** No series is thinned further than this. */
export const MIN_POINTS_PER_SERIES = 8

/**
 * Makes one segment of consecutive ones, thinned to about `maxPoints` points of all series together. As long as that is
 * not needed, all points stay, those that a later attempt replaced among them: somebody may still ask for the series as
 * they were before it. Points of a single segment may be views of its own.
 */
export function mergeSegments(segments: readonly Segment[], maxPoints: number): Segment {
  const [only] = segments
  const parts = thinnedApart(segments, maxPoints)
  if (parts) return concatenate(parts, true)
  const isAlone = only !== undefined && segments.length === 1
  const whole = isAlone
    ? { ...only, series: only.series.map((one) => ({ ...one, isThinned: false })) }
    : concatenate(segments, false)
  const isRoomy = pointsIn(whole) <= maxPoints
  const series =
    isRoomy || hasOneAttempt(segments)
      ? whole.series
      : whole.series.map((one) => withoutReplacedPoints(one, whole.rows))
  const limit = fairShare(
    series.map(({ values }) => values.length),
    maxPoints,
  )
  return thinSegment({ ...whole, series }, () => limit)
}

/**
 * The segments, each thinned by itself to its part of what they may have together, so that their points need not be
 * copied first. Null where they need not be thinned, or have attempts that replace one another, or so few points to
 * keep that the first and the last of each segment would be most of them.
 */
function thinnedApart(segments: readonly Segment[], maxPoints: number): readonly Segment[] | null {
  if (segments.length < 2 || !hasOneAttempt(segments)) return null
  const lengths = lengthsOf(segments)
  const limit = fairShare([...lengths.values()], maxPoints)
  if (limit === Number.POSITIVE_INFINITY) return null
  const spans = segments.map(({ after, through }) => through - after)
  const all = spans.reduce((sum, span) => sum + span, 0)
  const limits = spans.map((span) => Math.floor((limit * span) / all))
  if (Math.min(...limits) < 2 * MIN_POINTS_PER_SERIES) return null
  return segments.map((segment, i) =>
    thinSegment(segment, ({ number }) =>
      (lengths.get(number) as number) <= limit ? Number.POSITIVE_INFINITY : (limits[i] as number),
    ),
  )
}

/** @param limitOf the most points of a series */
function thinSegment(segment: Segment, limitOf: (series: SegmentSeries) => number): Segment {
  const { rows, series, after, through } = segment
  // One for all that have a point in every row.
  const everyRow = new Buckets(Float64Array.from(rows.offsets))
  const thinned = series.map((one) => {
    const limit = limitOf(one)
    if (one.values.length <= limit) return one.isThinned ? { ...one, isThinned: false } : one
    return thin(one, rows, one.rows ? bucketsOf(one.rows, rows) : everyRow, limit)
  })
  return { after, through, ...withUsedRows(rows, thinned) }
}

const hasOneAttempt = (segments: readonly Segment[]): boolean => {
  const first = segments.find(({ rows }) => rows.length > 0)?.rows.attempts[0]
  const last = segments.findLast(({ rows }) => rows.length > 0)?.rows.attempts.at(-1)
  return first === last
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

/** @param isApart whether the segments have just been thinned, each by itself */
function concatenate(segments: readonly Segment[], isApart: boolean): Segment {
  const after = segments[0]?.after ?? 0
  const through = segments.at(-1)?.through ?? after
  return {
    after,
    through,
    rows: concatenateRows(segments, after),
    series: concatenateSeries(segments, isApart),
  }
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
function concatenateSeries(segments: readonly Segment[], isApart: boolean): SegmentSeries[] {
  const lengths = lengthsOf(segments)
  const all = new Map<number, GrowingSeries>()
  let firstRow = 0
  for (const { series, rows } of segments) {
    for (const own of series) {
      let into = all.get(own.number)
      if (!into) {
        const values = new Float64Array(lengths.get(own.number) as number)
        into = { number: own.number, isThinned: false, rows: null, values, filled: 0 }
        all.set(own.number, into)
      }
      if (isApart && own.isThinned) into.isThinned = true
      append(into, own, firstRow)
    }
    firstRow += rows.length
  }
  return Array.from(all.values(), ({ filled: _, ...one }) => one)
}

/** Points of each series, by its number. */
function lengthsOf(segments: readonly Segment[]): ReadonlyMap<number, number> {
  const lengths = new Map<number, number>()
  for (const { series } of segments) {
    for (const { number, values } of series) lengths.set(number, (lengths.get(number) ?? 0) + values.length)
  }
  return lengths
}

interface GrowingSeries extends SegmentSeries {
  isThinned: boolean
  rows: Uint32Array | null
  filled: number
}

function append(into: GrowingSeries, { rows, values }: SegmentSeries, firstRow: number): void {
  // As long as there is a point in every row, they are not listed.
  if (into.rows === null && (rows !== null || into.filled !== firstRow)) {
    into.rows = new Uint32Array(into.values.length)
    for (let i = 0; i < into.filled; i++) into.rows[i] = i
  }
  into.values.set(values, into.filled)
  if (into.rows) {
    for (let i = 0; i < values.length; i++) {
      into.rows[into.filled + i] = firstRow + (rows ? (rows[i] as number) : i)
    }
  }
  into.filled += values.length
}

/** A column of the rows at the points of a series, or, with no rows listed, of the first ones. */
const floatsAt = (column: Float64Array, { rows, values }: SegmentSeries): Float64Array =>
  rows ? pickFloats(column, rows) : column.subarray(0, values.length)

const integersAt = (column: Uint32Array, { rows, values }: SegmentSeries): Uint32Array =>
  rows ? pickIntegers(column, rows) : column.subarray(0, values.length)

function withoutReplacedPoints(series: SegmentSeries, { steps, attempts }: SegmentRows): SegmentSeries {
  const staying = withoutReplaced(floatsAt(steps, series), integersAt(attempts, series))
  return staying ? pick(series, staying) : series
}

/**
 * By buckets of equally many events: those of equally many points would halve what is left of a task's beginning each
 * time that it is merged with less that is newer, until nothing is.
 */
function thin(series: SegmentSeries, rows: SegmentRows, buckets: Buckets, limit: number): SegmentSeries {
  const chosen = choosePoints(series.values, buckets, limit)
  return { ...pick(series, withStarts(chosen, series, rows)), isThinned: true }
}

const bucketsOf = (positions: Uint32Array, { offsets }: SegmentRows): Buckets =>
  new Buckets(Float64Array.from(pickIntegers(offsets, positions)))

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
  const starts = attemptStarts(floatsAt(steps, series), integersAt(attempts, series)).slice(0, 2)
  return Uint32Array.from(new Set([...chosen, ...starts])).sort()
}

const pick = ({ number, rows, values }: SegmentSeries, positions: Uint32Array): SegmentSeries => ({
  number,
  isThinned: false,
  rows: rows ? pickIntegers(rows, positions) : positions,
  values: pickFloats(values, positions),
})

/** Only rows that a point refers to, in their order. */
function withUsedRows(rows: SegmentRows, series: readonly SegmentSeries[]): Pick<Segment, 'rows' | 'series'> {
  if (series.some(({ rows: own, values }) => own === null && values.length === rows.length))
    return { rows, series }
  const isUsed = new Uint8Array(rows.length)
  for (const { rows: own, values } of series) {
    if (own === null) isUsed.fill(1, 0, values.length)
    else for (let i = 0; i < own.length; i++) isUsed[own[i] as number] = 1
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
      // Of rows that are all used, the first stay the first; and a point in every row needs no list of them.
      rows: own === null || values.length === length ? null : pickIntegers(placeOf, own),
      values,
    })),
  }
}
