import { randomBytes } from 'node:crypto'
import { MERGED_AT_ONCE, segmentsToMerge } from '../task/curves/compaction.ts'
import { overviewOf, type SegmentInfo } from '../task/curves/curve-index.ts'
import { MIN_POINTS_PER_SERIES, mergeSegments } from '../task/curves/merge.ts'
import { decodeSegment, encodedPoints, pointsIn, type Segment } from '../task/curves/segment.ts'
import type { TaskKey } from '../task/task.ts'
import type { CurveStore } from './curve-store.ts'
import type { CurveChange } from './event-log.ts'

/** Segments of one task, however small they are. */
const MAX_SEGMENTS = 256
/** At most what one takes in the index: its name, and seven numbers. */
const SEGMENT_INDEX_BYTES = 128
/** Points of a merged segment. */
const MERGED_POINTS = 8192
/** An overview has this part of its segment's points, or fewer: as many as fit into a merged segment together. */
const OVERVIEW = { part: MERGED_AT_ONCE, points: Math.floor(MERGED_POINTS / MERGED_AT_ONCE) } as const

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
   * Adds segments, in bytes, and merges others until all have room beside their index.
   *
   * @param seriesBytes what their series take in the index
   * @throws EpochcastError ENGINE_UNAVAILABLE
   */
  async add(
    key: TaskKey,
    segments: readonly SegmentInfo[],
    fresh: readonly Uint8Array[],
    seriesBytes: number,
  ): Promise<SegmentsChange> {
    const maxBytes = this.#maxBytes - seriesBytes - SEGMENT_INDEX_BYTES * MAX_SEGMENTS
    const added = new Map<string, NewSegment>()
    const drop: string[] = []
    const add = (bytes: Uint8Array, level: number): SegmentInfo => {
      const one = newSegment(bytes, level)
      added.set(one.info.name, one)
      return one.info
    }
    let all = [...segments, ...fresh.map((bytes) => add(bytes, 0))]
    let bytes = totalBytes(all)
    while (all.length > MAX_SEGMENTS || bytes > maxBytes) {
      const group = segmentsToMerge(all)
      const [first] = group
      if (!first) break
      const merged = await this.#merge(key, group, added, bytes > maxBytes)
      if (merged === null) break
      for (const { name, hasOverview } of group) {
        if (!added.delete(name)) drop.push(...(hasOverview ? [name, overviewOf(name)] : [name]))
      }
      const level = Math.max(...group.map((segment) => segment.level)) + 1
      const at = all.indexOf(first)
      const info = encodedPoints(merged) > 0 ? [add(merged, level)] : []
      all = [...all.slice(0, at), ...info, ...all.slice(at + group.length)]
      bytes = totalBytes(all)
    }
    return { segments: all, put: [...added.values()].flatMap(({ put }) => put), drop }
  }

  /** Null where merging would not make them smaller. */
  async #merge(
    key: TaskKey,
    group: readonly SegmentInfo[],
    added: ReadonlyMap<string, NewSegment>,
    isTooLarge: boolean,
  ): Promise<Uint8Array | null> {
    const room = Math.min(this.#segmentPoints, MERGED_POINTS)
    // What is to stay of each has been chosen already, for its overview.
    if (isTooLarge && group.length === MERGED_AT_ONCE && group.every(({ hasOverview }) => hasOverview)) {
      const names = group.map(({ name }) => overviewOf(name))
      const overviews = await this.#load(key, names, added)
      // Where the store lost one, its segment may still be there.
      if (overviews.length === group.length) return mergeSegments(overviews, room)
    }
    const names = group.map(({ name }) => name)
    const parts = await this.#load(key, names, added)
    const points = parts.reduce((sum, part) => sum + pointsIn(part), 0)
    // Where only their number is too high, they need not be thinned.
    const merged = mergeSegments(parts, Math.min(room, isTooLarge ? Math.ceil(points / 2) : points))
    // A few points of each of very many series cannot be thinned further.
    return group.length === 1 && encodedPoints(merged) === points ? null : merged
  }

  /** Of a segment that the store lost nothing is left to merge. */
  async #load(
    key: TaskKey,
    names: readonly string[],
    added: ReadonlyMap<string, NewSegment>,
  ): Promise<Segment[]> {
    const fresh = new Map(
      [...added.values()].flatMap(({ put }) => put.map(({ name, bytes }) => [name, bytes])),
    )
    const old = names.filter((name) => !fresh.has(name))
    const stored = await this.#store.readSegments(key, old)
    const found = new Map(old.map((name, i) => [name, stored[i] ?? null]))
    return names.flatMap((name) => {
      const bytes = fresh.get(name) ?? found.get(name)
      return bytes ? decodeSegment(bytes) : []
    })
  }
}

/** Names of segments are never given twice, whichever process gives them. */
const PROCESS = randomBytes(6).toString('base64url')
let named = 0

interface NewSegment {
  readonly info: SegmentInfo
  /** The segment, and its overview where it has one. */
  readonly put: CurveChange['put']
}

function newSegment(encoded: Uint8Array, level: number): NewSegment {
  const segment = decodeSegment(encoded)
  const { after, through } = segment
  const name = `${PROCESS}-${(++named).toString(36)}`
  const put = [{ name, bytes: encoded }]
  const overview = overviewOfSegment(segment)
  if (overview) put.push({ name: overviewOf(name), bytes: overview })
  const bytes = put.reduce((sum, one) => sum + one.bytes.byteLength, 0)
  let [minStep, maxStep] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const step of segment.rows.steps) {
    if (step < minStep) minStep = step
    if (step > maxStep) maxStep = step
  }
  const hasOverview = overview !== null
  return { info: { name, after, through, level, bytes, hasOverview, minStep, maxStep }, put }
}

/** Null where each series has so few points, all of which an overview would keep, that nothing is saved by one. */
function overviewOfSegment(segment: Segment): Uint8Array | null {
  const least = MIN_POINTS_PER_SERIES * segment.series.length
  const most = Math.floor(pointsIn(segment) / OVERVIEW.part)
  return least > most ? null : mergeSegments([segment], Math.min(most, Math.max(least, OVERVIEW.points)))
}

function totalBytes(segments: readonly SegmentInfo[]): number {
  let sum = 0
  for (const { bytes } of segments) sum += bytes
  return sum
}
