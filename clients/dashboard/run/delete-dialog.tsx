import { useMutation } from 'urql'
import { useLocation } from 'wouter'
import { DeleteTaskDocument } from '../../typescript/index.ts'
import { Dialog } from '../ui/dialog.tsx'
import { nameOf } from '../ui/format.ts'
import { Problem } from '../ui/parts.tsx'
import type { TaskDialogProps } from './task-dialog.ts'

export function DeleteDialog({ task, isOpen, onClose }: TaskDialogProps) {
  const [{ fetching, error }, deleteTask] = useMutation(DeleteTaskDocument)
  const [, navigate] = useLocation()
  const confirm = async () => {
    const { id: taskId, channelPrefix } = task
    const asked = await deleteTask({ input: { taskId, channelPrefix } })
    if (!asked.error) navigate('/')
  }
  return (
    <Dialog
      title={`Delete ${nameOf(task)}?`}
      description="Its events and curves go with it, for everybody."
      isOpen={isOpen}
      onClose={onClose}
    >
      <div className="stack">
        <Problem error={error} title="It was not deleted." />
        <div className="row row-end">
          <button type="button" className="button" onClick={onClose}>
            Keep it
          </button>
          <button type="button" className="button button-danger" disabled={fetching} onClick={confirm}>
            Delete the run
          </button>
        </div>
      </div>
    </Dialog>
  )
}
