import type { TaskStatus } from '../../typescript/index.ts'

export const STATUSES = {
  QUEUED: { label: 'Queued', isFinal: false },
  RUNNING: { label: 'Running', isFinal: false },
  STALLED: { label: 'Stalled', isFinal: false },
  SUCCESS: { label: 'Succeeded', isFinal: true },
  FAILURE: { label: 'Failed', isFinal: true },
  CANCELLED: { label: 'Cancelled', isFinal: true },
} satisfies Record<TaskStatus, { label: string; isFinal: boolean }>

export const isFinal = (status: TaskStatus): boolean => STATUSES[status].isFinal

export function StatusBadge({ status, isStopping = false }: { status: TaskStatus; isStopping?: boolean }) {
  return (
    <span className="badge" data-status={status}>
      <span className="badge-dot" aria-hidden="true" />
      {isStopping && !isFinal(status) ? 'Stopping' : STATUSES[status].label}
    </span>
  )
}

interface ProgressProps {
  readonly progress: number | null | undefined
  readonly status: TaskStatus
  readonly label: string
  readonly isLarge?: boolean
}

/** Without a total, a running one only shows that it runs. */
export function ProgressBar({ progress, status, label, isLarge = false }: ProgressProps) {
  const isKnown = progress != null
  const moves = status === 'RUNNING' && !isKnown
  return (
    <div
      className={isLarge ? 'progress progress-large' : 'progress'}
      data-status={status}
      data-moves={moves || undefined}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(isKnown && { 'aria-valuenow': Math.round(progress) })}
    >
      <div style={{ transform: `scaleX(${isKnown ? progress / 100 : status === 'SUCCESS' ? 1 : 0})` }} />
    </div>
  )
}
