import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { ReportInput } from '../typescript/index.ts'
import { UsageError } from './session.ts'

/** What the API takes in one call. */
const MAX_BATCH_REPORTS = 1000
const MAX_BATCH_CHARACTERS = 250_000

/**
 * Reads one report a line, and gives what has come in since the last batch was taken: single reports
 * from a slow trainer at once, large batches from a fast one. Reading pauses while a batch's worth waits.
 *
 * @throws UsageError that names the line which is not a report, after the batches before it
 */
export async function* reportBatches(
  input: Readable,
  signal: AbortSignal,
): AsyncGenerator<ReportInput[], void, undefined> {
  const reader = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  const waiting: string[] = []
  let ended = false
  let wake = () => {}
  const end = () => {
    ended = true
    wake()
  }
  reader.on('line', (line) => {
    waiting.push(line)
    if (waiting.length >= MAX_BATCH_REPORTS) reader.pause()
    wake()
  })
  reader.once('close', end)
  signal.addEventListener('abort', end)
  let lineNumber = 0
  try {
    for (;;) {
      signal.throwIfAborted()
      const batch: ReportInput[] = []
      let characters = 0
      while (batch.length < MAX_BATCH_REPORTS) {
        const [line] = waiting
        if (line === undefined || (characters > 0 && characters + line.length > MAX_BATCH_CHARACTERS)) break
        const report = line.trim() === '' ? undefined : parseReport(line)
        if (report === null) {
          if (batch.length > 0) break
          throw new UsageError(
            `line ${lineNumber + 1} is not a report; expected one JSON object with one kind`,
          )
        }
        waiting.shift()
        lineNumber++
        characters += line.length
        if (report) batch.push(report)
      }
      if (batch.length > 0) {
        yield batch
      } else if (waiting.length === 0) {
        if (ended) return
        reader.resume()
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    signal.removeEventListener('abort', end)
    reader.close()
  }
}

/** Null where it is none. The numbers that are not finite may stand bare, as Python's json writes them. */
function parseReport(line: string): ReportInput | null {
  const quoted = line.replace(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  )
  try {
    const value: unknown = JSON.parse(quoted)
    return typeof value === 'object' && !Array.isArray(value) ? (value as ReportInput | null) : null
  } catch {
    return null
  }
}
