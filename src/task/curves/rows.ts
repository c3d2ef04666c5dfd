import { type ColumnRoom, pickIntegers } from './columns.ts'
import type { Segment, SegmentRows, SegmentSeries } from './segment.ts'

/** Those of consecutive segments, counted from the first one's `after`. */
export function concatenateRows(segments: readonly Segment[], after: number, room: ColumnRoom): SegmentRows {
  const length = segments.reduce((sum, { rows }) => sum + rows.length, 0)
  const all = emptyRows(length, room)
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

function emptyRows(length: number, room: ColumnRoom): SegmentRows {
  return {
    length,
    offsets: room.integers(length),
    steps: room.floats(length),
    epochs: room.floats(length),
    times: room.floats(length),
    attempts: room.integers(length),
  }
}

/** Only rows that a point refers to, in their order. */
export function withUsedRows(
  rows: SegmentRows,
  series: readonly SegmentSeries[],
  room: ColumnRoom,
): Pick<Segment, 'rows' | 'series'> {
  if (hasPointInEvery(rows, series)) return { rows, series }
  // First whether a row is used, then where it goes.
  const placeOf = room.integers(rows.length).fill(0)
  let most = 0
  for (const { rows: own, values } of series) {
    most += values.length
    if (own === null) placeOf.fill(1, 0, values.length)
    else for (let i = 0; i < own.length; i++) placeOf[own[i] as number] = 1
  }
  const used = emptyRows(Math.min(most, rows.length), room)
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
    series: withRowsAt(placeOf, length, series, room),
  }
}

function hasPointInEvery(rows: SegmentRows, series: readonly SegmentSeries[]): boolean {
  for (const { rows: own, values } of series) if (own === null && values.length === rows.length) return true
  return false
}

/** Series, of whose rows so many are used, and where each of them went. */
function withRowsAt(
  placeOf: Uint32Array,
  length: number,
  series: readonly SegmentSeries[],
  room: ColumnRoom,
): SegmentSeries[] {
  const all: SegmentSeries[] = []
  for (const { number, isThinned, rows: own, values } of series) {
    // Of rows that are all used, the first stay the first; and a point in every row needs no list of them. Those of a
    // thinned series are its own, and need no others.
    const isUnlisted = own === null || values.length === length
    const rows = isUnlisted ? null : pickIntegers(placeOf, own, isThinned ? own : room.integers(own.length))
    all.push({ number, isThinned, rows, values })
  }
  return all
}
