import type { EngineStatus, EventLog } from '../event-log/event-log.ts'
import { deadlineAfter, delay, stoppable } from './stoppable.ts'

export interface Beat {
  readonly sequence: number
  readonly timestamp: string
  readonly uptimeSeconds: number
  readonly engine: EngineStatus
}

/** A beat at once and then every `intervalMs`, each with a round trip to the engine. */
export function heartbeatStream(
  log: EventLog,
  { intervalMs, maxStreamMs }: { intervalMs: number; maxStreamMs: number },
): AsyncIterableIterator<Beat, undefined> {
  return stoppable(async function* (stop) {
    const deadline = deadlineAfter(maxStreamMs, stop)
    try {
      for (let sequence = 1; !deadline.signal.aborted; sequence++) {
        const engine = await log.status()
        const timestamp = new Date().toISOString()
        yield { sequence, timestamp, uptimeSeconds: process.uptime(), engine }
        await delay(intervalMs, deadline.signal)
      }
    } finally {
      deadline.clear()
    }
  })
}
