import { LRUCache } from 'lru-cache'
import { type CurveIndex, decodeIndex, IndexEncoder } from '../task/curves/curve-index.ts'
import { type CurveContext, CurveDraft, contextOf, FIRST_CONTEXT } from '../task/curves/draft.ts'
import { mergeSegments } from '../task/curves/merge.ts'
import { decodeSegment } from '../task/curves/segment.ts'
import { SeriesNumbers } from '../task/curves/series-numbers.ts'
import type { TaskEvent } from '../task/event.ts'
import type { Position } from '../task/position.ts'
import { channelOf, type TaskKey, type TaskState } from '../task/task.ts'
import { CurveSegments } from './curve-segments.ts'
import type { CurveStore, CurvesRead } from './curve-store.ts'
import type { CurveChange } from './event-log.ts'

/**
 * Events that may wait in the log to be folded, all of which each query of series reads, and points in a segment. What a
 * fold costs by itself, for the index and the store, is shared by so many.
 */
const FOLD = { events: 2048, points: 16_384 } as const
/** Segments that fit into the bytes of a task, at least: with fewer, the newest would not stay whole. */
const MIN_SEGMENTS = 16
/** About what a point takes in a segment, with its part of a row. */
const POINT_BYTES = 20
/** Points and rows that wait in memory, of all tasks; those of tasks that wait longest are read from the log again. */
const MAX_DRAFTED = 4_000_000
const MAX_TASKS = 2000
/** Of the indexes of curves, as texts and objects: with very many series, few of them are kept at hand. */
const MAX_INDEX_BYTES = 64 * 1024 * 1024

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

/** The curves of a task as they are stored. */
interface Indexed {
  readonly generation: string
  readonly index: CurveIndex
  readonly numbers: SeriesNumbers
  readonly encoder: IndexEncoder
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
  readonly #segments: CurveSegments
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
  readonly #indexes = new LRUCache<string, Indexed>({ max: MAX_TASKS, maxSize: MAX_INDEX_BYTES })

  constructor(store: CurveStore, { curveBytes, retainEvents, onError }: CurveFolderOptions) {
    this.#store = store
    this.#segmentPoints = Math.min(FOLD.points, Math.floor(curveBytes / MIN_SEGMENTS / POINT_BYTES))
    this.#segments = new CurveSegments(store, { maxBytes: curveBytes, segmentPoints: this.#segmentPoints })
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
    let indexed = known?.generation === generation && known.index.through === standing.folded ? known : null
    let drafts: readonly CurveDraft[] = [draft]
    if (!indexed || draft.after > standing.folded) {
      const read = await this.#store.readCurves(key)
      // Others appended meanwhile, so this append will be refused, and be prepared again.
      if (!read || read.top.offset !== standing.top.offset || read.top.generation !== generation) return null
      const index = this.#indexOf(read, standing)
      indexed = { generation, index, numbers: new SeriesNumbers(index.series), encoder: new IndexEncoder() }
      drafts = [...draftsOf(read, index, draft.after), draft]
    }
    const { index, numbers, encoder } = indexed
    const fresh = joined(
      drafts.filter(({ points }) => points > 0),
      numbers,
      this.#segmentPoints,
    )
    const seriesBytes = encoder.bytesOf(numbers.keys)
    const { segments, put, drop } = await this.#segments.add(key, index.segments, fresh, seriesBytes)
    const { through, context } = draft
    const next: CurveIndex = { through, context, series: numbers.keys, segments }
    const encoded = encoder.encode(next)
    this.#indexes.set(channel, { ...indexed, index: next }, { size: 2 * encoded.length })
    draft.restart()
    return { through, index: encoded, put, drop }
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

/** Their segments in bytes; one of all, where they are small. */
function joined(drafts: readonly CurveDraft[], numbers: SeriesNumbers, maxPoints: number): Uint8Array[] {
  const segments = drafts.map((draft) => draft.encode(numbers))
  const points = drafts.reduce((sum, draft) => sum + draft.points, 0)
  if (segments.length < 2 || points > maxPoints) return segments
  return [mergeSegments(segments.map(decodeSegment), points)]
}
