import { type FormEvent, useState } from 'react'
import { useClient, useMutation, useQuery } from 'urql'
import { TaskDetailsDocument, UpdateTaskDocument } from '../../typescript/index.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Problem } from '../ui/parts.tsx'
import { labelsText, parseLabels } from './labels.ts'
import { LabelsField } from './labels-field.tsx'
import type { TaskDialogProps } from './task-dialog.ts'

/** Rename, and labels: one a line. */
export function EditDialog({ task, isOpen, onClose }: TaskDialogProps) {
  const { id, channelPrefix } = task
  const client = useClient()
  const variables = { id, channelPrefix }
  const [{ data, error: readError }] = useQuery({ query: TaskDetailsDocument, variables })
  const [{ fetching, error }, update] = useMutation(UpdateTaskDocument)
  const [name, setName] = useState(task.name ?? '')
  const [labels, setLabels] = useState<string | null>(null)
  const [problem, setProblem] = useState<Error | null>(null)
  const known = data?.task?.labels
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const input = { taskId: id, channelPrefix, name: name.trim() || null }
    try {
      // Where nobody touched them they are left alone, whatever they are.
      const change = labels === null ? {} : { labels: parseLabels(labels, known) }
      setProblem(null)
      const asked = await update({ input: { ...input, ...change } })
      if (asked.error) return
      // The page's details are the same query, and get its result.
      void client.query(TaskDetailsDocument, variables).toPromise()
      onClose()
    } catch (error) {
      setProblem(error as Error)
    }
  }
  return (
    <Dialog title="Rename and label" isOpen={isOpen} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <label className="field">
          <span>Name</span>
          <input maxLength={256} value={name} onChange={({ target }) => setName(target.value)} />
        </label>
        <LabelsField rows={4} disabled={!data} value={labels ?? labelsText(known)} onChange={setLabels} />
        <Problem error={problem ?? error ?? readError} title="It was not changed." />
        <div className="row row-end">
          <button type="button" className="button" onClick={onClose}>
            Leave it
          </button>
          <button type="submit" className="button button-primary" disabled={fetching}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  )
}
