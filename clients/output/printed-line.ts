/** A line that a process printed, or a note of lines that were left out (`skipped`), as `reportOutput` takes it. */
export interface PrintedLine {
  readonly timestamp: string
  /** Null for a note. */
  readonly stream: PrintedStream | null
  /** Without its line end. */
  readonly text: string
  readonly member: string | null
  /** Whether more of the same line follows, or a newer state of it. */
  readonly isCut: boolean
  /** How many lines were left out here; null for a line that was printed. */
  readonly skipped: number | null
}

export type PrintedStream = 'STDOUT' | 'STDERR'

/** Consecutive lines of one process. The same batch may come again, and is then to have no effect. */
export interface PrintedBatch {
  readonly lines: readonly PrintedLine[]
  readonly producer: string
  /** Position of lines[0] in the producer's own count 1, 2, 3 … */
  readonly firstSequence: number
  readonly attempt: number
}

/** Makes the note that stands in the place of lines that were left out. */
export type NoteOfSkipped = (skipped: number, timestamp: string, member: string | null) => PrintedLine
