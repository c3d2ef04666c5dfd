import { useRef, useState } from 'react'
import { useMutation } from 'urql'
import { CreateViewLinkDocument } from '../../typescript/index.ts'
import { Dialog } from '../ui/dialog.tsx'
import { formatDate } from '../ui/format.ts'
import { Icon } from '../ui/icons.tsx'
import { copyText, Problem } from '../ui/parts.tsx'
import { Select } from '../ui/select.tsx'
import type { TaskDialogProps } from './task-dialog.ts'

const TIMES = [
  ['3600', 'an hour'],
  ['86400', 'a day'],
  ['604800', 'a week'],
  ['2592000', '30 days'],
] as const

/** A link to watch this one run: where the server knows callers by tokens, for a time. */
export function ShareDialog({ task, isOpen, onClose }: TaskDialogProps) {
  const [{ data, fetching, error }, create] = useMutation(CreateViewLinkDocument)
  const [seconds, setSeconds] = useState<string>('86400')
  const [isCopied, setCopied] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const link = data?.createViewLink
  const make = () => {
    const { id: taskId, channelPrefix } = task
    setCopied(false)
    void create({ input: { taskId, channelPrefix, expiresInSeconds: Number(seconds) } })
  }
  const copy = async () => {
    if (!link) return
    field.current?.select()
    setCopied(await copyText(link.url))
  }
  return (
    <Dialog
      title="Share this run"
      description="Whoever has the link can watch this run, and do nothing else."
      isOpen={isOpen}
      onClose={onClose}
    >
      <div className="stack">
        <div className="row">
          <Select label="For" value={seconds} options={TIMES} onChange={setSeconds} />
          <button type="button" className="button button-primary" disabled={fetching} onClick={make}>
            Make a link
          </button>
        </div>
        <Problem error={error} title="There is no link." />
        {link && (
          <>
            <div className="row">
              <input ref={field} className="grow" readOnly aria-label="Link" value={link.url} />
              <button type="button" className="button" onClick={copy}>
                <Icon name={isCopied ? 'check' : 'copy'} />
                {isCopied ? 'Copied' : 'Copy'}
              </button>
            </div>
            <p className="hint" role="status">
              {link.expiresAt
                ? `It ends on ${formatDate(link.expiresAt)}.`
                : 'This server asks nobody for a token: the link leads whoever reaches the server here.'}
            </p>
          </>
        )}
      </div>
    </Dialog>
  )
}
