import { Link } from 'wouter'
import type { TaskSummaryFragment } from '../../typescript/index.ts'
import { formatDuration, formatPercent, nameOf, placeOf } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { useNow } from '../ui/parts.tsx'
import { isFinal, ProgressBar, StatusBadge } from '../ui/status.tsx'
import { Actions } from './actions.tsx'
import type { EndNotice } from './end-notice.ts'
import { Steps } from './steps.tsx'

export function RunHeader({ task, notice }: { task: TaskSummaryFragment; notice: EndNotice }) {
  const { status, progress, attempt, stopRequested, message, stage } = task
  const now = useNow(1000)
  const elapsed = elapsedOf(task, now)
  const left = leftOf(task, now)
  return (
    <header className="run-head card">
      <div className="run-title">
        <Link href="/" className="button button-quiet button-icon" aria-label="All runs" title="All runs">
          <Icon name="back" />
        </Link>
        <h1>{nameOf(task)}</h1>
        <StatusBadge status={status} isStopping={stopRequested} />
        <span className="spacer" />
        <Actions task={task} notice={notice} />
      </div>
      <div className="run-progress">
        <div className="run-numbers">
          <strong>{formatPercent(progress) || (isFinal(status) ? '' : 'No total yet')}</strong>
          <span>{placeOf(task)}</span>
          {stage && <span className="muted">{stage}</span>}
          {attempt > 1 && <span className="chip">attempt {attempt}</span>}
          <span className="spacer" />
          {elapsed !== null && (
            <span className="muted">
              {isFinal(status) ? 'took' : 'for'} {formatDuration(elapsed)}
            </span>
          )}
          {left !== null && <strong className="run-eta">{formatDuration(left)} left</strong>}
        </div>
        <ProgressBar progress={progress} status={status} label="Progress" isLarge />
        {message && <p className="run-message">{message}</p>}
      </div>
      <Steps task={task} />
    </header>
  )
}

function elapsedOf({ startedAt, finishedAt }: TaskSummaryFragment, now: number): number | null {
  if (!startedAt) return null
  return Math.max(0, (finishedAt ? Date.parse(finishedAt) : now) - Date.parse(startedAt)) / 1000
}

/** The server tells it as of the newest report. Once that is over, nobody knows: the trainer is late, or the server away. */
function leftOf({ status, etaSeconds, updatedAt }: TaskSummaryFragment, now: number): number | null {
  if (status !== 'RUNNING' || etaSeconds == null) return null
  const left = etaSeconds - Math.max(0, now - Date.parse(updatedAt)) / 1000
  return left > 0 ? left : null
}
