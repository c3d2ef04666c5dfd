import { useMemo } from 'react'
import type { Curve, TaskSummaryFragment } from '../../typescript/index.ts'
import { namedPhase } from '../charts/metric-groups.ts'
import { formatNumber, type MetricValue } from '../ui/format.ts'
import { Sparkline } from '../ui/sparkline.tsx'

const MAX_TILES = 8
const MAX_POINTS = 60
/** Longer values have no room beside a curve. */
const MAX_BESIDE = 8
/** Differences that are less than such a part of the whole range are not looked for. */
const PARTS = 200

interface TilesProps {
  readonly task: TaskSummaryFragment
  readonly curves: readonly Curve[]
}

/** The newest value of each metric, and how it came there. */
export function Tiles({ task: { metrics }, curves }: TilesProps) {
  const names = Object.keys(metrics)
    .filter((name) => !name.includes('/') || namedPhase(name))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
  if (names.length === 0) return null
  return (
    <section className="tiles" aria-label="Newest values">
      {names.slice(0, MAX_TILES).map((name) => (
        <Tile key={name} name={name} value={metrics[name]} curve={curveOf(curves, name)} />
      ))}
    </section>
  )
}

interface TileProps {
  readonly name: string
  readonly value: MetricValue | undefined
  readonly curve: Curve | undefined
}

function Tile({ name, value, curve }: TileProps) {
  const points = curve?.points
  const { values, span, distance } = useMemo(() => summaryOf(points ?? [], name), [points, name])
  const text = formatNumber(value, distance)
  return (
    <div
      className="tile card"
      data-diverged={typeof value === 'string' || undefined}
      data-wide={text.length > MAX_BESIDE || undefined}
    >
      <span className="tile-name muted" title={name}>
        {name}
      </span>
      <span className="tile-value" title={value === undefined ? undefined : String(value)}>
        {text}
      </span>
      <span className="tile-best muted">{span}</span>
      <Sparkline values={values} />
    </div>
  )
}

function summaryOf(points: Curve['points'], name: string) {
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
  return { values, distance, span: low <= high ? spanOf(name, low, high, distance) : null }
}

/** What was best so far, where the name tells what is better; else from where to where it went. */
function spanOf(name: string, low: number, high: number, distance: number): string {
  const [lowest, highest] = [formatNumber(low, distance), formatNumber(high, distance)]
  if (/loss|error|perplexity|\b[rm]ae\b|mse/i.test(name)) return `best ${lowest}`
  if (/acc|f1|auc|precision|recall|score|reward|\br2\b|iou|bleu/i.test(name)) return `best ${highest}`
  return `${lowest} to ${highest}`
}

const rank = (name: string): number => {
  if (name === 'loss') return 0
  if (!name.includes('loss')) return 4
  const told = namedPhase(name)
  return told?.name !== 'loss' ? 3 : told.phase === 'TRAIN' ? 1 : 2
}

/** The curve that a latest value belongs to: validation's are named with its prefix there. */
function curveOf(curves: readonly Curve[], name: string): Curve | undefined {
  const own = curves.filter(({ member }) => member == null)
  const told = namedPhase(name)
  return (
    own.find((curve) => curve.name === name && curve.phase == null) ??
    own.find((curve) => curve.name === name && curve.phase === 'TRAIN') ??
    own.find((curve) => curve.name === told?.name && curve.phase === told?.phase) ??
    own.find((curve) => curve.name === name)
  )
}
