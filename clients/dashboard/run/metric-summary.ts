import type { Curve } from '../../typescript/index.ts'
import { namedPhase } from '../charts/metric-groups.ts'
import { formatNumber, type MetricValue } from '../ui/format.ts'

/** A metric in a few words. All of them are of one curve, so that none contradicts another. */
export interface MetricSummary {
  readonly text: string
  /** With all of its digits. */
  readonly value: MetricValue | null
  /** What was best so far, or from where to where it went. */
  readonly span: string | null
  readonly values: readonly MetricValue[]
}

/** Of a small curve. */
const MAX_POINTS = 60
/** Differences that are less than such a part of the whole range are not looked for. */
const PARTS = 200

/**
 * A metric as its curve has it. The newest value that the task has may be of another: an epoch's mean, where the curve is of
 * steps. It stands in only where there is no curve.
 */
export function summaryOf(
  curve: Curve | undefined,
  newest: MetricValue | undefined,
  name: string,
): MetricSummary {
  const points = curve?.points ?? []
  const every = Math.max(1, Math.ceil(points.length / MAX_POINTS))
  const values = points
    .filter((_, index) => (points.length - 1 - index) % every === 0)
    .map(({ value }) => value)
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (const { value } of points) {
    if (typeof value !== 'number') continue
    low = Math.min(low, value)
    high = Math.max(high, value)
  }
  const distance = high > low ? (high - low) / PARTS : Number.POSITIVE_INFINITY
  const value = points.at(-1)?.value ?? newest ?? null
  return {
    value,
    text: formatNumber(value, distance),
    span: low <= high ? spanOf(name, low, high, distance) : null,
    values,
  }
}

/** What was best so far, where the name tells what is better; else from where to where it went. */
function spanOf(name: string, low: number, high: number, distance: number): string {
  const [lowest, highest] = [formatNumber(low, distance), formatNumber(high, distance)]
  if (/loss|error|perplexity|\b[rm]ae\b|mse/i.test(name)) return `best ${lowest}`
  if (/acc|f1|auc|precision|recall|score|reward|\br2\b|iou|bleu/i.test(name)) return `best ${highest}`
  return `${lowest} to ${highest}`
}

/** The curve that a latest value belongs to: validation's are named with its prefix there. */
export function curveOf(curves: readonly Curve[], name: string): Curve | undefined {
  const own = curves.filter(({ member }) => member == null)
  const told = namedPhase(name)
  return (
    own.find((curve) => curve.name === name && curve.phase == null) ??
    own.find((curve) => curve.name === name && curve.phase === 'TRAIN') ??
    own.find((curve) => curve.name === told?.name && curve.phase === told?.phase) ??
    own.find((curve) => curve.name === name)
  )
}
