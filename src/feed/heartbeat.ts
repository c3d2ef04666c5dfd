import type { EngineStatus, Store } from '../event-log/store.ts'
import { deadlineAfter, delay, stoppable } from './stoppable.ts'

export interface Beat {
  readonly sequence: number
  readonly timestamp: string
  readonly uptimeSeconds: number
  readonly engine: EngineStatus
}

/** A beat at once and then every `intervalMs`, each with a round trip to the engine. */
export function heartbeatStream(
  engine: Pick<Store, 'status'>,
  { intervalMs, maxStreamMs }: { intervalMs: number; maxStreamMs: number | null },
): AsyncIterableIterator<Beat, void> {
  return stoppable(async function* (stop) {
    const deadline = deadlineAfter(maxStreamMs, stop)
    try {
      for (let sequence = 1; !deadline.signal.aborted; sequence++) {
        const status = await engine.status()
        const timestamp = new Date().toISOString()
        yield { sequence, timestamp, uptimeSeconds: process.uptime(), engine: status }
        await delay(intervalMs, deadline.signal)
      }
      deadline.throwIfPassed()
    } finally {
      deadline.clear()
    }
  })
}
