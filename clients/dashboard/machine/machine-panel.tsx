import { useMemo, useState } from 'react'
import type { Curve, TaskSummaryFragment } from '../../typescript/index.ts'
import { Chart } from '../charts/chart.tsx'
import type { ChartView } from '../charts/chart-data.ts'
import { colorNames } from '../charts/palette.ts'
import type { Zoom } from '../charts/zoom.ts'
import { Icon } from '../ui/icons.tsx'
import { machineGroups } from './machine-groups.ts'

interface MachinePanelProps {
  readonly task: TaskSummaryFragment
  /** Of machines only. */
  readonly curves: readonly Curve[]
}

const BY_TIME: ChartView = { axis: 'time', smoothing: 0, isLog: false }

/** What a run takes of the machines that it runs on, by time. */
export function MachinePanel({ task, curves }: MachinePanelProps) {
  const startedAt = Date.parse(task.startedAt ?? task.createdAt)
  const groups = useMemo(() => machineGroups(curves, startedAt), [curves, startedAt])
  const [zoom, setZoom] = useState<Zoom | null>(null)
  const nodes = [...new Set(curves.map(({ member }) => member ?? 'this machine'))].sort()
  return (
    <>
      <div className="toolbar chart-toolbar">
        <span className="machine-nodes">
          <Icon name="machine" />
          <span className="visually-hidden">{nodes.length === 1 ? 'Machine' : 'Machines'}: </span>
          {nodes.join(', ')}
        </span>
        {zoom ? (
          <button type="button" className="button" onClick={() => setZoom(null)}>
            <Icon name="reset" />
            Whole range
          </button>
        ) : (
          <span className="muted hint only-wide">Of the trainer and all that it has started</span>
        )}
      </div>
      <div className="charts">
        {groups.map(({ title, note, unit, lines }) => (
          <Chart
            key={title}
            title={title}
            lines={lines}
            colors={colorNames(lines)}
            view={BY_TIME}
            zoom={zoom}
            onZoom={setZoom}
            syncKey={`${task.channel} machine`}
            note={note}
            unit={unit}
          />
        ))}
      </div>
    </>
  )
}
