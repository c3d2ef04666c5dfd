import { useEffect } from 'react'
import { Link } from 'wouter'
import { useCurves } from '../../react/index.ts'
import type { TaskView } from '../../typescript/index.ts'
import { runColorName } from '../charts/palette.ts'
import { pathOf, refsText, type TaskRef } from '../tasks/address.ts'
import { formatNumber, nameOf } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { StatusBadge } from '../ui/status.tsx'
import type { ComparedRun } from './compare-groups.ts'

const MAX_POINTS = 5000

interface RunCurvesProps {
  readonly taskRef: TaskRef
  readonly onRun: (key: string, run: ComparedRun) => void
}

/** Follows one run for as long as it is there; a hook cannot be called for each of a list. */
export function RunCurves({ taskRef: { id, channelPrefix }, onRun }: RunCurvesProps) {
  const { task, curves, error } = useCurves(id, { channelPrefix, maxPoints: MAX_POINTS })
  useEffect(() => {
    if (task || error) onRun(refsText([{ id, channelPrefix }]), { task, curves, error })
  }, [id, channelPrefix, task, curves, error, onRun])
  return null
}

interface RunLineProps {
  readonly taskRef: TaskRef
  readonly index: number
  readonly task: TaskView | null
  readonly error: Error | null
  readonly onRemove: () => void
}

export function RunLine({ taskRef, index, task, error, onRemove }: RunLineProps) {
  const name = task ? nameOf(task) : taskRef.id.slice(0, 8)
  return (
    <div className="run-line card">
      <i className="run-color" style={{ color: `var(${runColorName(index)})` }} />
      <Link href={pathOf(taskRef)} title={name}>
        {name}
      </Link>
      {task && <StatusBadge status={task.status} isStopping={task.stopRequested} />}
      {task && <span className="muted">loss {formatNumber(task.loss)}</span>}
      {error && !task && <span className="muted">{error.message}</span>}
      <button
        type="button"
        className="button button-quiet button-icon"
        aria-label={`Remove ${name}`}
        title="Remove"
        onClick={onRemove}
      >
        <Icon name="cross" />
      </button>
    </div>
  )
}
