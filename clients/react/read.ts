import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import { EpochcastClientError } from '../typescript/error.ts'
import { DEFAULT_RETRY, retryDelayMs } from '../typescript/retry.ts'
import { schedule } from '../typescript/schedule.ts'
import type { StreamState } from '../typescript/stream-state.ts'
import type { Source } from './source.ts'

interface Reader<Data> {
  /** What it throws is an `error`. */
  next(data: Data): void
  /** Of what does not pass. */
  error(error: unknown): void
  /** Before another try. */
  waits?(state: StreamState): void
}

/** A query that is tried again for as long as it fails in a way that may pass. Returns how to leave it. */
export function read<Data, Variables>(
  source: Source,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  reader: Reader<Data>,
): () => void {
  let isLeft = false
  let cancel = () => {}
  const tryFor = async (attempt: number): Promise<void> => {
    try {
      const data = await source.execute(document, variables)
      if (!isLeft) reader.next(data)
    } catch (error) {
      if (isLeft) return
      if (!(error instanceof EpochcastClientError && error.retryable)) return void reader.error(error)
      const delayMs = retryDelayMs(attempt, DEFAULT_RETRY)
      reader.waits?.({ kind: 'reconnecting', attempt, nextTryAt: Date.now() + delayMs, cause: error })
      cancel = schedule(delayMs, () => void tryFor(attempt + 1))
    }
  }
  void tryFor(1)
  return () => {
    isLeft = true
    cancel()
  }
}
