import { ColumnRoom, pickIntegers } from './columns.ts'
import type { Segment, SegmentRows, SegmentSeries } from './segment.ts'

/** Those of consecutive segments, counted from the first one's `after`. */
export function concatenateRows(segments: readonly Segment[], after: number): SegmentRows {
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

function emptyRows(length: number): SegmentRows {
  const room = new ColumnRoom(3 * length, 2 * length)
  return {
    length,
    offsets: room.integers(length),
    steps: room.floats(length),
    epochs: room.floats(length),
    times: room.floats(length),
    attempts: room.integers(length),
  }
}

/** For `withUsedRows`, from one time to the next. */
let places = new Uint32Array(1024)

/** Only rows that a point refers to, in their order. */
export function withUsedRows(
  rows: SegmentRows,
  series: readonly SegmentSeries[],
): Pick<Segment, 'rows' | 'series'> {
  if (series.some(({ rows: own, values }) => own === null && values.length === rows.length))
    return { rows, series }
  if (places.length < rows.length) places = new Uint32Array(2 * rows.length)
  // First whether a row is used, then where it goes.
  const placeOf = places.fill(0, 0, rows.length)
  let most = 0
  for (const { rows: own, values } of series) {
    most += values.length
    if (own === null) placeOf.fill(1, 0, values.length)
    else for (let i = 0; i < own.length; i++) placeOf[own[i] as number] = 1
  }
  const used = emptyRows(Math.min(most, rows.length))
  let length = 0
  for (let row = 0; row < rows.length; row++) {
    if (placeOf[row] === 0) continue
    used.offsets[length] = rows.offsets[row] as number
    used.steps[length] = rows.steps[row] as number
    used.epochs[length] = rows.epochs[row] as number
    used.times[length] = rows.times[row] as number
    used.attempts[length] = rows.attempts[row] as number
    placeOf[row] = length++
  }
  return {
    rows: {
      length,
      offsets: used.offsets.subarray(0, length),
      steps: used.steps.subarray(0, length),
      epochs: used.epochs.subarray(0, length),
      times: used.times.subarray(0, length),
      attempts: used.attempts.subarray(0, length),
    },
    series: series.map(({ number, isThinned, rows: own, values }) => ({
      number,
      isThinned,
      // Of rows that are all used, the first stay the first; and a point in every row needs no list of them. Those of a
      // thinned series are its own, and need no others.
      rows:
        own === null || values.length === length
          ? null
          : pickIntegers(placeOf, own, isThinned ? own : new Uint32Array(own.length)),
      values,
    })),
  }
}
