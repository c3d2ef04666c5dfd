import { randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { segmentsToMerge } from '../task/curves/compaction.ts'
import {
  type CurveIndex,
  decodeIndex,
  encodeIndex,
  overviewOf,
  type SegmentInfo,
} from '../task/curves/curve-index.ts'
import { type CurveContext, CurveDraft, contextOf, FIRST_CONTEXT } from '../task/curves/draft.ts'
import { MIN_POINTS_PER_SERIES, mergeSegments } from '../task/curves/merge.ts'
import { decodeSegment, encodeSegment, pointsIn, type Segment } from '../task/curves/segment.ts'
import { SeriesNumbers } from '../task/curves/series-numbers.ts'
import type { TaskEvent } from '../task/event.ts'
import type { Position } from '../task/position.ts'
import { channelOf, type TaskKey, type TaskState } from '../task/task.ts'
import type { CurveStore, CurvesRead } from './curve-store.ts'
import type { CurveChange } from './event-log.ts'

/** Events that may wait in the log to be folded, and points in a segment. */
export const FOLD = { events: 1024, points: 8192 } as const
/** Segments of one task, however small they are. */
const MAX_SEGMENTS = 256
/** Segments that fit into the bytes of a task, at least: with fewer, the newest would not stay whole. */
const MIN_SEGMENTS = 16
/** About what a point takes in a segment, with its part of a row. */
const POINT_BYTES = 20
/** Points and rows that wait in memory, of all tasks; those of tasks that wait longest are read from the log again. */
const MAX_DRAFTED = 2_000_000
const MAX_TASKS = 2000
/** Part of a segment's points that its overview has. */
const OVERVIEW_PART = 8

/** The lowest bound on a task's curves: they would hardly have points. */
export const MIN_CURVE_BYTES = 262_144

export interface CurveFolderOptions {
  /** Bytes of one task's curves, stored. */
  readonly curveBytes: number
  /** Newest events that the log keeps; it keeps more only as long as they are not folded. */
  readonly retainEvents: number
  readonly onError: (error: unknown) => void
}

/** The task as it stands before an append. */
interface Standing {
  readonly state: TaskState
  readonly top: Position
  readonly folded: number
}

/** Points of the newest events of a task, up to its top. */
interface Drafted {
  readonly generation: string
  readonly draft: CurveDraft
  counted: number
}

/**
 * Folds events into their tasks' curves as they are appended: points are gathered in memory, and every `FOLD` of them
 * become a segment that the append stores along with its events. What is gathered is only a copy of what the log still
 * has, so it may be lost at any time.
 */
export class CurveFolder {
  readonly #store: CurveStore
  readonly #maxBytes: number
  readonly #segmentPoints: number
  readonly #segmentEvents: number
  readonly #onError: (error: unknown) => void
  readonly #drafts = new LRUCache<string, Drafted>({
    max: MAX_TASKS,
    dispose: ({ counted }) => {
      this.#drafted -= counted
    },
  })
  #drafted = 0
  /** As this process wrote them last. */
  readonly #indexes = new LRUCache<string, { readonly generation: string; readonly index: CurveIndex }>({
    max: MAX_TASKS,
  })

  constructor(store: CurveStore, { curveBytes, retainEvents, onError }: CurveFolderOptions) {
    this.#store = store
    this.#maxBytes = curveBytes
    this.#segmentPoints = Math.min(FOLD.points, Math.floor(curveBytes / MIN_SEGMENTS / POINT_BYTES))
    this.#segmentEvents = Math.min(FOLD.events, retainEvents)
    this.#onError = onError
  }

  /**
   * What an append of these events is to change of the curves; null where nothing. Where the append then does not take
   * place, `discard` must be called.
   *
   * @throws EpochcastError ENGINE_UNAVAILABLE
   */
  prepare(
    key: TaskKey,
    standing: Standing,
    events: readonly TaskEvent[],
  ): CurveChange | null | Promise<CurveChange | null> {
    const channel = channelOf(key)
    const drafted = this.#draftedUpTo(channel, standing)
    const { draft } = drafted
    for (const event of events) draft.add(event)
    const isLittle =
      draft.through - standing.folded < this.#segmentEvents && draft.points < this.#segmentPoints
    this.#count(drafted)
    return isLittle ? null : this.#fold(key, channel, standing, draft)
  }

  /** Forgets what is known of a task here: its log went on in another way. */
  discard(key: TaskKey): void {
    const channel = channelOf(key)
    this.#drafts.delete(channel)
    this.#indexes.delete(channel)
  }

  #draftedUpTo(channel: string, { state, top }: Standing): Drafted {
    const known = this.#drafts.get(channel)
    if (known && known.generation === top.generation && known.draft.through === top.offset) return known
    return this.#startDraft(channel, top, contextOf(state))
  }

  #startDraft(channel: string, { generation, offset }: Position, context: CurveContext): Drafted {
    const drafted = { generation, draft: new CurveDraft(offset, context), counted: 0 }
    this.#drafts.set(channel, drafted)
    return drafted
  }

  #count(drafted: Drafted): void {
    this.#drafted += drafted.draft.size - drafted.counted
    drafted.counted = drafted.draft.size
    while (this.#drafted > MAX_DRAFTED && this.#drafts.pop()) {}
  }

  async #fold(
    key: TaskKey,
    channel: string,
    standing: Standing,
    draft: CurveDraft,
  ): Promise<CurveChange | null> {
    const { generation } = standing.top
    const known = this.#indexes.get(channel)
    let index =
      known?.generation === generation && known.index.through === standing.folded ? known.index : null
    let drafts: readonly CurveDraft[] = [draft]
    if (!index || draft.after > standing.folded) {
      const read = await this.#store.readCurves(key)
      // Others appended meanwhile, so this append will be refused, and be prepared again.
      if (!read || read.top.offset !== standing.top.offset || read.top.generation !== generation) return null
      index = this.#indexOf(read, standing)
      drafts = [...draftsOf(read, index, draft.after), draft]
    }
    const numbers = new SeriesNumbers(index.series)
    const fresh = joined(
      drafts.map((one) => one.segment(numbers)).filter((segment) => pointsIn(segment) > 0),
      this.#segmentPoints,
    )
    const changed = await this.#withSegments(key, index, fresh)
    const { segments, put, drop } = changed
    const { through, context } = draft
    const next: CurveIndex = { through, context, series: numbers.keys, segments }
    this.#indexes.set(channel, { generation, index: next })
    draft.restart()
    return { through, index: encodeIndex(next), put, drop }
  }

  #indexOf({ index }: CurvesRead, { folded, state }: Standing): CurveIndex {
    const none = { through: folded, context: FIRST_CONTEXT, series: [], segments: [] }
    if (index === null) return folded === 0 ? none : { ...none, context: contextOf(state) }
    try {
      return decodeIndex(index)
    } catch (error) {
      // A training must not end by its curves.
      this.#onError(error)
      return { ...none, context: contextOf(state) }
    }
  }

  /** Adds segments, and merges others until all have room. */
  async #withSegments(key: TaskKey, { segments, series }: CurveIndex, fresh: readonly Segment[]) {
    const maxBytes = this.#maxBytes - indexBytes(series.length)
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
      const merged = mergeSegments(parts, Math.min(this.#segmentPoints, most))
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

/** The events that wait in the log, before those that are drafted already. */
function draftsOf({ entries }: CurvesRead, { context }: CurveIndex, end: number): CurveDraft[] {
  const drafts: CurveDraft[] = []
  let draft: CurveDraft | undefined
  for (const { offset, event } of entries) {
    if (offset > end) break
    if (!draft || draft.points >= FOLD.points || draft.through - draft.after >= FOLD.events) {
      draft = new CurveDraft(offset - 1, draft?.context ?? context)
      drafts.push(draft)
    }
    draft.add(event)
  }
  return drafts
}

/** One segment of all, where they are small. */
function joined(segments: readonly Segment[], maxPoints: number): readonly Segment[] {
  const points = segments.reduce((sum, segment) => sum + pointsIn(segment), 0)
  return segments.length > 1 && points <= maxPoints ? [mergeSegments(segments, points)] : segments
}

const totalBytes = (segments: readonly SegmentInfo[]): number =>
  segments.reduce((sum, { bytes }) => sum + bytes, 0)

/** About the index's own size: names of metrics are short, those of segments take some more. */
const indexBytes = (series: number): number => 64 * (series + MAX_SEGMENTS)
