import { memo } from 'react'
import { Link } from 'wouter'
import type { TaskSummaryFragment } from '../../typescript/index.ts'
import {
  formatAge,
  formatDate,
  formatDuration,
  formatNumber,
  formatPercent,
  type MetricValue,
  nameOf,
  placeOf,
} from '../ui/format.ts'
import { Sparkline } from '../ui/sparkline.tsx'
import { isFinal, ProgressBar, StatusBadge } from '../ui/status.tsx'
import { pathOf } from './address.ts'

interface TaskRowProps {
  readonly task: TaskSummaryFragment
  readonly values: readonly MetricValue[]
  readonly now: number
  /** Pixels from the top of the list. */
  readonly top: number
  /** From 1, the head of the table being the first. */
  readonly rowIndex: number
  readonly isChosen: boolean
  readonly onChoose: (task: TaskSummaryFragment, isChosen: boolean) => void
}

/** Of many that change at once, only those are rendered that have. */
export const TaskRow = memo(function TaskRow(props: TaskRowProps) {
  const { task, values, now, top, rowIndex, isChosen, onChoose } = props
  const name = nameOf(task)
  const { status, progress, loss } = task
  return (
    <div
      className="task-row"
      role="row"
      aria-rowindex={rowIndex}
      style={{ transform: `translateY(${top}px)` }}
      data-task={task.channel}
    >
      <span role="cell" className="task-choose">
        <input
          type="checkbox"
          aria-label={`Compare ${name}`}
          checked={isChosen}
          onChange={({ target }) => onChoose(task, target.checked)}
        />
      </span>
      <span role="cell" className="task-status">
        <StatusBadge status={status} isStopping={task.stopRequested} />
      </span>
      <span role="cell" className="task-name">
        <Link href={pathOf(task)}>{name}</Link>
        <span className="muted">
          {[task.name ? task.trainer : null, task.machineId].filter(Boolean).join(' · ')}
        </span>
      </span>
      <span role="cell" className="task-progress">
        <span className="task-place">
          <span>{placeOf(task) ?? task.stage ?? ''}</span>
          <span>{formatPercent(progress)}</span>
        </span>
        <ProgressBar progress={progress} status={status} label={`Progress of ${name}`} />
      </span>
      <span role="cell" className="task-eta">
        {status === 'RUNNING' && task.etaSeconds != null ? (
          formatDuration(task.etaSeconds)
        ) : (
          <EndOf task={task} />
        )}
      </span>
      <span role="cell" className="task-loss" data-diverged={typeof loss === 'string' || undefined}>
        <Sparkline values={values} />
        <span>{formatNumber(loss)}</span>
      </span>
      <time
        role="cell"
        className="task-age muted"
        dateTime={task.createdAt}
        title={formatDate(task.createdAt)}
      >
        {formatAge(task.createdAt, now)}
      </time>
    </div>
  )
})

/** How long it took. */
function EndOf({ task: { status, startedAt, finishedAt } }: { task: TaskSummaryFragment }) {
  if (!isFinal(status) || !startedAt || !finishedAt) return <span className="muted">–</span>
  return (
    <span className="muted">
      took {formatDuration((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000)}
    </span>
  )
}
