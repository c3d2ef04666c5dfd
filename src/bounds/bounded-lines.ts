export interface LineRate {
  /** Lines of one kind in a window. */
  readonly lines: number
  readonly windowMs: number
}

interface Window {
  startedAt: number
  count: number
  unlogged: number
}

/** Kinds that are told apart; there are no more than that many in the code. */
const MAX_KINDS = 200

/** Keeps a log from growing with what clients do: so many lines of each kind in a window, and then a count. */
export class BoundedLines {
  readonly #rate: LineRate
  readonly #windows = new Map<string, Window>()

  constructor(rate: LineRate = { lines: 50, windowMs: 10_000 }) {
    this.#rate = rate
  }

  /** How many of this kind were left out before, where this one may be written; null where it is left out. */
  take(kind: string, now = performance.now()): number | null {
    let window = this.#windows.get(kind)
    if (!window) {
      if (this.#windows.size >= MAX_KINDS) return null
      window = { startedAt: now, count: 0, unlogged: 0 }
      this.#windows.set(kind, window)
    }
    if (now - window.startedAt >= this.#rate.windowMs) Object.assign(window, { startedAt: now, count: 0 })
    if (window.count >= this.#rate.lines) {
      window.unlogged++
      return null
    }
    window.count++
    const { unlogged } = window
    window.unlogged = 0
    return unlogged
  }
}
