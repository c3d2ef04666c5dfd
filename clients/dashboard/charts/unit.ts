import { formatNumber, formatTicks, type MetricValue } from '../ui/format.ts'

/** How values of one kind are written, and where an axis has its ticks. */
export interface Unit {
  /** @param distance of values that are to be told apart */
  format(value: MetricValue | null | undefined, distance?: number): string
  /** Labels of an axis, each unlike the others. */
  ticks(values: readonly number[]): string[]
  /** Distances between ticks that a person finds round; without them decimal ones. */
  readonly steps?: readonly number[]
}

export const NUMBERS: Unit = { format: formatNumber, ticks: formatTicks }
