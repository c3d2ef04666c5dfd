/** What a training is told of its reporting: each kind once, until it is over. */
export class Notices {
  readonly #tell: (text: string) => void
  readonly #told = new Set<string>()

  /** @param tell may throw, which is nobody's concern */
  constructor(tell: (text: string) => void) {
    this.#tell = tell
  }

  say(kind: string, text: string): void {
    if (this.#told.has(kind)) return
    this.#told.add(kind)
    try {
      this.#tell(`epochcast: ${text}`)
    } catch {
      // A training must not end by what is said of its telemetry.
    }
  }

  /** It may be said again. */
  forget(kind: string): void {
    this.#told.delete(kind)
  }
}

/** What went wrong, in a line; fetch puts it into the cause. */
export function wordsOf(error: unknown): string {
  try {
    const { message, cause } = error as { message?: unknown; cause?: unknown }
    if (cause instanceof Error && cause.message) return cause.message.slice(0, 500)
    return String(message || error).slice(0, 500)
  } catch {
    return 'something that cannot be written'
  }
}
