import type { TaskSummaryFragment } from '../../typescript/index.ts'
import { formatTime } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { isFinal, STATUSES } from '../ui/status.tsx'

interface Step {
  readonly label: string
  readonly detail: string | null
  readonly state: 'done' | 'current' | 'ahead' | 'bad' | 'waits' | 'skipped'
}

/** Queued → running → the end, with what went otherwise. */
export function Steps({ task }: { task: TaskSummaryFragment }) {
  return (
    <ol className="steps" aria-label="Steps of this run">
      {stepsOf(task).map(({ label, detail, state }) => (
        <li
          key={label}
          data-state={state}
          aria-current={state === 'current' || state === 'waits' ? 'step' : undefined}
        >
          <span className="step-mark" aria-hidden="true">
            {state === 'done' ? <Icon name="check" /> : state === 'bad' ? <Icon name="cross" /> : null}
          </span>
          <span>{label}</span>
          {detail && <span className="muted">{detail}</span>}
        </li>
      ))}
    </ol>
  )
}

function stepsOf({
  status,
  createdAt,
  startedAt,
  finishedAt,
  attempt,
  stopRequested,
}: TaskSummaryFragment): Step[] {
  const again = attempt > 1 ? `attempt ${attempt}` : null
  const running: Step =
    status === 'QUEUED'
      ? { label: 'Running', detail: again, state: 'ahead' }
      : status === 'STALLED'
        ? { label: 'Stalled', detail: 'the trainer is silent', state: 'waits' }
        : status === 'RUNNING'
          ? {
              label: stopRequested ? 'Stopping' : 'Running',
              detail: again ?? timeOf(startedAt),
              state: 'current',
            }
          : startedAt
            ? { label: 'Ran', detail: again ?? timeOf(startedAt), state: 'done' }
            : { label: 'Never ran', detail: null, state: 'skipped' }
  const end: Step = isFinal(status)
    ? {
        label: STATUSES[status].label,
        detail: timeOf(finishedAt),
        state: status === 'SUCCESS' ? 'done' : 'bad',
      }
    : { label: 'Finished', detail: null, state: 'ahead' }
  return [
    { label: 'Queued', detail: timeOf(createdAt), state: status === 'QUEUED' ? 'current' : 'done' },
    running,
    end,
  ]
}

const timeOf = (timestamp: string | null | undefined) => (timestamp ? formatTime(timestamp) : null)
