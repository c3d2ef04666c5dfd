import { type FormEvent, useState } from 'react'
import { useMutation } from 'urql'
import { CancelTrainingDocument } from '../../typescript/index.ts'
import { Dialog } from '../ui/dialog.tsx'
import { nameOf } from '../ui/format.ts'
import { Problem } from '../ui/parts.tsx'
import type { TaskDialogProps } from './task-dialog.ts'

export function CancelDialog({ task, isOpen, onClose }: TaskDialogProps) {
  const [{ fetching, error }, cancel] = useMutation(CancelTrainingDocument)
  const [reason, setReason] = useState('')
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const { id: taskId, channelPrefix } = task
    const asked = await cancel({ input: { taskId, channelPrefix, reason: reason.trim() || null } })
    if (!asked.error) onClose()
  }
  return (
    <Dialog
      title={`Cancel ${nameOf(task)}?`}
      description="The trainer is asked to stop, and made to if it does not. What it has reported stays."
      isOpen={isOpen}
      onClose={onClose}
    >
      <form className="stack" onSubmit={submit}>
        <label className="field">
          <span>Reason (optional)</span>
          <input maxLength={1024} value={reason} onChange={({ target }) => setReason(target.value)} />
        </label>
        <Problem error={error} title="It was not cancelled." />
        <div className="row row-end">
          <button type="button" className="button" onClick={onClose}>
            Keep it running
          </button>
          <button type="submit" className="button button-danger" disabled={fetching}>
            Cancel the run
          </button>
        </div>
      </form>
    </Dialog>
  )
}
