import type { TaskSummaryFragment } from '../../typescript/index.ts'

export interface TaskDialogProps {
  readonly task: TaskSummaryFragment
  readonly isOpen: boolean
  readonly onClose: () => void
}
