import type { CurveContext } from './draft.ts'
import type { SeriesKey } from './point.ts'

/** What a task's curves are made of. */
export interface CurveIndex {
  /** Offset of the last event that is in the segments. */
  readonly through: number
  /** What holds for the event after it. */
  readonly context: CurveContext
  /** The series by number; new ones are added at the end. */
  readonly series: readonly SeriesKey[]
  /** Consecutive, oldest first. */
  readonly segments: readonly SegmentInfo[]
}

export interface SegmentInfo {
  /** Under which its bytes are stored; never given to other bytes. */
  readonly name: string
  readonly after: number
  readonly through: number
  /** How often it was merged. */
  readonly level: number
  /** With those of its overview. */
  readonly bytes: number
  /** Whether a thinned copy is stored under `overviewOf` its name, enough for a chart of the whole task. */
  readonly hasOverview: boolean
  /** Bounds of its steps, of whatever axis. */
  readonly minStep: number
  readonly maxStep: number
}

export const overviewOf = (name: string): string => `${name}-overview`

/** In version 1 each series had its names in full. */
const VERSION = 2

/** In the order in which a segment's are written. */
const SEGMENT_FIELDS = [
  'name',
  'after',
  'through',
  'level',
  'bytes',
  'hasOverview',
  'minStep',
  'maxStep',
] as const satisfies readonly (keyof SegmentInfo)[]

const encodeSegmentInfo = (segment: SegmentInfo): string =>
  JSON.stringify(SEGMENT_FIELDS.map((field) => segment[field]))

/** Each word once: of many members, who all report the same metrics, there are a hundred times as many series as names. */
function encodeSeries(series: readonly SeriesKey[]): string {
  const words = new Map<string, number>()
  const numberOf = (word: string): number => {
    let number = words.get(word)
    if (number === undefined) {
      number = words.size
      words.set(word, number)
    }
    return number
  }
  const encoded = series.map(({ name, phase, member, axis }) => [
    numberOf(name),
    phase && numberOf(phase),
    member === null ? null : numberOf(member),
    numberOf(axis),
  ])
  return `"words":${JSON.stringify([...words.keys()])},"series":${JSON.stringify(encoded)}`
}

/** Writes the index of one task: with each fold anew, though most of it is what it was before. */
export class IndexEncoder {
  #series: readonly SeriesKey[] = []
  #seriesCount = 0
  #encodedSeries = encodeSeries([])
  #segments: readonly SegmentInfo[] = []
  #encodedSegments = ''

  encode({ through, context, series, segments }: CurveIndex): string {
    this.#encodeSeries(series)
    this.#encodeSegments(segments)
    const { attempt, startedEpoch } = context
    // Joined to one piece, which is to be measured and stored.
    return [
      `{"version":${VERSION},"through":${through},"context":[${attempt},${startedEpoch}],`,
      this.#encodedSeries,
      ',"segments":[',
      this.#encodedSegments,
      ']}',
    ].join('')
  }

  /** Bytes that an index takes for these series. */
  bytesOf(series: readonly SeriesKey[]): number {
    this.#encodeSeries(series)
    return Buffer.byteLength(this.#encodedSeries)
  }

  /** @param series a list to which others may have been added since */
  #encodeSeries(series: readonly SeriesKey[]): void {
    if (series === this.#series && series.length === this.#seriesCount) return
    this.#encodedSeries = encodeSeries(series)
    this.#series = series
    this.#seriesCount = series.length
  }

  #encodeSegments(segments: readonly SegmentInfo[]): void {
    const isLonger = this.#segments.length > 0 && beginsWith(segments, this.#segments)
    const added = (isLonger ? segments.slice(this.#segments.length) : segments).map(encodeSegmentInfo)
    this.#encodedSegments = (isLonger ? [this.#encodedSegments, ...added] : added).join()
    this.#segments = segments
  }
}

function beginsWith<T>(list: readonly T[], beginning: readonly T[]): boolean {
  for (let i = 0; i < beginning.length; i++) if (list[i] !== beginning[i]) return false
  return true
}

export function decodeIndex(text: string): CurveIndex {
  const { version, through, context, words, series, segments } = JSON.parse(text)
  if (version !== 1 && version !== VERSION)
    throw new Error(`curves have version ${version}; expected ${VERSION}`)
  const wordOf = (found: number | string | null) => (typeof found === 'number' ? words[found] : found)
  return {
    through,
    context: { attempt: context[0], startedEpoch: context[1] },
    series: series.map((found: (number | string | null)[]) => {
      const [name, phase, member, axis] = found.map(wordOf)
      return { name, phase, member, axis }
    }),
    segments: segments.map((values: unknown[]) =>
      Object.fromEntries(SEGMENT_FIELDS.map((field, i) => [field, values[i]])),
    ),
  }
}
