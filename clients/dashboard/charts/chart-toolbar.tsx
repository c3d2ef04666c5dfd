import { Icon } from '../ui/icons.tsx'
import { Segmented } from '../ui/select.tsx'
import { AXES, type Axis } from './axis.ts'
import type { ChartView } from './chart-data.ts'
import type { Zoom } from './zoom.ts'

interface ToolbarProps {
  readonly axes: readonly Axis[]
  readonly view: ChartView
  readonly onView: (change: Partial<ChartView>) => void
  readonly zoom: Zoom | null
  readonly onZoom: (zoom: null) => void
}

export function ChartToolbar({ axes, view, onView, zoom, onZoom }: ToolbarProps) {
  return (
    <div className="toolbar chart-toolbar">
      <Segmented
        label="Count by"
        value={view.axis}
        options={axes.map((axis) => [axis, AXES[axis].label])}
        onChange={(axis) => onView({ axis })}
      />
      <label className="range">
        <span>Smoothing</span>
        <input
          type="range"
          min={0}
          max={0.98}
          step={0.02}
          value={view.smoothing}
          onChange={({ target }) => onView({ smoothing: target.valueAsNumber })}
        />
        <output>{view.smoothing.toFixed(2)}</output>
      </label>
      <label className="check">
        <input
          type="checkbox"
          checked={view.isLog}
          onChange={({ target }) => onView({ isLog: target.checked })}
        />
        Log scale
      </label>
      {zoom ? (
        <button type="button" className="button" onClick={() => onZoom(null)}>
          <Icon name="reset" />
          Whole range
        </button>
      ) : (
        <span className="muted hint only-wide">Drag across a chart to zoom</span>
      )}
    </div>
  )
}
