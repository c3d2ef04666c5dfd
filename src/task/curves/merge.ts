/*
 * What is called for every series or point here is no function within another: V8 forgets its code with the last of them, so it
 * would be compiled anew after each collection of all garbage.
 */
import { attemptStarts, withoutReplaced } from './attempts.ts'
import { Buckets, choosePoints } from './choose.ts'
import { ColumnRoom, pickFloats, pickIntegers } from './columns.ts'
import { concatenateRows, withUsedRows } from './rows.ts'
import { encodeSegment, pointsIn, type Segment, type SegmentRows, type SegmentSeries } from './segment.ts'

/** No series is thinned further than this. */
export const MIN_POINTS_PER_SERIES = 8

/** For all merging, which is done at once: whatever has its columns there is in bytes before others are merged. */
const room = new ColumnRoom()

/**
 * Makes one segment, in bytes, of consecutive ones, thinned to about `maxPoints` points of all series together. As long
 * as that is not needed, all points stay, those that a later attempt replaced among them: somebody may still ask for the
 * series as they were before it.
 */
export function mergeSegments(segments: readonly Segment[], maxPoints: number): Uint8Array {
  room.reuse()
  return encodeSegment(merged(segments, maxPoints))
}

function merged(segments: readonly Segment[], maxPoints: number): Segment {
  const [only] = segments
  const parts = thinnedApart(segments, maxPoints)
  if (parts) return concatenate(parts, true)
  const whole = only !== undefined && segments.length === 1 ? only : concatenate(segments, false)
  const isRoomy = pointsIn(whole) <= maxPoints
  const series =
    isRoomy || hasOneAttempt(segments)
      ? whole.series
      : whole.series.map((one) => withoutReplacedPoints(one, whole.rows))
  return thinSegment({ ...whole, series }, fairShare(series.map(lengthOf), maxPoints), null)
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
  const whole = new Set([...lengths].flatMap(([number, length]) => (length <= limit ? number : [])))
  return segments.map((segment, i) => thinSegment(segment, limits[i] as number, whole))
}

const lengthOf = ({ values }: SegmentSeries): number => values.length

/**
 * @param limit the most points of a series
 * @param whole numbers of the series that keep all of theirs; null for none
 */
function thinSegment(segment: Segment, limit: number, whole: ReadonlySet<number> | null): Segment {
  const { rows, series, after, through } = segment
  // One for all that have a point in every row.
  const everyRow = new Buckets(toFloats(rows.offsets))
  const thinned: SegmentSeries[] = []
  for (const one of series) {
    if (one.values.length <= limit || whole?.has(one.number))
      thinned.push(one.isThinned ? { ...one, isThinned: false } : one)
    else thinned.push(thin(one, rows, one.rows ? bucketsOf(one.rows, rows) : everyRow, limit))
  }
  return { after, through, ...withUsedRows(rows, thinned, room) }
}

const hasOneAttempt = (segments: readonly Segment[]): boolean => {
  const first = segments.find(({ rows }) => rows.length > 0)?.rows.attempts[0]
  const last = segments.findLast(({ rows }) => rows.length > 0)?.rows.attempts.at(-1)
  return first === last
}

/** The most that each may have, so that together they have at most `total`: what small ones leave is shared. */
export function fairShare(lengths: readonly number[], total: number): number {
  const ascending = Uint32Array.from(lengths).sort()
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
    rows: concatenateRows(segments, after, room),
    series: concatenateSeries(segments, isApart),
  }
}

/** Every series with its points of all segments; their rows are those of all segments, too. */
function concatenateSeries(segments: readonly Segment[], isApart: boolean): SegmentSeries[] {
  const lengths = lengthsOf(segments)
  const all = new Map<number, GrowingSeries>()
  let firstRow = 0
  for (const { series, rows } of segments) {
    for (const own of series) {
      let into = all.get(own.number)
      if (!into) {
        const values = room.floats(lengths.get(own.number) as number)
        into = { number: own.number, isThinned: false, rows: null, values, filled: 0 }
        all.set(own.number, into)
      }
      if (isApart && own.isThinned) into.isThinned = true
      append(into, own, firstRow)
    }
    firstRow += rows.length
  }
  return Array.from(all.values(), withoutCount)
}

const withoutCount = ({ number, isThinned, rows, values }: GrowingSeries): SegmentSeries => ({
  number,
  isThinned,
  rows,
  values,
})

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
    into.rows = room.integers(into.values.length)
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
  rows ? pickFloats(column, rows, room.floats(rows.length)) : column.subarray(0, values.length)

const integersAt = (column: Uint32Array, { rows, values }: SegmentSeries): Uint32Array =>
  rows ? pickIntegers(column, rows, room.integers(rows.length)) : column.subarray(0, values.length)

function withoutReplacedPoints(series: SegmentSeries, { steps, attempts }: SegmentRows): SegmentSeries {
  const staying = withoutReplaced(floatsAt(steps, series), integersAt(attempts, series))
  return staying ? pick(series, staying, false) : series
}

/**
 * By buckets of equally many events: those of equally many points would halve what is left of a task's beginning each
 * time that it is merged with less that is newer, until nothing is.
 */
function thin(series: SegmentSeries, rows: SegmentRows, buckets: Buckets, limit: number): SegmentSeries {
  const chosen = withStarts(choosePoints(series.values, buckets, limit), series, rows)
  return pick(series, chosen, true)
}

const bucketsOf = (positions: Uint32Array, { offsets }: SegmentRows): Buckets =>
  new Buckets(toFloats(pickIntegers(offsets, positions, room.integers(positions.length))))

function toFloats(integers: Uint32Array): Float64Array {
  const floats = room.floats(integers.length)
  for (let i = 0; i < floats.length; i++) floats[i] = integers[i] as number
  return floats
}

/** Points of each series that stay for where attempts start. */
const MOST_STARTS = 2

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
  const starts = attemptStarts(floatsAt(steps, series), integersAt(attempts, series)).slice(0, MOST_STARTS)
  return Uint32Array.from(new Set([...chosen, ...starts])).sort()
}

/** Into columns of its own. */
function pick(
  { number, rows, values }: SegmentSeries,
  positions: Uint32Array,
  isThinned: boolean,
): SegmentSeries {
  const { length } = positions
  const ownRows = room.integers(length)
  if (rows) pickIntegers(rows, positions, ownRows)
  else ownRows.set(positions)
  return {
    number,
    isThinned,
    rows: ownRows,
    values: pickFloats(values, positions, room.floats(length)),
  }
}
