import { Component, type ReactNode, useEffect, useRef } from 'react'
import { useConnection } from '../session/connection.ts'
import { Empty } from '../ui/parts.tsx'

/**
 * In the place of a page that fails, most likely as its files could not be loaded: the server is away, or has newer ones since
 * this tab was opened. React writes the error to the console.
 */
export class LoadGuard extends Component<{ readonly children: ReactNode }, { readonly hasFailed: boolean }> {
  override state = { hasFailed: false }

  static getDerivedStateFromError() {
    return { hasFailed: true }
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children
    return (
      <Empty title="This page could not be shown" isPage>
        <LoadOnReturn />
        <p className="muted">
          The server is out of reach, or has a newer dashboard. If not, the browser's console tells more.
        </p>
        <button type="button" className="button" onClick={() => location.reload()}>
          Load again
        </button>
      </Empty>
    )
  }
}

/**
 * Loads the page again once the server is back: what failed to load fails for as long as the document lives. Only after the
 * server was seen to be away, so that a page that fails for another reason is not loaded for ever.
 */
function LoadOnReturn() {
  const { kind } = useConnection().connection
  const wasAway = useRef(false)
  useEffect(() => {
    if (kind === 'reconnecting') wasAway.current = true
    else if (kind === 'connected' && wasAway.current) location.reload()
  }, [kind])
  return null
}
