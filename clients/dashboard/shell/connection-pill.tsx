import { Popover } from '@base-ui/react/popover'
import { lazy, Suspense } from 'react'
import type { Connection } from '../session/connection.ts'
import { useConnection } from '../session/connection.ts'
import { useNow } from '../ui/parts.tsx'

const ConnectionPanel = lazy(() => import('./connection-panel.tsx'))

export function ConnectionPill() {
  const { connection, heartbeat } = useConnection()
  const label = useLabel(connection)
  const short = connection.kind === 'reconnecting' ? 'Retrying' : null
  return (
    <Popover.Root>
      <Popover.Trigger className="pill" data-connection={connection.kind}>
        <span className="pill-dot" aria-hidden="true" />
        <span className="visually-hidden">Connection: </span>
        <span className={short === null ? 'pill-text' : 'pill-text only-wide'}>{label}</span>
        {/* On a phone there is no room for the whole, which the panel has. */}
        {short !== null && <span className="pill-text only-narrow">{short}</span>}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={8} align="end" className="positioner">
          <Popover.Popup className="popover connection">
            <Popover.Title className="popover-title">{label}</Popover.Title>
            <Suspense>
              <ConnectionPanel connection={connection} heartbeat={heartbeat} />
            </Suspense>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

function useLabel(connection: Connection): string {
  const now = useNow(500)
  switch (connection.kind) {
    case 'off':
      return 'Disconnected'
    case 'connecting':
      return 'Connecting'
    case 'connected':
      return 'Live'
    case 'interrupted':
      return 'Interrupted'
    case 'failed':
      return 'Not connected'
    case 'reconnecting': {
      const { attempt, nextTryAt } = connection
      const seconds = Math.max(0, Math.ceil((nextTryAt - now) / 1000))
      return `Reconnecting (attempt ${attempt}${seconds > 0 ? `, next try in ${seconds} s` : ''})`
    }
  }
}
