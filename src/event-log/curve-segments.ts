import { randomBytes } from 'node:crypto'
import { segmentsToMerge } from '../task/curves/compaction.ts'
import { encodedBytes, overviewOf, type SegmentInfo } from '../task/curves/curve-index.ts'
import { MIN_POINTS_PER_SERIES, mergeSegments } from '../task/curves/merge.ts'
import type { SeriesKey } from '../task/curves/point.ts'
import { decodeSegment, encodeSegment, pointsIn, type Segment } from '../task/curves/segment.ts'
import type { TaskKey } from '../task/task.ts'
import type { CurveStore } from './curve-store.ts'
import type { CurveChange } from './event-log.ts'

/** Segments of one task, however small they are. */
const MAX_SEGMENTS = 256
/** At most what one takes in the index: its name, and seven numbers. */
const SEGMENT_INDEX_BYTES = 128
/** Part of a segment's points that its overview has. */
const OVERVIEW_PART = 8
/** Points of a merged segment: fewer than a fresh one may have, as what is merged is most of the work. */
const MERGED_POINTS = 8192

interface CurveSegmentsOptions {
  /** Bytes of one task's curves, stored: index, segments and overviews. */
  readonly maxBytes: number
  /** Points of one segment, at most. */
  readonly segmentPoints: number
}

/** The segments as they are to be, and what the store must change for that. */
interface SegmentsChange extends Pick<CurveChange, 'put' | 'drop'> {
  readonly segments: readonly SegmentInfo[]
}

/** Adds segments to a task's curves, and merges old ones so that the curves stay within their bytes. */
export class CurveSegments {
  readonly #store: CurveStore
  readonly #maxBytes: number
  readonly #segmentPoints: number

  constructor(store: CurveStore, { maxBytes, segmentPoints }: CurveSegmentsOptions) {
    this.#store = store
    this.#maxBytes = maxBytes
    this.#segmentPoints = segmentPoints
  }

  /**
   * Adds segments, and merges others until all have room beside an index of these series.
   *
   * @throws EpochcastError ENGINE_UNAVAILABLE
   */
  async add(
    key: TaskKey,
    segments: readonly SegmentInfo[],
    fresh: readonly Segment[],
    series: readonly SeriesKey[],
  ): Promise<SegmentsChange> {
    const maxBytes = this.#maxBytes - indexBytes(series)
    const added = new Map<string, NewSegment>()
    const drop: string[] = []
    const add = (segment: Segment, level: number): SegmentInfo => {
      const one = newSegment(segment, level)
      added.set(one.info.name, one)
      return one.info
    }
    let all = [...segments, ...fresh.map((segment) => add(segment, 0))]
    while (all.length > MAX_SEGMENTS || totalBytes(all) > maxBytes) {
      const group = segmentsToMerge(all)
      const [first] = group
      if (!first) break
      const parts = await this.#load(key, group, added)
      const points = parts.reduce((sum, part) => sum + pointsIn(part), 0)
      // Where only their number is too high, they need not be thinned.
      const most = totalBytes(all) > maxBytes ? Math.ceil(points / 2) : points
      const merged = mergeSegments(parts, Math.min(this.#segmentPoints, MERGED_POINTS, most))
      // A few points of each of very many series cannot be thinned further.
      if (group.length === 1 && pointsIn(merged) === points) break
      for (const { name, hasOverview } of group) {
        if (!added.delete(name)) drop.push(...(hasOverview ? [name, overviewOf(name)] : [name]))
      }
      const level = Math.max(...group.map((segment) => segment.level)) + 1
      const at = all.indexOf(first)
      const info = pointsIn(merged) > 0 ? [add(merged, level)] : []
      all = [...all.slice(0, at), ...info, ...all.slice(at + group.length)]
    }
    return { segments: all, put: [...added.values()].flatMap(({ put }) => put), drop }
  }

  /** Of a segment that the store lost nothing is left to merge. */
  async #load(
    key: TaskKey,
    group: readonly SegmentInfo[],
    added: ReadonlyMap<string, NewSegment>,
  ): Promise<Segment[]> {
    const names = group.map(({ name }) => name).filter((name) => !added.has(name))
    const bytes = await this.#store.readSegments(key, names)
    const stored = new Map(names.map((name, i) => [name, bytes[i] ?? null]))
    return group.flatMap(({ name }) => {
      const segment = added.get(name)?.segment
      const found = stored.get(name)
      return segment ?? (found ? decodeSegment(found) : [])
    })
  }
}

/** Names of segments are never given twice, whichever process gives them. */
const PROCESS = randomBytes(6).toString('base64url')
let named = 0

interface NewSegment {
  readonly info: SegmentInfo
  readonly segment: Segment
  readonly put: CurveChange['put']
}

function newSegment(segment: Segment, level: number): NewSegment {
  const { after, through } = segment
  const points = pointsIn(segment)
  const name = `${PROCESS}-${(++named).toString(36)}`
  const put = [{ name, bytes: encodeSegment(segment) }]
  // Each series keeps some points in an overview, so where they have few there is nothing to be saved.
  const hasOverview = points / OVERVIEW_PART >= MIN_POINTS_PER_SERIES * segment.series.length
  if (hasOverview) {
    const overview = mergeSegments([segment], Math.ceil(points / OVERVIEW_PART))
    put.push({ name: overviewOf(name), bytes: encodeSegment(overview) })
  }
  const bytes = put.reduce((sum, one) => sum + one.bytes.byteLength, 0)
  let [minStep, maxStep] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const step of segment.rows.steps) {
    if (step < minStep) minStep = step
    if (step > maxStep) maxStep = step
  }
  const info = { name, after, through, level, bytes, hasOverview, minStep, maxStep }
  return { info, segment, put }
}

const totalBytes = (segments: readonly SegmentInfo[]): number =>
  segments.reduce((sum, { bytes }) => sum + bytes, 0)

/** At most, of an index of these series. */
const indexBytes = (series: readonly SeriesKey[]): number =>
  encodedBytes(series) + SEGMENT_INDEX_BYTES * MAX_SEGMENTS
