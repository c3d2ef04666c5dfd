import { latestName } from '../reducer.ts'
import type { Phase } from '../task.ts'
import { withoutReplaced } from './attempts.ts'
import { Buckets, choosePoints, WELL_USED } from './choose.ts'
import { pickFloats } from './columns.ts'
import { type MetricPoint, type MetricSeries, type SeriesKey, toMetricValue } from './point.ts'
import type { Segment, SegmentSeries } from './segment.ts'

export interface SeriesQuery {
  /** Null for all. */
  readonly names: ReadonlySet<string> | null
  readonly phase: Phase | null
  readonly member: string | null
  /** Bounds of the steps, inclusive. */
  readonly from: number | null
  readonly to: number | null
  /** In one series; at least 7. */
  readonly maxPoints: number
}

/** A series' points in one segment. */
interface Part {
  readonly segment: Segment
  readonly series: SegmentSeries
}

export interface FoundSeries {
  readonly number: number
  readonly series: MetricSeries
  /** Whether finer segments have points that the query has room for. */
  readonly couldBeFiner: boolean
}

/**
 * The series of a task as they were after the event `through`.
 *
 * @param segments consecutive, oldest first; each may be an overview
 * @param keys the series by number
 * @param only numbers of the series to look at; null for all
 */
export function* seriesOf(
  segments: readonly Segment[],
  keys: readonly SeriesKey[],
  through: number,
  query: SeriesQuery,
  only: ReadonlySet<number> | null = null,
): Generator<FoundSeries, void> {
  const wanted = keys.map((key, number) => (only?.has(number) ?? true) && isWanted(key, query))
  const parts: Part[][] = keys.map(() => [])
  for (const segment of segments) {
    if (segment.after >= through) break
    for (const series of segment.series) {
      if (wanted[series.number]) parts[series.number]?.push({ segment, series })
    }
  }
  for (const [number, key] of keys.entries()) {
    const own = parts[number] as Part[]
    if (own.length === 0) continue
    const points = pointsOf(own, through, query)
    const couldBeFiner =
      points.length < WELL_USED * query.maxPoints && own.some(({ series }) => series.isThinned)
    if (points.length > 0 || couldBeFiner) yield { number, series: { ...key, points }, couldBeFiner }
  }
}

export function isWanted(
  key: SeriesKey,
  { names, phase, member }: Pick<SeriesQuery, 'names' | 'phase' | 'member'>,
): boolean {
  return (
    (names === null || latestNames(key).some((name) => names.has(name))) &&
    (phase === null || key.phase === phase) &&
    (member === null || key.member === member)
  )
}

/** A series by its own name, and by those that its latest value may have in `Task.metrics`. */
function latestNames({ name, phase, axis }: SeriesKey): readonly string[] {
  if (phase === 'TEST') return [name, latestName(name, phase)]
  if (phase !== 'VAL') return [name]
  // With a step of their own, those of epochs and those of rounds are one series.
  const ofEpochs = axis === 'ROUND' ? [] : [latestName(name, 'VAL')]
  const ofRounds = axis === 'EPOCH' ? [] : [latestName(name, 'EVAL')]
  return [name, ...ofEpochs, ...ofRounds]
}

function pointsOf(parts: readonly Part[], through: number, query: SeriesQuery): MetricPoint[] {
  const all = gather(parts, through)
  const staying = withoutReplaced(all.steps, all.attempts)
  const inRange = positionsInRange(all.steps, staying, query)
  const sorted = sortedBySteps(all.steps, inRange)
  const steps = sorted ? pickFloats(all.steps, sorted) : all.steps
  const values = sorted ? pickFloats(all.values, sorted) : all.values
  const chosen = choosePoints(values, new Buckets(steps), query.maxPoints)
  return Array.from(chosen, (at): MetricPoint => {
    const position = sorted ? (sorted[at] as number) : at
    const { rows } = (parts[all.parts[position] as number] as Part).segment
    const row = all.rows[position] as number
    const epoch = rows.epochs[row] as number
    return {
      step: steps[at] as number,
      epoch: Number.isNaN(epoch) ? null : epoch,
      value: toMetricValue(values[at] as number),
      timestamp: rows.times[row] as number,
      attempt: rows.attempts[row] as number,
    }
  })
}

interface GatheredPoints {
  readonly steps: Float64Array
  readonly values: Float64Array
  readonly attempts: Uint32Array
  /** Where the rest of each is: its part, and the row there. */
  readonly parts: Uint32Array
  readonly rows: Uint32Array
}

/** In the order of their events, up to the event `through`. */
function gather(parts: readonly Part[], through: number): GatheredPoints {
  const length = parts.reduce((sum, { series }) => sum + series.values.length, 0)
  const steps = new Float64Array(length)
  const values = new Float64Array(length)
  const attempts = new Uint32Array(length)
  const partOf = new Uint32Array(length)
  const rowOf = new Uint32Array(length)
  let count = 0
  parts.forEach(({ segment, series }, part) => {
    const { rows } = segment
    const lastOffset = through - segment.after
    const isWhole = segment.through <= through
    for (let i = 0; i < series.values.length; i++) {
      const row = series.rows ? (series.rows[i] as number) : i
      if (!isWhole && (rows.offsets[row] as number) > lastOffset) break
      steps[count] = rows.steps[row] as number
      values[count] = series.values[i] as number
      attempts[count] = rows.attempts[row] as number
      partOf[count] = part
      rowOf[count] = row
      count++
    }
  })
  if (count === length) return { steps, values, attempts, parts: partOf, rows: rowOf }
  return {
    steps: steps.subarray(0, count),
    values: values.subarray(0, count),
    attempts: attempts.subarray(0, count),
    parts: partOf.subarray(0, count),
    rows: rowOf.subarray(0, count),
  }
}

/** Null where all of them are. */
function positionsInRange(
  steps: Float64Array,
  staying: Uint32Array | null,
  { from, to }: SeriesQuery,
): Uint32Array | null {
  if (from === null && to === null) return staying
  const positions = staying ?? Uint32Array.from(steps, (_, i) => i)
  return positions.filter((at) => {
    const step = steps[at] as number
    return step >= (from ?? Number.NEGATIVE_INFINITY) && step <= (to ?? Number.POSITIVE_INFINITY)
  })
}

/** Steps may go back within an attempt; a curve does not. Points of one step stay in the order of their events. */
function sortedBySteps(steps: Float64Array, positions: Uint32Array | null): Uint32Array | null {
  const length = positions?.length ?? steps.length
  const at = positions ? (i: number) => positions[i] as number : (i: number) => i
  for (let i = 1; i < length; i++) {
    if ((steps[at(i)] as number) >= (steps[at(i - 1)] as number)) continue
    const unsorted = positions ?? Uint32Array.from(steps, (_, i) => i)
    return unsorted.slice().sort((a, b) => (steps[a] as number) - (steps[b] as number) || a - b)
  }
  return positions
}
