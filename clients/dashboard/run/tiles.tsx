import { useMemo } from 'react'
import type { Curve, TaskSummaryFragment } from '../../typescript/index.ts'
import { namedPhase } from '../charts/metric-groups.ts'
import type { MetricValue } from '../ui/format.ts'
import { Sparkline } from '../ui/sparkline.tsx'
import { curveOf, summaryOf } from './metric-summary.ts'

const MAX_TILES = 8
/** Longer values have no room beside a curve. */
const MAX_BESIDE = 8

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
        <Tile key={name} name={name} newest={metrics[name]} curve={curveOf(curves, name)} />
      ))}
    </section>
  )
}

interface TileProps {
  readonly name: string
  readonly newest: MetricValue | undefined
  readonly curve: Curve | undefined
}

function Tile({ name, newest, curve }: TileProps) {
  const { value, text, span, values } = useMemo(() => summaryOf(curve, newest, name), [curve, newest, name])
  return (
    <div
      className="tile card"
      data-diverged={typeof value === 'string' || undefined}
      data-wide={text.length > MAX_BESIDE || undefined}
    >
      <span className="tile-name muted" title={name}>
        {name}
      </span>
      <span className="tile-value" title={value === null ? undefined : String(value)}>
        {text}
      </span>
      <span className="tile-best muted">{span}</span>
      <Sparkline values={values} />
    </div>
  )
}

const rank = (name: string): number => {
  if (name === 'loss') return 0
  if (!name.includes('loss')) return 4
  const told = namedPhase(name)
  return told?.name !== 'loss' ? 3 : told.phase === 'TRAIN' ? 1 : 2
}
