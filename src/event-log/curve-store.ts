import type { Position } from '../task/position.ts'
import type { TaskKey } from '../task/task.ts'
import type { LogEntry } from './event-log.ts'

/** A task's curves as they stand at one moment, without their segments. */
export interface CurvesRead {
  readonly top: Position
  /** Null where nothing was folded yet, or the store lost it. */
  readonly index: string | null
  /** The events after those that the curves contain, oldest first, as far as they are retained. */
  readonly entries: readonly LogEntry[]
}

/**
 * Metric histories beside each log, for the time that the log no longer covers. What is in an index and a segment is
 * up to `task/curves/`; the store keeps bytes under names. They are written by `EventLog.append` and dropped with
 * their task.
 *
 * Every method may reject with EpochcastError ENGINE_UNAVAILABLE.
 */
export interface CurveStore {
  /** Null where there is no such task. */
  readCurves(key: TaskKey): Promise<CurvesRead | null>

  /** Bytes by name, in the order of the names; null where there are none any more: a newer index tells why. */
  readSegments(key: TaskKey, names: readonly string[]): Promise<readonly (Uint8Array | null)[]>
}
