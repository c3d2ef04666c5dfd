import type { AlignedData } from 'uplot'
import { AXES, type Axis } from './axis.ts'
import type { Line } from './metric-groups.ts'
import type { Unit } from './unit.ts'

interface LegendProps {
  readonly items: readonly { readonly line: Line; readonly color: string; readonly isDashed: boolean }[]
  readonly aligned: AlignedData | null
  /** Of each series at the crosshair; null where there is none, and the newest values are shown. */
  readonly indexes: readonly (number | null | undefined)[] | null
  readonly isSmoothed: boolean
  readonly axis: Axis
  readonly unit: Unit
  /** Of values that are seen to differ. */
  readonly distance: number
}

const MAX_ITEMS = 8

export function Legend({ items, aligned, indexes, isSmoothed, axis, unit, distance }: LegendProps) {
  const perLine = isSmoothed ? 2 : 1
  const at = indexes?.[0]
  const x = at == null ? undefined : aligned?.[0][at]
  return (
    <div className="legend">
      {items.slice(0, MAX_ITEMS).map(({ line, color, isDashed }, index) => {
        const series = 1 + index * perLine
        const position = indexes?.[series]
        const value = position == null ? line.curve.points.at(-1)?.value : aligned?.[series]?.[position]
        return (
          <span key={line.key} className="legend-item">
            <i style={{ color: `var(${color})` }} data-dashed={isDashed || undefined} />
            <span className="legend-label" title={line.label}>
              {line.label}
            </span>
            <b>{unit.format(value, distance)}</b>
          </span>
        )
      })}
      {items.length > MAX_ITEMS && <span className="muted">and {items.length - MAX_ITEMS} more</span>}
      {x !== undefined && (
        <span className="legend-x muted">
          {AXES[axis].label.toLowerCase()} {AXES[axis].format(x)}
        </span>
      )}
    </div>
  )
}
