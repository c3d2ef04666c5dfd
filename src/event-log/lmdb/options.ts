import type { OutputBounds } from '../output-log.ts'

export interface LmdbStoreOptions {
  /** The directory of the files; created where it is missing. One store at a time has it. */
  readonly path: string
  /** Newest events kept of one task. */
  readonly retainEvents: number
  /** Seconds for which a finished task is kept. */
  readonly retainSeconds: number
  /** What is kept of one task's output. */
  readonly output?: OutputBounds
  /** About what all tasks may take on disk. */
  readonly maxBytes: number
  /** Part of them that unfinished tasks of one owner may hold, as the ledger says. */
  readonly share: number
  /** Whether a write resolves only when it is on disk; otherwise a power cut may take the newest, or damage all. */
  readonly fsync: boolean
  /** Told what is not on disk as it was written. */
  readonly onError: (error: unknown) => void
  readonly now?: () => number
}

/** Of refusals for want of room. */
export const WORDS = {
  engine: 'the data directory',
  maxBytes: 'EPOCHCAST_DATA_BYTES',
  share: 'EPOCHCAST_STORE_SHARE',
}
