import { type ReactNode, useEffect, useState } from 'react'
import type { CombinedError } from 'urql'

/** The time, often enough for ages and countdowns. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

export function useDebounced<T>(value: T, delayMs: number): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), delayMs)
    return () => clearTimeout(timer)
  }, [value, delayMs])
  return settled
}

/** What the server said, without what urql writes around it. */
export function messageOf(error: Error | CombinedError): string {
  if ('graphQLErrors' in error && error.graphQLErrors[0]) return error.graphQLErrors[0].message
  const { code } = error as { code?: unknown }
  return code === 'CLIENT_DISPOSED' ? 'The page is disconnected.' : error.message
}

export const Problem = ({ error, title }: { error: Error | null | undefined; title: string }) =>
  error ? (
    <div className="notice" data-tone="danger" role="alert">
      <strong>{title}</strong> {messageOf(error)}
    </div>
  ) : null

interface EmptyProps {
  readonly title: string
  /** There is nothing else: it has the heading of the page. */
  readonly isPage?: boolean
  readonly children?: ReactNode
}

export const Empty = ({ title, isPage = false, children }: EmptyProps) => (
  <div className="empty">
    <svg className="empty-art" viewBox="0 0 120 48" aria-hidden="true">
      <path d="M4 6c10 26 26 32 44 34s36 1 68-2" />
      <path d="M4 14c14 14 30 18 44 15s34-6 68-4" />
    </svg>
    {isPage ? <h1>{title}</h1> : <h2>{title}</h2>}
    {children}
  </div>
)

/** The name of the page: of its tab, and of the history. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title
    return () => {
      document.title = 'Epochcast'
    }
  }, [title])
}

/** @returns whether it is in the clipboard */
export async function copyText(text: string): Promise<boolean> {
  // Pages of plain http on another machine have no clipboard; their field is then marked for copying by hand.
  if (!navigator.clipboard) return false
  return navigator.clipboard.writeText(text).then(
    () => true,
    () => false,
  )
}
