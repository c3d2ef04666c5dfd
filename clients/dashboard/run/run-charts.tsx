import { useMemo, useState } from 'react'
import type { Curve, TaskSummaryFragment } from '../../typescript/index.ts'
import { Chart } from '../charts/chart.tsx'
import { ChartToolbar } from '../charts/chart-toolbar.tsx'
import { groupCurves } from '../charts/metric-groups.ts'
import { colorNames } from '../charts/palette.ts'
import { useChartView } from '../charts/use-chart-view.ts'
import { Empty } from '../ui/parts.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { useFinerCurves } from './finer-curves.ts'

interface RunChartsProps {
  readonly task: TaskSummaryFragment
  readonly curves: readonly Curve[]
  readonly isLoading: boolean
}

/** From so many charts on, they can be searched. */
const MANY = 7

export function RunCharts({ task, curves, isLoading }: RunChartsProps) {
  const startedAt = Date.parse(task.startedAt ?? task.createdAt)
  const { axes, view, onView, zoom, onZoom } = useChartView(curves)
  const shown = useFinerCurves(task, curves, view.axis, startedAt, zoom)
  const groups = useMemo(() => groupCurves(shown, startedAt), [shown, startedAt])
  const [text, setText] = useState('')
  if (isLoading)
    return (
      <div className="charts" aria-busy="true">
        {[0, 1].map((key) => (
          <div key={key} className="chart card skeleton" />
        ))}
      </div>
    )
  if (groups.length === 0)
    return (
      <Empty title="No values yet">
        <p className="muted">Curves appear with the first metric that the trainer reports.</p>
      </Empty>
    )
  const wanted = groups.filter(({ name }) => name.toLowerCase().includes(text.trim().toLowerCase()))
  return (
    <>
      <ChartToolbar axes={axes} view={view} onView={onView} zoom={zoom} onZoom={onZoom} />
      {groups.length >= MANY && (
        <SearchField
          label="Search charts"
          placeholder={`Search ${groups.length} charts`}
          isSmall
          value={text}
          onChange={setText}
        />
      )}
      <div className="charts">
        {wanted.map(({ name, lines, hiddenCount }) => (
          <Chart
            key={name}
            title={name}
            lines={lines}
            colors={colorNames(lines)}
            view={view}
            zoom={zoom}
            onZoom={onZoom}
            syncKey={task.channel}
            note={hiddenCount > 0 ? `${hiddenCount} more are not drawn` : undefined}
          />
        ))}
      </div>
    </>
  )
}
