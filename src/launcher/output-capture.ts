import { OutputCapture as Capture, type Fate } from '../../clients/output/output-capture.ts'
import { EpochcastError, ERROR_CODES } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import { type OutputBatch, skippedNote } from '../task/output.ts'

/**
 * Takes lines of one attempt: appends them to its task's output, or sends them to a server that does (`reportOutput`). Where
 * it rejects with a retryable error, the same batch comes again.
 */
export type OutputSink = (batch: OutputBatch) => Promise<unknown>

export interface OutputCaptureOptions {
  readonly attempt: number
  /** The rank, client or node that prints; null for the task's own. */
  readonly member?: string | null
  /** What must not be seen, such as the report token. */
  readonly secrets: readonly (string | null)[]
  /** Lines a second that are sent on the average. */
  readonly linesPerSecond: number
  /** Told what is neither a refusal nor to be tried again. */
  readonly onError: (error: unknown) => void
  readonly now?: () => number
}

/** What a launcher's process prints, within the server's own bounds. */
export class OutputCapture extends Capture {
  constructor(sink: OutputSink, options: OutputCaptureOptions) {
    super(sink, {
      ...options,
      bounds: { lineBytes: LIMITS.outputLineBytes, linesPerBatch: LIMITS.outputLinesPerCall },
      noteOf: skippedNote,
      fateOf: (error) => fateOf(error, options.onError),
    })
  }
}

function fateOf(error: unknown, onError: (error: unknown) => void): Fate {
  if (!(error instanceof EpochcastError)) {
    onError(error)
    return 'over'
  }
  // Nothing of it was taken, and what comes later may be.
  if (error.code === 'STORE_FULL') return 'left out'
  // Else nobody wants it any more: the task is gone, or a newer attempt has begun.
  return ERROR_CODES[error.code].retryable ? 'again' : 'over'
}
