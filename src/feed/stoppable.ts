import { EpochcastError } from '../task/errors.ts'
import { StoppableIterator } from './stoppable-iterator.ts'

type Generate<T> = (signal: AbortSignal) => AsyncGenerator<T, void, undefined>

/**
 * An async iterable over a generator that can be stopped while it waits. A plain async generator
 * settles `return()` only once its pending `next()` has, so a subscriber that leaves a quiet
 * task would hold its feed until the next event; here `return()` aborts the wait first.
 */
export const stoppable = <T>(generate: Generate<T>): AsyncIterableIterator<T, void> =>
  new StoppableGenerator(generate)

class StoppableGenerator<T> extends StoppableIterator<T> {
  readonly #controller = new AbortController()
  readonly #generator: AsyncGenerator<T, void, undefined>

  constructor(generate: Generate<T>) {
    super()
    this.#generator = generate(this.#controller.signal)
  }

  next(): Promise<IteratorResult<T, void>> {
    return this.#generator.next()
  }

  protected async stop(): Promise<void> {
    this.#controller.abort()
    await this.#generator.return()
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
  /**
   * To be called at the end of what the deadline ends.
   *
   * @throws EpochcastError STREAM_TIMED_OUT where the time has passed
   */
  throwIfPassed(): void
  /** Takes back the timer and the listener. */
  clear(): void
}

/**
 * The longest that a stream of states may live, as a signal. `AbortSignal.any` would do, but leaks in Node 20.
 *
 * @param ms null where it lives as long as its reader
 */
export function deadlineAfter(ms: number | null, outer: AbortSignal): Deadline {
  const controller = new AbortController()
  const abort = () => controller.abort()
  if (outer.aborted) abort()
  let hasPassed = false
  const pass = () => {
    hasPassed = true
    abort()
  }
  const timer = ms === null ? undefined : setTimeout(pass, ms)
  outer.addEventListener('abort', abort)
  return {
    signal: controller.signal,
    throwIfPassed: () => {
      // A mere end would look like that of the task.
      if (hasPassed && !outer.aborted) throw timedOut(ms ?? 0)
    },
    clear: () => {
      clearTimeout(timer)
      outer.removeEventListener('abort', abort)
    },
  }
}

const timedOut = (ms: number): EpochcastError =>
  new EpochcastError(
    'STREAM_TIMED_OUT',
    `the stream reached its maximum duration of ${ms / 1000} s (EPOCHCAST_MAX_STATE_STREAM_SECONDS); subscribe again to go on`,
  )

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

/** Waits for something that cannot be stopped itself; no longer than until the signal is aborted. */
export async function unlessAborted(waiting: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  let stop = () => {}
  const aborted = new Promise<void>((resolve) => {
    stop = resolve
    signal.addEventListener('abort', stop)
  })
  await Promise.race([waiting, aborted]).finally(() => signal.removeEventListener('abort', stop))
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
