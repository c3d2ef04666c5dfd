import type { OutputEntry, OutputState } from '../task/output.ts'
import type { Position } from '../task/position.ts'
import type { TaskKey } from '../task/task.ts'
import type { ReadResult } from './event-log.ts'
import type { LogExtent } from './log-extent.ts'

/** What is kept of one task's output; what is older goes. */
export interface OutputBounds {
  readonly maxLines: number
  /** Counted as JSON text. */
  readonly maxBytes: number
}

export const OUTPUT_BOUNDS: OutputBounds = { maxLines: 10_000, maxBytes: 4 * 1024 ** 2 }

export interface StoredOutput {
  readonly extent: LogExtent
  readonly state: OutputState
}

export interface OutputAppend {
  /** Where the output is to end; null where there is to be none yet. */
  readonly expected: Position | null
  /** From then on; another than the expected one where the engine has lost lines. */
  readonly generation: string
  /** After the lines. */
  readonly state: OutputState
  /** Each line as JSON (`outputText`); at least one. */
  readonly texts: readonly string[]
}

export type OutputAppendResult =
  /** With about the bytes of the task as a whole. */
  | { readonly kind: 'appended'; readonly top: Position; readonly bytes: number }
  /** Somebody else appended first; nothing was changed. */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'missing' }

export type OutputRead =
  | {
      readonly kind: 'lines'
      readonly lines: readonly OutputEntry[]
      readonly top: Position
      /** Offset of the oldest line that is retained. */
      readonly oldest: number
    }
  | Extract<ReadResult, { kind: 'gone' | 'ahead' | 'missing' }>
  /** The task has no output yet. */
  | { readonly kind: 'none' }

/**
 * What trainers print: one bounded log of lines for each task, apart from its events, which it neither trims nor holds
 * up. It is the task's: counted among its bytes, deleted and retained with it; a watch of the task tells what is appended
 * (`output`). Where a task needs room, its output goes before its events.
 *
 * Every method may reject with EpochcastError ENGINE_UNAVAILABLE; what was to be appended may then have been.
 */
export interface OutputLog {
  /** Null where the task has no output, or there is no such task. */
  find(key: TaskKey): Promise<StoredOutput | null>

  /**
   * One atomic step: if the output still ends where it is expected to, numbers and stores the lines, drops the oldest
   * beyond the bounds, and announces the new end.
   *
   * @throws EpochcastError STORE_FULL: neither events nor other tasks' output make room for it
   */
  append(key: TaskKey, request: OutputAppend): Promise<OutputAppendResult>

  /** About `limit` lines after a position, oldest first. A null position is before the oldest retained line. */
  read(key: TaskKey, after: Position | null, limit: number): Promise<OutputRead>
}
