import { createContext, type ReactNode, useContext, useSyncExternalStore } from 'react'
import { Provider as UrqlProvider } from 'urql'
import { EpochcastProvider } from '../../react/index.ts'
import type { Session, SessionState } from './session.ts'

const Context = createContext<Session | null>(null)

/** Gives what is below it the session's clients. */
export function SessionProvider({ session, children }: { session: Session; children: ReactNode }) {
  const { link } = useSyncExternalStore(session.subscribe, session.getState)
  return (
    <Context value={session}>
      <UrqlProvider value={link.urql}>
        <EpochcastProvider client={link.socket}>{children}</EpochcastProvider>
      </UrqlProvider>
    </Context>
  )
}

export function useSession(): { readonly session: Session; readonly state: SessionState } {
  const session = useContext(Context)
  if (!session) throw new Error('useSession is used outside of <SessionProvider>')
  return { session, state: useSyncExternalStore(session.subscribe, session.getState) }
}
