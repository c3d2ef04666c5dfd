import { Popover } from '@base-ui/react/popover'
import { useState } from 'react'
import { useTasks } from '../../react/index.ts'
import type { TaskRef } from '../tasks/address.ts'
import { nameOf } from '../ui/format.ts'
import { useDebounced } from '../ui/parts.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { StatusBadge } from '../ui/status.tsx'

interface RunPickerProps {
  readonly chosen: readonly TaskRef[]
  readonly onChoose: (ref: TaskRef) => void
}

export function RunPicker(props: RunPickerProps) {
  return (
    <Popover.Root>
      <Popover.Trigger className="button">Add a run</Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={6} align="start" className="positioner">
          <Popover.Popup className="popover picker">
            <Popover.Title className="visually-hidden">Add a run</Popover.Title>
            <Found {...props} />
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

const SHOWN = 30
const SEARCH_AFTER_MS = 150

function Found({ chosen, onChoose }: RunPickerProps) {
  const [text, setText] = useState('')
  const settled = useDebounced(text.trim(), SEARCH_AFTER_MS)
  const { tasks, isLoading } = useTasks({ filter: settled === '' ? null : { text: settled }, first: SHOWN })
  const others = tasks.filter(
    ({ id, channelPrefix }) => !chosen.some((ref) => ref.id === id && ref.channelPrefix === channelPrefix),
  )
  return (
    <>
      <SearchField label="Search runs" value={text} onChange={setText} />
      <ul className="picker-list" aria-label="Runs">
        {others.map((task) => (
          <li key={task.channel}>
            <button type="button" onClick={() => onChoose(task)}>
              <span>{nameOf(task)}</span>
              <StatusBadge status={task.status} />
            </button>
          </li>
        ))}
      </ul>
      {others.length === 0 && <p className="muted">{isLoading ? 'Loading' : 'No other run'}</p>}
    </>
  )
}
