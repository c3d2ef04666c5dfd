import type { CurveStore } from './curve-store.ts'
import type { EventLog } from './event-log.ts'
import type { Leases } from './leases.ts'
import type { OutputLog } from './output-log.ts'
import type { TaskIndex } from './task-index.ts'

type EngineName = 'memory' | 'lmdb' | 'redis'

export interface EngineStatus {
  readonly name: EngineName
  readonly connected: boolean
  /** Round trip in milliseconds; null while the engine is out of reach. */
  readonly latencyMs: number | null
}

/**
 * All that an engine gives, in one object. Only `server.ts` and `open-store.ts` see it whole; everything else asks for the
 * ports that it uses.
 */
export interface Store extends EventLog, CurveStore, TaskIndex, Leases {
  readonly name: EngineName

  /** What the tasks' trainers print. */
  readonly output: OutputLog

  /** Watches that have not been closed, those of all tasks among them; not those of listings, which last as long as a server. */
  readonly watchCount: number

  /** Resolves even while the engine is out of reach. */
  status(): Promise<EngineStatus>

  /** Ends every watch and releases what the engine holds. */
  close(): Promise<void>
}
