import type { EngineStatus, Store } from '../event-log/store.ts'
import type { Pacing } from './pacing.ts'
import { deadlineAfter, delay, stoppable } from './stoppable.ts'

export interface Beat {
  readonly sequence: number
  readonly timestamp: string
  readonly uptimeSeconds: number
  readonly engine: EngineStatus
}

export interface HeartbeatOptions {
  readonly intervalMs: number
  readonly maxStreamMs: number | null
  readonly pacing: Pacing
  /** Where its subscriber calls from. */
  readonly account: string | null
}

type Engine = Pick<Store, 'status'>

/**
 * A beat at once and then every `intervalMs`, or as often as the pacing lets it, each with a round trip to the engine,
 * which those that are due at the same time share. Beats have no timer in common: thousands would then be one burst.
 */
export function heartbeatStream(
  engine: Engine,
  { intervalMs, maxStreamMs, pacing, account }: HeartbeatOptions,
): AsyncIterableIterator<Beat, void> {
  return stoppable(async function* (stop) {
    const pace = pacing.open(account)
    const deadline = deadlineAfter(maxStreamMs, stop)
    try {
      for (let sequence = 1; !deadline.signal.aborted; sequence++) {
        const status = await statusOf(engine)
        const timestamp = new Date().toISOString()
        yield { sequence, timestamp, uptimeSeconds: process.uptime(), engine: status }
        await delay(pace.intervalMs(intervalMs), deadline.signal)
      }
      deadline.throwIfPassed()
    } finally {
      deadline.clear()
      pace.close()
    }
  })
}

const underWay = new WeakMap<Engine, Promise<EngineStatus>>()

function statusOf(engine: Engine): Promise<EngineStatus> {
  let status = underWay.get(engine)
  if (!status) {
    status = engine.status().finally(() => underWay.delete(engine))
    underWay.set(engine, status)
  }
  return status
}
