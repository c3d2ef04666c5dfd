import { Menu } from '@base-ui/react/menu'
import { useState } from 'react'
import { useClient } from 'urql'
import { useLocation } from 'wouter'
import type { TaskSummaryFragment } from '../../typescript/index.ts'
import { comparePath } from '../tasks/address.ts'
import { Icon } from '../ui/icons.tsx'
import { isFinal } from '../ui/status.tsx'
import { CancelDialog } from './cancel-dialog.tsx'
import { DeleteDialog } from './delete-dialog.tsx'
import { download } from './download.ts'
import { EditDialog } from './edit-dialog.tsx'
import type { EndNotice } from './end-notice.ts'
import { ShareDialog } from './share-dialog.tsx'

type Open = 'cancel' | 'share' | 'edit' | 'delete' | null

export function Actions({ task, notice }: { task: TaskSummaryFragment; notice: EndNotice }) {
  const [open, setOpen] = useState<Open>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [, navigate] = useLocation()
  const client = useClient()
  const close = () => setOpen(null)
  const isOver = isFinal(task.status)
  const save = (kind: 'csv' | 'json') => {
    setProblem(null)
    void download(client, task, kind).catch((error: Error) => setProblem(error.message))
  }
  return (
    <div className="actions">
      {problem && (
        <span className="muted" role="alert">
          {problem}
        </span>
      )}
      {!isOver && notice.isPossible && (
        <button
          type="button"
          className="button button-icon"
          aria-pressed={notice.isWanted}
          aria-label="Notify me when it ends"
          title="Notify me when it ends"
          onClick={notice.toggle}
        >
          <Icon name="bell" />
        </button>
      )}
      <button type="button" className="button" onClick={() => setOpen('share')}>
        <Icon name="share" />
        Share
      </button>
      {!isOver && (
        <button
          type="button"
          className="button button-danger"
          disabled={task.stopRequested}
          onClick={() => setOpen('cancel')}
        >
          <Icon name="stop" />
          Cancel
        </button>
      )}
      <Menu.Root>
        <Menu.Trigger className="button button-icon" aria-label="More actions">
          <Icon name="more" />
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner sideOffset={6} align="end" className="positioner">
            <Menu.Popup className="menu">
              <Menu.Item onClick={() => setOpen('edit')}>Rename and label</Menu.Item>
              <Menu.Item onClick={() => navigate(comparePath([task]))}>Compare</Menu.Item>
              <Menu.Item
                onClick={() =>
                  navigate(`/start?${new URLSearchParams({ like: `${task.channelPrefix}/${task.id}` })}`)
                }
              >
                Start another like it
              </Menu.Item>
              <Menu.Separator className="menu-line" />
              <Menu.Item onClick={() => save('csv')}>Download CSV</Menu.Item>
              <Menu.Item onClick={() => save('json')}>Download JSON</Menu.Item>
              <Menu.Separator className="menu-line" />
              <Menu.Item disabled={!isOver} className="menu-danger" onClick={() => setOpen('delete')}>
                Delete
              </Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      <CancelDialog task={task} isOpen={open === 'cancel'} onClose={close} />
      <ShareDialog task={task} isOpen={open === 'share'} onClose={close} />
      {open === 'edit' && <EditDialog task={task} isOpen onClose={close} />}
      <DeleteDialog task={task} isOpen={open === 'delete'} onClose={close} />
    </div>
  )
}
