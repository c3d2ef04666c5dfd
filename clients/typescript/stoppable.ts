/** A signal that is aborted with any of the given ones, and can be let go of. */
export interface LinkedSignal {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
  /** Takes back the listeners. */
  unlink(): void
}

/** `AbortSignal.any` would do, but leaks where one of the signals lives long. */
export function linkSignals(...signals: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const controller = new AbortController()
  const links = signals.flatMap((signal) => {
    if (!signal) return []
    const abort = () => controller.abort(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    return [() => signal.removeEventListener('abort', abort)]
  })
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    unlink: () => {
      for (const unlink of links) unlink()
    },
  }
}

const LEFT = Symbol('left')

/**
 * An async iterable over a generator that can be left while it waits: a generator's own `return` is
 * settled only after its pending `next`, and would hold the subscription until another event comes.
 */
export function stoppable<T>(
  outer: readonly (AbortSignal | undefined)[],
  generate: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
): AsyncIterableIterator<T, undefined> {
  const end = { done: true, value: undefined } as const
  let running: { linked: LinkedSignal; generator: AsyncGenerator<T, void, undefined> } | undefined
  let left = false
  const start = () => {
    const linked = linkSignals(...outer)
    return { linked, generator: generate(linked.signal) }
  }
  return {
    next: async () => {
      if (left) return end
      running ??= start()
      const { linked, generator } = running
      try {
        const result = await generator.next()
        if (!result.done) return result
      } catch (error) {
        linked.unlink()
        if (error !== LEFT) throw error
      }
      linked.unlink()
      return end
    },
    return: async () => {
      left = true
      running?.linked.unlink()
      running?.linked.abort(LEFT)
      await running?.generator.return().catch(() => undefined)
      return end
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
