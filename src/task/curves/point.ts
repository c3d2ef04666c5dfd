import type { MetricValue, Phase } from '../task.ts'

/** What the step of a point counts. */
export const SERIES_AXES = ['STEP', 'EPOCH', 'ROUND', 'TIME'] as const
export type SeriesAxis = (typeof SERIES_AXES)[number]

/** What tells one series of a task from another. */
export interface SeriesKey {
  readonly name: string
  /** Null for values that came with progress; fit is TRAIN and evaluation is VAL. */
  readonly phase: Phase | null
  /** Null for the task's own; else the rank, client or node that reported it. */
  readonly member: string | null
  /** The trainer's global step, or else its progress's `current`, its epoch or its round; of a machine the Unix time in seconds. */
  readonly axis: SeriesAxis
}

export interface MetricPoint {
  readonly step: number
  /** The epoch that it belongs to, where that is known. */
  readonly epoch: number | null
  readonly value: MetricValue
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  /** The launch that reported it. */
  readonly attempt: number
}

export interface MetricSeries extends SeriesKey {
  /** By step; points of one step in the order in which they were reported. */
  readonly points: readonly MetricPoint[]
}

/** Text by which a series is recognised among those of its task. */
export const seriesId = ({ name, phase, member, axis }: SeriesKey): string =>
  `${axis}/${phase ?? ''}/${JSON.stringify(member)}/${name}`

/** A floating-point number as a metric value: what JSON lacks as a text. */
export const toMetricValue = (value: number): MetricValue =>
  Number.isFinite(value) ? value : (String(value) as MetricValue)
