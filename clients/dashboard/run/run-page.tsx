import { Tabs } from '@base-ui/react/tabs'
import { useMemo, useState } from 'react'
import { Link } from 'wouter'
import { useCurves, useTasks } from '../../react/index.ts'
import type { TaskSummaryFragment } from '../../typescript/index.ts'
import { isOfMachine } from '../machine/machine-groups.ts'
import { MachinePanel } from '../machine/machine-panel.tsx'
import { OutputPanel } from '../output/output-panel.tsx'
import { nameOf } from '../ui/format.ts'
import { Empty, Problem, useTitle } from '../ui/parts.tsx'
import { Details } from './details.tsx'
import { titleOf, useEndNotice } from './end-notice.ts'
import { EventLog } from './event-log.tsx'
import { Outcome } from './outcome.tsx'
import { RunCharts } from './run-charts.tsx'
import { RunHeader } from './run-header.tsx'
import { Tiles } from './tiles.tsx'

interface RunPageProps {
  readonly channelPrefix: string
  readonly taskId: string
}

/** Points of a curve: more than a wide screen has columns. */
const MAX_POINTS = 2000

/** One run: as it stands, its curves over its whole life and as they grow, and what happened. */
export default function RunPage({ channelPrefix, taskId }: RunPageProps) {
  const { tasks, isLoading, error } = useTasks({ filter: { ids: [taskId], channelPrefix }, first: 1 })
  const curves = useCurves(taskId, { channelPrefix, maxPoints: MAX_POINTS })
  const ofRun = useMemo(() => curves.curves.filter((curve) => !isOfMachine(curve)), [curves.curves])
  const ofMachine = useMemo(() => curves.curves.filter(isOfMachine), [curves.curves])
  // The list has what no event carries: the time left, another name. The curves' task is there until the list has come.
  const task: TaskSummaryFragment | null = tasks[0] ?? null
  const [tab, setTab] = useState('charts')
  useTitle(task ? `${titleOf(task)} · Epochcast` : 'Epochcast')
  const notice = useEndNotice(task)

  if (!task) {
    if ((error || curves.error) && !isGone(curves.error))
      return (
        <>
          <h1 className="visually-hidden">A run</h1>
          <Problem error={error ?? curves.error} title="This run cannot be shown." />
        </>
      )
    if (isLoading) return <p className="loading">Loading</p>
    return (
      <Empty title="There is no such run" isPage>
        <p className="muted">It was deleted, or its time was over.</p>
        <Link href="/" className="button">
          All runs
        </Link>
      </Empty>
    )
  }
  return (
    <article aria-label={nameOf(task)} className="run">
      <RunHeader task={task} notice={notice} />
      <Outcome task={task} />
      <Tiles task={task} curves={ofRun} />
      <div className="run-columns">
        <Tabs.Root value={tab} onValueChange={(value) => setTab(String(value))}>
          <Tabs.List className="tabs" aria-label="Views of this run">
            <Tabs.Tab value="charts">Charts</Tabs.Tab>
            <Tabs.Tab value="output">Output</Tabs.Tab>
            {ofMachine.length > 0 && <Tabs.Tab value="machine">Machine</Tabs.Tab>}
            <Tabs.Tab value="events">Events</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="charts" className="tab-panel">
            <Problem error={curves.error} title="The curves cannot be shown." />
            <RunCharts task={task} curves={ofRun} isLoading={curves.task === null && !curves.error} />
          </Tabs.Panel>
          <Tabs.Panel value="output" className="tab-panel">
            <OutputPanel task={task} />
          </Tabs.Panel>
          <Tabs.Panel value="machine" className="tab-panel">
            <MachinePanel task={task} curves={ofMachine} />
          </Tabs.Panel>
          <Tabs.Panel value="events" className="tab-panel">
            <EventLog taskId={taskId} channelPrefix={channelPrefix} />
          </Tabs.Panel>
        </Tabs.Root>
        <Details task={task} />
      </div>
    </article>
  )
}

const isGone = (error: Error | null): boolean =>
  (error as { code?: unknown } | null)?.code === 'TASK_NOT_FOUND'
