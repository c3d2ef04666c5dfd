import type { TaskView } from '../task/stream-event.ts'
import { isFinalStatus, type TaskKey } from '../task/task.ts'
import type { Feeds } from './feeds.ts'
import type { Pacing } from './pacing.ts'
import { deadlineAfter, delay, stoppable } from './stoppable.ts'

export interface ConflationOptions {
  /** Shortest time between two values of the same task. */
  readonly minIntervalMs: number
  /** A bound on its duration; null for none. */
  readonly maxStreamMs: number | null
}

interface TaskProgressOptions extends ConflationOptions {
  readonly pacing: Pacing
  /** Where its subscriber calls from. */
  readonly account: string | null
}

/**
 * The state of one task, now and whenever it has changed, until its final state. A reader that is slow or
 * throttled gets the newest state and never a backlog.
 */
export function taskProgressStream(
  feeds: Feeds,
  key: TaskKey,
  { minIntervalMs, maxStreamMs, pacing, account }: TaskProgressOptions,
): AsyncIterableIterator<TaskView, void> {
  return stoppable(async function* (stop) {
    const feed = await feeds.acquire(key)
    const pace = pacing.open(account)
    const deadline = deadlineAfter(maxStreamMs, stop)
    try {
      while (!deadline.signal.aborted && !feed.closed) {
        const { view } = feed
        yield view
        if (feed.gone || isFinalStatus(view.state.status)) return
        await delay(pace.intervalMs(minIntervalMs), deadline.signal)
        await feed.advanced(view.top, deadline.signal)
      }
      deadline.throwIfPassed()
    } finally {
      deadline.clear()
      pace.close()
      await feeds.release(feed)
    }
  })
}
