import { Component, type ReactNode } from 'react'
import { Empty } from '../ui/parts.tsx'

/** In the place of a page whose files could not be loaded: the server is away, or has newer ones since this tab was opened. */
export class LoadGuard extends Component<{ readonly children: ReactNode }, { readonly hasFailed: boolean }> {
  override state = { hasFailed: false }

  static getDerivedStateFromError() {
    return { hasFailed: true }
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children
    return (
      <Empty title="This page could not be loaded" isPage>
        <p className="muted">The server is out of reach, or has a newer dashboard.</p>
        <button type="button" className="button" onClick={() => location.reload()}>
          Load again
        </button>
      </Empty>
    )
  }
}
