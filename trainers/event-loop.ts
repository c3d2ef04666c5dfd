import { setImmediate } from 'node:timers/promises'

/** Lets timers, sockets and signals have their turn; a training step is synchronous and would starve them. */
export const yieldToEventLoop = (): Promise<void> => setImmediate()

/** A gate that opens at most once per interval: how often batches are worth reporting. */
export function atMostEvery(intervalMs: number): () => boolean {
  let nextMs = Number.NEGATIVE_INFINITY
  return () => {
    const nowMs = performance.now()
    if (nowMs < nextMs) return false
    nextMs = nowMs + intervalMs
    return true
  }
}
