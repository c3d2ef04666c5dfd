/** The reports that points came from, a column for each of their properties. Metrics of one report share its row. */
export interface SegmentRows {
  readonly length: number
  /** Of the event in its log, counted from the segment's `after`. */
  readonly offsets: Uint32Array
  readonly steps: Float64Array
  /** NaN where it is not known. */
  readonly epochs: Float64Array
  /** Milliseconds since the epoch. */
  readonly times: Float64Array
  readonly attempts: Uint32Array
}

/** One series' points in a segment, in the order of their events. */
export interface SegmentSeries {
  /** Of the series in its task's index. */
  readonly number: number
  /** In an overview: whether the segment itself has more points. */
  readonly isThinned: boolean
  /** For each point, the row it belongs to; null where the first belongs to the first row, and so on. */
  readonly rows: Uint32Array | null
  readonly values: Float64Array
}

/**
 * The points of the events after one offset through another: all of them, or, once a task has too many, those that a
 * chart cannot do without (`merge.ts`). A segment is never changed, only replaced.
 */
export interface Segment {
  readonly after: number
  readonly through: number
  readonly rows: SegmentRows
  readonly series: readonly SegmentSeries[]
}

/** Points in a segment. */
export function pointsIn({ series }: Segment): number {
  let points = 0
  for (const { values } of series) points += values.length
  return points
}

/*
 * A segment in bytes, all numbers little-endian, as every platform of Node has them in memory:
 *
 *   u32 version, rows, series, points, points whose rows are listed, 0
 *   f64 after, through
 *   f64 × rows: steps, epochs, times;     f64 × points: values
 *   u32 × rows: offsets, attempts;        u32 × points whose rows are listed: rows
 *   u32 × series: number of the series, count of its points, 1 where it is thinned + 2 where its rows are listed
 */
const VERSION = 2
const HEADER_BYTES = 6 * 4 + 2 * 8
const ROW_BYTES = 3 * 8 + 2 * 4
const VALUE_BYTES = 8
const LISTED_ROW_BYTES = 4
const SERIES_BYTES = 3 * 4
const [THINNED, LISTED] = [1, 2]

interface Counts {
  readonly rows: number
  readonly series: number
  readonly points: number
  /** Points whose rows are listed. */
  readonly listed: number
}

/** The columns of a segment in bytes; those of its series are one after the other in `values`, and in `rows` where listed. */
export type SegmentColumns = ReturnType<typeof columnsOf>

/** A segment in bytes, whose columns are still to be filled. */
export function emptySegment(after: number, through: number, counts: Counts) {
  const size =
    HEADER_BYTES +
    counts.rows * ROW_BYTES +
    counts.points * VALUE_BYTES +
    counts.listed * LISTED_ROW_BYTES +
    counts.series * SERIES_BYTES
  // All of it is written, so it need not be cleared before.
  const { buffer } = Buffer.allocUnsafeSlow(size)
  new Uint32Array(buffer, 0, 6).set([VERSION, counts.rows, counts.series, counts.points, counts.listed, 0])
  new Float64Array(buffer, 24, 2).set([after, through])
  return { bytes: new Uint8Array(buffer), columns: columnsOf(buffer, counts) }
}

/** As the columns have them. */
export const segmentFlags = (isThinned: boolean, isListed: boolean): number =>
  (isThinned ? THINNED : 0) + (isListed ? LISTED : 0)

export function encodeSegment(segment: Segment): Uint8Array {
  const { after, through, rows, series } = segment
  const { bytes, columns } = emptySegment(after, through, {
    rows: rows.length,
    series: series.length,
    points: pointsIn(segment),
    listed: series.reduce((sum, { rows }) => sum + (rows?.length ?? 0), 0),
  })
  columns.steps.set(rows.steps)
  columns.epochs.set(rows.epochs)
  columns.times.set(rows.times)
  columns.offsets.set(rows.offsets)
  columns.attempts.set(rows.attempts)
  let [at, listedAt] = [0, 0]
  for (const [i, { number, isThinned, rows, values }] of series.entries()) {
    columns.values.set(values, at)
    at += values.length
    if (rows) {
      columns.rows.set(rows, listedAt)
      listedAt += rows.length
    }
    columns.numbers[i] = number
    columns.counts[i] = values.length
    columns.flags[i] = segmentFlags(isThinned, rows !== null)
  }
  return bytes
}

/** Points of a segment in bytes. */
export const encodedPoints = ({ buffer, byteOffset }: Uint8Array): number =>
  new Uint32Array(buffer, byteOffset, 4)[3] as number

/** Whose columns are the bytes themselves, unless these are a part of others. */
export function decodeSegment(bytes: Uint8Array): Segment {
  // Numbers must begin at multiples of their size; and a part of a reply would keep all of it in memory.
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
  const buffer = own.buffer as ArrayBuffer
  const [version, rows, seriesCount, points, listed] = new Uint32Array(buffer, 0, 5) as unknown as Five
  if (version !== VERSION) throw new Error(`a segment has version ${version}; expected ${VERSION}`)
  const [after, through] = new Float64Array(buffer, 24, 2) as unknown as Two
  const columns = columnsOf(buffer, { rows, series: seriesCount, points, listed })
  const { steps, epochs, times, offsets, attempts } = columns
  let [at, listedAt] = [0, 0]
  const series: SegmentSeries[] = []
  for (let i = 0; i < seriesCount; i++) {
    const count = columns.counts[i] as number
    const flags = columns.flags[i] as number
    const isListed = (flags & LISTED) !== 0
    series.push({
      number: columns.numbers[i] as number,
      isThinned: (flags & THINNED) !== 0,
      rows: isListed ? columns.rows.subarray(listedAt, listedAt + count) : null,
      values: columns.values.subarray(at, at + count),
    })
    at += count
    if (isListed) listedAt += count
  }
  return { after, through, rows: { length: rows, offsets, steps, epochs, times, attempts }, series }
}

type Two = [number, number]
type Five = [number, number, number, number, number]

function columnsOf(buffer: ArrayBuffer, { rows, series, points, listed }: Counts) {
  const epochs = HEADER_BYTES + 8 * rows
  const times = epochs + 8 * rows
  const values = times + 8 * rows
  const offsets = values + VALUE_BYTES * points
  const attempts = offsets + 4 * rows
  const listedRows = attempts + 4 * rows
  const numbers = listedRows + LISTED_ROW_BYTES * listed
  const counts = numbers + 4 * series
  const flags = counts + 4 * series
  return {
    steps: new Float64Array(buffer, HEADER_BYTES, rows),
    epochs: new Float64Array(buffer, epochs, rows),
    times: new Float64Array(buffer, times, rows),
    values: new Float64Array(buffer, values, points),
    offsets: new Uint32Array(buffer, offsets, rows),
    attempts: new Uint32Array(buffer, attempts, rows),
    rows: new Uint32Array(buffer, listedRows, listed),
    numbers: new Uint32Array(buffer, numbers, series),
    counts: new Uint32Array(buffer, counts, series),
    flags: new Uint32Array(buffer, flags, series),
  }
}
