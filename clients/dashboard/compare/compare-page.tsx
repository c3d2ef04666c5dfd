import { useCallback, useMemo, useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import type { TaskView } from '../../typescript/index.ts'
import { Chart } from '../charts/chart.tsx'
import { ChartToolbar } from '../charts/chart-toolbar.tsx'
import { useChartView } from '../charts/use-chart-view.ts'
import { refsOf, refsText, type TaskRef } from '../tasks/address.ts'
import { Empty, useTitle } from '../ui/parts.tsx'
import { type ComparedRun, compareGroups } from './compare-groups.ts'
import { RunCurves, RunLine } from './run-curves.tsx'
import { RunPicker } from './run-picker.tsx'

/** As many as there are colours that can be told apart, with some to spare. */
const MAX_RUNS = 20

/** Several runs in each chart; the address has which. */
export default function ComparePage() {
  useTitle('Compare · Epochcast')
  const [search, setSearch] = useSearchParams()
  const refs = refsOf(search.get('runs')).slice(0, MAX_RUNS)
  const [runs, setRuns] = useState<ReadonlyMap<string, ComparedRun>>(new Map())
  const set = (refs: readonly TaskRef[]) =>
    setSearch(refs.length > 0 ? { runs: refsText(refs) } : {}, { replace: true })
  const onRun = useCallback(
    (key: string, run: ComparedRun) => setRuns((before) => new Map(before).set(key, run)),
    [],
  )
  const compared = refs.map((ref) => runs.get(refsText([ref])) ?? null)
  const present = compared.filter((run) => run !== null)
  const curves = useMemo(() => present.flatMap(({ curves }) => curves), [present])
  const { axes, view, onView, zoom, onZoom } = useChartView(curves)
  const groups = compareGroups(compared)
  return (
    <>
      <div className="page-head">
        <h1>Compare</h1>
        <p className="muted">{refs.length > 0 && `${refs.length} ${refs.length === 1 ? 'run' : 'runs'}`}</p>
      </div>
      {refs.map((ref) => (
        <RunCurves key={refsText([ref])} taskRef={ref} onRun={onRun} />
      ))}
      <div className="compare-runs">
        {refs.map((ref, index) => (
          <RunLine
            key={refsText([ref])}
            taskRef={ref}
            index={index}
            task={(compared[index]?.task ?? null) as TaskView | null}
            error={compared[index]?.error ?? null}
            onRemove={() => set(refs.filter((_, at) => at !== index))}
          />
        ))}
        {refs.length < MAX_RUNS && <RunPicker chosen={refs} onChoose={(ref) => set([...refs, ref])} />}
      </div>
      {groups.length > 0 ? (
        <>
          <ChartToolbar axes={axes} view={view} onView={onView} zoom={zoom} onZoom={onZoom} />
          <div className="charts">
            {groups.map(({ name, lines, colors, isDashed }) => (
              <Chart
                key={name}
                title={name}
                lines={lines}
                colors={colors}
                isDashed={isDashed}
                view={view}
                zoom={zoom}
                onZoom={onZoom}
                syncKey="compare"
              />
            ))}
          </div>
        </>
      ) : refs.length === 0 ? (
        <Empty title="No runs chosen">
          <p className="muted">Add runs above, or tick them in the list of runs.</p>
          <Link href="/" className="button">
            All runs
          </Link>
        </Empty>
      ) : (
        <p className="loading">
          {present.length < refs.length ? 'Loading' : 'These runs have no values yet'}
        </p>
      )}
    </>
  )
}
