import { formatNumber, type MetricValue } from '../ui/format.ts'

/** How values of one kind are written, and where an axis has its ticks. */
export interface Unit {
  format(value: MetricValue | null | undefined): string
  /** Distances between ticks that a person finds round; without them decimal ones. */
  readonly steps?: readonly number[]
}

export const NUMBERS: Unit = { format: formatNumber }
