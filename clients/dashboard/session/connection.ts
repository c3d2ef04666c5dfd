import { useEffect } from 'react'
import type { HeartbeatSnapshot } from '../../react/heartbeat-store.ts'
import { useHeartbeat } from '../../react/index.ts'
import { useSession } from './context.tsx'
import { refusalOf } from './refusal.ts'

/**
 * ```
 * off ◀──▶ connecting ──▶ connected ◀──▶ interrupted (the server has lost its engine)
 *              │              │▲
 *              ▼              ▼│
 *            failed      reconnecting (1, 2, 3 …)
 * ```
 */
export type Connection =
  | { readonly kind: 'off' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  | { readonly kind: 'reconnecting'; readonly attempt: number; readonly nextTryAt: number }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'failed'; readonly reason: string }

export const BEAT_MS = 5000

/** How the page's connection stands, by a heartbeat that comes the same way as everything else. */
export function useConnection(): { connection: Connection; heartbeat: HeartbeatSnapshot['heartbeat'] } {
  const { session, state } = useSession()
  const { state: stream, error, heartbeat } = useHeartbeat({ intervalMs: BEAT_MS })
  const refusal = error && refusalOf(error)
  useEffect(() => {
    if (refusal) session.refuse(refusal)
  }, [session, refusal])
  return { heartbeat, connection: connectionOf() }

  function connectionOf(): Connection {
    if (!state.isOn) return { kind: 'off' }
    switch (stream.kind) {
      case 'connecting':
        return { kind: 'connecting' }
      case 'reconnecting':
        return { kind: 'reconnecting', attempt: stream.attempt, nextTryAt: stream.nextTryAt }
      case 'ended':
        return { kind: 'failed', reason: error?.message ?? 'the server ended the heartbeat' }
      default:
        return heartbeat?.engine.connected === false ? { kind: 'interrupted' } : { kind: 'connected' }
    }
  }
}
