import { useEffect, useState } from 'react'
import type { HeartbeatSnapshot } from '../../react/heartbeat-store.ts'
import { BEAT_MS, type Connection } from '../session/connection.ts'
import { useSession } from '../session/context.tsx'
import { formatDuration } from '../ui/format.ts'
import { ConnectionTest } from './connection-test.tsx'

interface PanelProps {
  readonly connection: Connection
  readonly heartbeat: HeartbeatSnapshot['heartbeat']
}

const WORDS: Readonly<Record<Connection['kind'], string>> = {
  off: 'The page shows what it last knew.',
  connecting: 'Waiting for the server.',
  connected: 'Everything arrives as it happens.',
  interrupted: 'The server has lost its storage. The page goes on by itself once it is back.',
  reconnecting: 'The page goes on by itself, from where it stands. Nothing will be missing.',
  failed: '',
}

export default function ConnectionPanel({ connection, heartbeat }: PanelProps) {
  const { session, state } = useSession()
  const roundTripMs = useRoundTrip(connection.kind === 'connected')
  return (
    <div className="stack">
      <p className="muted">{connection.kind === 'failed' ? connection.reason : WORDS[connection.kind]}</p>
      <dl className="facts">
        <dt>Round trip</dt>
        <dd>{roundTripMs === null ? '–' : `${roundTripMs.toFixed(1)} ms`}</dd>
        <dt>Heartbeat</dt>
        <dd>{heartbeat ? `number ${heartbeat.sequence}, every ${BEAT_MS / 1000} s` : '–'}</dd>
        <dt>Storage</dt>
        <dd>
          {heartbeat
            ? `${heartbeat.engine.name}, ${heartbeat.engine.connected ? 'connected' : 'out of reach'}`
            : '–'}
        </dd>
        <dt>Server up</dt>
        <dd>{heartbeat ? formatDuration(heartbeat.uptimeSeconds) : '–'}</dd>
      </dl>
      {connection.kind === 'connected' && <ConnectionTest />}
      <div className="row">
        {state.isOn ? (
          <>
            <button type="button" className="button" onClick={() => session.disconnect()}>
              Disconnect
            </button>
            {connection.kind !== 'connected' && (
              <button type="button" className="button button-primary" onClick={() => session.connect()}>
                Try now
              </button>
            )}
          </>
        ) : (
          <button type="button" className="button button-primary" onClick={() => session.connect()}>
            Connect
          </button>
        )}
        {state.hasToken && (
          <button type="button" className="button button-quiet" onClick={() => session.signOut()}>
            Forget token
          </button>
        )}
      </div>
    </div>
  )
}

const EVERY_MS = 2000

function useRoundTrip(isConnected: boolean): number | null {
  const { link } = useSession().state
  const [ms, setMs] = useState<number | null>(null)
  useEffect(() => {
    if (!isConnected) return
    let isLeft = false
    const ask = () =>
      void link.roundTrip().then((took) => {
        if (!isLeft) setMs(took)
      })
    ask()
    const timer = setInterval(ask, EVERY_MS)
    return () => {
      isLeft = true
      clearInterval(timer)
    }
  }, [link, isConnected])
  return isConnected ? ms : null
}
