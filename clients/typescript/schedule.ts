interface EventTargetLike {
  addEventListener?(type: string, listener: () => void): void
  removeEventListener?(type: string, listener: () => void): void
}

/**
 * Runs something after a while, or at once when there is reason to think that it will do now: the network is back, or
 * the page is looked at again (whose timers may have been held back for a minute).
 *
 * @param mayHurry false where the wait is what a server asked for
 * @returns takes it back
 */
export function schedule(ms: number, run: () => void, mayHurry = true): () => void {
  const page = globalThis as EventTargetLike & { document?: EventTargetLike & { hidden?: boolean } }
  const cancel = () => {
    clearTimeout(timer)
    page.removeEventListener?.('online', now)
    page.document?.removeEventListener?.('visibilitychange', seen)
  }
  const now = () => {
    cancel()
    run()
  }
  const seen = () => {
    if (!page.document?.hidden) now()
  }
  const timer = setTimeout(now, ms)
  if (mayHurry) {
    page.addEventListener?.('online', now)
    page.document?.addEventListener?.('visibilitychange', seen)
  }
  return cancel
}
