import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { CurveStore, CurvesRead } from '../event-log/curve-store.ts'
import { type CurveIndex, decodeIndex, overviewOf, type SegmentInfo } from '../task/curves/curve-index.ts'
import { CurveDraft, FIRST_CONTEXT } from '../task/curves/draft.ts'
import type { MetricSeries, SeriesKey } from '../task/curves/point.ts'
import { decodeSegment, type Segment } from '../task/curves/segment.ts'
import { type FoundSeries, isWanted, type SeriesQuery, seriesOf } from '../task/curves/series.ts'
import { SeriesNumbers } from '../task/curves/series-numbers.ts'
import { EpochcastError } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import type { TaskView } from '../task/stream-event.ts'
import { channelOf, type TaskKey } from '../task/task.ts'

/** Segments never change, so they are read once; bytes of those that are kept. */
const KEPT_SEGMENTS_BYTES = 32 * 1024 * 1024
/** Characters of indexes whose content is kept; it takes a few times as much. */
const KEPT_INDEX_CHARACTERS = 8 * 1024 * 1024
/** A segment may be merged between reading the index and reading it; that takes many events, so not often. */
const MAX_TRIES = 10
/** Longest time that the event loop is held. */
const SLICE_MS = 8

export interface SeriesRequest extends Omit<SeriesQuery, 'maxPoints'> {
  /** In one series; null for the default, or as many as leave room for all series in one answer. */
  readonly maxPoints: number | null
}

/** An index as it was stored last, and the numbers of its series and of others that the log had since. */
interface KnownIndex {
  readonly text: string
  readonly index: CurveIndex
  readonly numbers: SeriesNumbers
}

const EMPTY: CurveIndex = { through: 0, context: FIRST_CONTEXT, series: [], segments: [] }

/** Reads metric histories: what was folded into curves, and the events in the log after that. */
export class SeriesReader {
  readonly #store: CurveStore
  readonly #segments = new LRUCache<string, Segment>({ maxSize: KEPT_SEGMENTS_BYTES })
  /** By channel. */
  readonly #indexes = new LRUCache<string, KnownIndex>({ maxSize: KEPT_INDEX_CHARACTERS })

  constructor(store: CurveStore) {
    this.#store = store
  }

  /**
   * The series of a task as they were at the view's position: every event up to it is in them, and none after it.
   *
   * @throws EpochcastError ENGINE_UNAVAILABLE, CONTENDED, ANSWER_TOO_LARGE
   */
  async read({ state, top }: TaskView, request: SeriesRequest): Promise<MetricSeries[]> {
    const key = state.spec
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const read = await this.#store.readCurves(key)
      // Dropped since it was looked up.
      if (!read) return []
      // A log that lost its end since then has another top.
      const through = read.top.generation === top.generation ? top.offset : read.top.offset
      const found = await this.#collect(key, read, through, request)
      if (found) return found
    }
    throw new EpochcastError(
      'CONTENDED',
      `the series of ${channelOf(key)} changed ${MAX_TRIES} times while they were read; try again`,
    )
  }

  /** Null where a segment is gone. */
  async #collect(
    key: TaskKey,
    read: CurvesRead,
    through: number,
    request: SeriesRequest,
  ): Promise<MetricSeries[] | null> {
    const { index, numbers } = this.#indexOf(channelOf(key), read.index)
    const tail = tailOf(read, index, through, numbers)
    const query = { ...request, maxPoints: request.maxPoints ?? fittingPoints(numbers.keys, request) }
    const collect = async (
      isFine: (segment: SegmentInfo) => boolean,
      only: ReadonlySet<number> | null,
      others = 0,
    ) => {
      const segments = await this.#load(key, index.segments, isFine)
      return segments && sliced(seriesOf([...segments, tail], numbers.keys, through, query, only), others)
    }
    // Of what was folded since the position that is asked for, all points are needed to tell them apart.
    const isNewer = (segment: SegmentInfo) => segment.through > through
    const found = await collect(isNewer, null)
    if (!found) return null
    const coarse = new Set(found.filter(({ couldBeFiner }) => couldBeFiner).map(({ number }) => number))
    if (coarse.size > 0) {
      const others = pointsOf(found.filter(({ number }) => !coarse.has(number)))
      const finer = await collect((segment) => isNewer(segment) || overlaps(segment, query), coarse, others)
      if (!finer) return null
      const byNumber = new Map(finer.map((one) => [one.number, one]))
      for (const [i, { number }] of found.entries())
        found[i] = byNumber.get(number) ?? (found[i] as FoundSeries)
    }
    return found.map(({ series }) => series).filter(({ points }) => points.length > 0)
  }

  /** Where many series of one task are asked for one by one, its index is read once. */
  #indexOf(channel: string, text: string | null): Omit<KnownIndex, 'text'> {
    if (text === null) return { index: EMPTY, numbers: new SeriesNumbers([]) }
    let known = this.#indexes.get(channel)
    if (known?.text !== text) {
      const index = decodeIndex(text)
      known = { text, index, numbers: new SeriesNumbers(index.series) }
      this.#indexes.set(channel, known, { size: text.length })
    }
    return known
  }

  /** Segments, or their overviews where they need not be fine; null where one is gone. */
  async #load(
    key: TaskKey,
    infos: readonly SegmentInfo[],
    isFine: (segment: SegmentInfo) => boolean,
  ): Promise<readonly Segment[] | null> {
    const names = infos.map((info) => (info.hasOverview && !isFine(info) ? overviewOf(info.name) : info.name))
    const channel = channelOf(key)
    const segments = new Map(names.map((name) => [name, this.#segments.get(`${channel} ${name}`)]))
    const missing = names.filter((name) => !segments.get(name))
    const bytes = missing.length > 0 ? await this.#store.readSegments(key, missing) : []
    for (const [i, name] of missing.entries()) {
      const found = bytes[i]
      if (!found) return null
      const segment = decodeSegment(found)
      segments.set(name, segment)
      this.#segments.set(`${channel} ${name}`, segment, { size: found.byteLength })
    }
    return names.map((name) => segments.get(name) as Segment)
  }
}

/** The default, or fewer where there are so many series that the answer would be too large. */
function fittingPoints(keys: readonly SeriesKey[], request: SeriesRequest): number {
  const { min, default: most, answer } = LIMITS.seriesPoints
  const count = keys.filter((key) => isWanted(key, request)).length
  return Math.max(min, Math.min(most, Math.floor(answer / Math.max(1, count))))
}

/** The points that are still in the log, up to the event `through`. */
function tailOf(
  { entries }: CurvesRead,
  { context, through: folded }: CurveIndex,
  through: number,
  numbers: SeriesNumbers,
): Segment {
  const draft = new CurveDraft((entries[0]?.offset ?? folded + 1) - 1, context)
  for (const { offset, event } of entries) if (offset <= through) draft.add(event)
  return decodeSegment(draft.encode(numbers))
}

const overlaps = ({ minStep, maxStep }: SegmentInfo, { from, to }: SeriesQuery): boolean =>
  maxStep >= (from ?? Number.NEGATIVE_INFINITY) && minStep <= (to ?? Number.POSITIVE_INFINITY)

const pointsOf = (found: readonly FoundSeries[]): number =>
  found.reduce((sum, { series }) => sum + series.points.length, 0)

/**
 * All of them, with a turn for the event loop now and then.
 *
 * @param others points that the answer has beside them
 * @throws EpochcastError ANSWER_TOO_LARGE
 */
async function sliced(series: Iterable<FoundSeries>, others: number): Promise<FoundSeries[]> {
  const all: FoundSeries[] = []
  let points = others
  let sliceEnd = performance.now() + SLICE_MS
  for (const one of series) {
    all.push(one)
    points += one.series.points.length
    if (points > LIMITS.seriesPoints.answer) throw tooLarge(points)
    if (performance.now() < sliceEnd) continue
    await eventLoopTurn()
    sliceEnd = performance.now() + SLICE_MS
  }
  return all
}

const tooLarge = (points: number): EpochcastError =>
  new EpochcastError(
    'ANSWER_TOO_LARGE',
    `the series have ${points} points and more; expected at most ${LIMITS.seriesPoints.answer} in one answer: ask for a lower maxPoints, or for fewer names, a phase or a member`,
    { details: { max: LIMITS.seriesPoints.answer } },
  )
