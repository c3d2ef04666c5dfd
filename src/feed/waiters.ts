/** What waits for something to become true; each looks again whenever it is woken. */
export class Waiters {
  readonly #looking = new Set<() => void>()

  /** Resolves once `isTrue`, or when the signal is aborted. */
  until(isTrue: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || isTrue()) return resolve()
      const look = () => {
        if (!signal.aborted && !isTrue()) return
        this.#looking.delete(look)
        signal.removeEventListener('abort', look)
        resolve()
      }
      this.#looking.add(look)
      signal.addEventListener('abort', look)
    })
  }

  /** Has `look` called each time, until the returned function is called. */
  add(look: () => void): () => void {
    this.#looking.add(look)
    return () => this.#looking.delete(look)
  }

  /** To be called after every change of what `isTrue` looks at. */
  wake(): void {
    for (const look of this.#looking) look()
  }
}
