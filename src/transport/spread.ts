import { setTimeout as sleep } from 'node:timers/promises'

const TICK_MS = 20
/** Few of them are no storm: so many may come back in one tick. */
const MIN_PER_TICK = 5

/**
 * Ends items one after the other, evenly over a time or sooner where they are few, so that clients that come back at once do
 * not storm the servers that are left.
 */
export async function spread<T>(
  items: readonly T[],
  withinMs: number,
  end: (item: T) => void,
): Promise<void> {
  const ticks = Math.max(1, Math.min(Math.floor(withinMs / TICK_MS), Math.ceil(items.length / MIN_PER_TICK)))
  let at = 0
  for (let tick = 1; tick <= ticks; tick++) {
    for (const next = Math.ceil((items.length * tick) / ticks); at < next; at++) end(items[at] as T)
    if (tick < ticks) await sleep(TICK_MS)
  }
}
