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
  /** For each point, the row it belongs to. */
  readonly rows: Uint32Array
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
export const pointsIn = ({ series }: Segment): number =>
  series.reduce((sum, { values }) => sum + values.length, 0)

/*
 * A segment in bytes, all numbers little-endian, as every platform of Node has them in memory:
 *
 *   u32 version, u32 rows, u32 series, u32 points
 *   f64 after, f64 through
 *   f64 × rows: steps, epochs, times;     f64 × points: values
 *   u32 × rows: offsets, attempts;        u32 × points: rows
 *   u32 × series: number of the series, count of its points, 1 where it is thinned
 */
const VERSION = 1
const HEADER_BYTES = 4 * 4 + 2 * 8
const ROW_BYTES = 3 * 8 + 2 * 4
const POINT_BYTES = 8 + 4
const SERIES_BYTES = 3 * 4

export function encodeSegment(segment: Segment): Uint8Array {
  const { after, through, rows, series } = segment
  const points = pointsIn(segment)
  const size = HEADER_BYTES + rows.length * ROW_BYTES + points * POINT_BYTES + series.length * SERIES_BYTES
  const buffer = new ArrayBuffer(size)
  new Uint32Array(buffer, 0, 4).set([VERSION, rows.length, series.length, points])
  new Float64Array(buffer, 16, 2).set([after, through])
  const columns = columnsOf(buffer, rows.length, series.length, points)
  columns.steps.set(rows.steps)
  columns.epochs.set(rows.epochs)
  columns.times.set(rows.times)
  columns.offsets.set(rows.offsets)
  columns.attempts.set(rows.attempts)
  let at = 0
  series.forEach(({ number, isThinned, rows, values }, i) => {
    columns.values.set(values, at)
    columns.rows.set(rows, at)
    columns.numbers[i] = number
    columns.counts[i] = values.length
    columns.thinned[i] = isThinned ? 1 : 0
    at += values.length
  })
  return new Uint8Array(buffer)
}

export function decodeSegment(bytes: Uint8Array): Segment {
  // Numbers must begin at multiples of their size; and a part of a reply would keep all of it in memory.
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
  const buffer = own.buffer as ArrayBuffer
  const [version, rowCount, seriesCount, pointCount] = new Uint32Array(buffer, 0, 4) as unknown as Four
  if (version !== VERSION) throw new Error(`a segment has version ${version}; expected ${VERSION}`)
  const [after, through] = new Float64Array(buffer, 16, 2) as unknown as Two
  const columns = columnsOf(buffer, rowCount, seriesCount, pointCount)
  const { steps, epochs, times, offsets, attempts } = columns
  let at = 0
  const series = Array.from(columns.numbers, (number, i): SegmentSeries => {
    const end = at + (columns.counts[i] as number)
    const own = {
      number,
      isThinned: columns.thinned[i] === 1,
      rows: columns.rows.subarray(at, end),
      values: columns.values.subarray(at, end),
    }
    at = end
    return own
  })
  return { after, through, rows: { length: rowCount, offsets, steps, epochs, times, attempts }, series }
}

type Two = [number, number]
type Four = [number, number, number, number]

function columnsOf(buffer: ArrayBuffer, rows: number, series: number, points: number) {
  let at = HEADER_BYTES
  const floats = (length: number) => {
    const column = new Float64Array(buffer, at, length)
    at += 8 * length
    return column
  }
  const integers = (length: number) => {
    const column = new Uint32Array(buffer, at, length)
    at += 4 * length
    return column
  }
  return {
    steps: floats(rows),
    epochs: floats(rows),
    times: floats(rows),
    values: floats(points),
    offsets: integers(rows),
    attempts: integers(rows),
    rows: integers(points),
    numbers: integers(series),
    counts: integers(series),
    thinned: integers(series),
  }
}
