import { EpochcastError } from '../task/errors.ts'

/**
 * An async iterable over a generator that can be stopped while it waits. A plain async generator
 * settles `return()` only once its pending `next()` has, so a subscriber that leaves a quiet
 * task would hold its feed until the next event; here `return()` aborts the wait first.
 */
export function stoppable<T>(
  generate: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
): AsyncIterableIterator<T, undefined> {
  const controller = new AbortController()
  const generator = generate(controller.signal)
  const stop = async () => {
    controller.abort()
    await generator.return()
  }
  return {
    next: async () => {
      const result = await generator.next()
      return result.done ? { done: true, value: undefined } : result
    },
    return: async () => {
      await stop()
      return { done: true, value: undefined }
    },
    throw: async (error) => {
      await stop()
      throw error
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** Something that can be stopped once. Its signal is made when it is first needed: there is one a subscriber. */
export class Stop {
  #isStopped = false
  #controller: AbortController | undefined

  get isStopped(): boolean {
    return this.#isStopped
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#isStopped) this.#controller.abort()
    return this.#controller.signal
  }

  stop(): void {
    this.#isStopped = true
    this.#controller?.abort()
  }
}

export interface Deadline {
  /** Aborted when the time has passed or the outer signal is aborted. */
  readonly signal: AbortSignal
  /** Takes back the timer and the listener. */
  clear(): void
}

/** The longest that a stream may live, as a signal. `AbortSignal.any` would do, but leaks in Node 20. */
export function deadlineAfter(ms: number, outer: AbortSignal): Deadline {
  const controller = new AbortController()
  const abort = () => controller.abort()
  if (outer.aborted) abort()
  const timer = setTimeout(abort, ms)
  outer.addEventListener('abort', abort)
  return {
    signal: controller.signal,
    clear: () => {
      clearTimeout(timer)
      outer.removeEventListener('abort', abort)
    },
  }
}

const RETRY_MS = 500

/** What `run` resolves to, as soon as the engine is in reach; undefined where the signal is aborted before. */
export async function whenInReach<T>(run: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof EpochcastError) || error.code !== 'ENGINE_UNAVAILABLE') throw error
      await delay(RETRY_MS, signal)
    }
  }
  return undefined
}

/** Resolves after `ms`, or at once when the signal is aborted. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const finish = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      resolve()
    }
    const timer = setTimeout(finish, ms)
    signal.addEventListener('abort', finish)
  })
}
