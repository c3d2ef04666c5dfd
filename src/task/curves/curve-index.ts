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

const VERSION = 1

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

const encodeSeries = ({ name, phase, member, axis }: SeriesKey) => [name, phase, member, axis]

/** Bytes that an index takes for these series. */
export const encodedBytes = (series: readonly SeriesKey[]): number =>
  Buffer.byteLength(JSON.stringify(series.map(encodeSeries)))

export function encodeIndex({ through, context, series, segments }: CurveIndex): string {
  return JSON.stringify({
    version: VERSION,
    through,
    context: [context.attempt, context.startedEpoch],
    series: series.map(encodeSeries),
    segments: segments.map((segment) => SEGMENT_FIELDS.map((field) => segment[field])),
  })
}

export function decodeIndex(text: string): CurveIndex {
  const { version, through, context, series, segments } = JSON.parse(text)
  if (version !== VERSION) throw new Error(`curves have version ${version}; expected ${VERSION}`)
  return {
    through,
    context: { attempt: context[0], startedEpoch: context[1] },
    series: series.map(([name, phase, member, axis]: unknown[]) => ({ name, phase, member, axis })),
    segments: segments.map((values: unknown[]) =>
      Object.fromEntries(SEGMENT_FIELDS.map((field, i) => [field, values[i]])),
    ),
  }
}
