import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { ReportInput } from '../typescript/index.ts'
import { inexactNumbers, inexactProblem } from './exact-numbers.ts'
import { REPORT_FIELDS } from './report-kinds.ts'
import { UsageError } from './session.ts'

/** What the API takes in one call. */
const MAX_BATCH_REPORTS = 1000
const MAX_BATCH_CHARACTERS = 250_000

/** What becomes of lines that are not sent, each told in its place between the batches. */
export interface OtherLines {
  /** No report: a plain print of the trainer must neither end the reporting nor break its pipe. */
  passOn(line: string): void
  /** A report that would not arrive as it was written. */
  refuse(problem: string): void
}

export interface LineBatch {
  readonly reports: readonly ReportInput[]
  /** Of their lines. */
  readonly characters: number
}

/**
 * Reads one report a line, and gives what has come in since the last batch was taken: single reports
 * from a slow trainer at once, large batches from a fast one. Reading pauses while a batch's worth waits.
 */
export async function* reportBatches(
  input: Readable,
  signal: AbortSignal,
  others: OtherLines,
): AsyncGenerator<LineBatch, void, undefined> {
  const reader = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  const waiting: string[] = []
  let ended = false
  let wake = () => {}
  const end = () => {
    ended = true
    wake()
  }
  let failure: Error | undefined
  let isFirst = true
  // Of the source as of the reader: readline passes it on, and an error without a listener ends the process.
  reader.on('error', (error: Error) => {
    failure = error
    end()
  })
  reader.on('line', (line) => {
    // Windows puts a byte order mark in front of what is piped.
    waiting.push(isFirst ? line.replace(/^\ufeff/, '') : line)
    isFirst = false
    if (waiting.length >= MAX_BATCH_REPORTS) reader.pause()
    wake()
  })
  reader.once('close', end)
  signal.addEventListener('abort', end)
  try {
    for (;;) {
      signal.throwIfAborted()
      const batch: ReportInput[] = []
      let characters = 0
      while (batch.length < MAX_BATCH_REPORTS) {
        const [line] = waiting
        if (line === undefined || (characters > 0 && characters + line.length > MAX_BATCH_CHARACTERS)) break
        const report = line.trim() === '' ? undefined : parseReport(line)
        const problem = report ? problemOf(report, line) : null
        if (batch.length > 0 && (report === null || problem !== null)) break
        if (report === null) others.passOn(line)
        if (problem !== null) others.refuse(problem)
        waiting.shift()
        characters += line.length
        if (report && problem === null) batch.push(report)
      }
      if (batch.length > 0) {
        yield { reports: batch, characters }
      } else if (waiting.length === 0) {
        if (failure) throw new UsageError(`the reports cannot be read: ${failure.message}`)
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

const KINDS = new Set<string>(REPORT_FIELDS)

/** Null where it is none: an object of nothing but kinds of reports. The numbers that are not finite may stand bare, as Python's json writes them. */
function parseReport(line: string): ReportInput | null {
  try {
    const quoted = line.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/g, (token) =>
      token.startsWith('"') ? token : `"${token}"`,
    )
    const value: unknown = JSON.parse(quoted)
    if (typeof value !== 'object' || value === null) return null
    const kinds = Object.keys(value)
    return kinds.length > 0 && kinds.every((kind) => KINDS.has(kind)) ? (value as ReportInput) : null
  } catch {
    return null
  }
}

/** Measured numbers are rounded, as doubles were before; those of a result are not, and none may become infinite. */
function problemOf(report: ReportInput, line: string): string | null {
  const isResult = 'success' in report
  const inexact = inexactNumbers(line).find((number) => isResult || !Number.isFinite(Number(number)))
  return inexact === undefined ? null : inexactProblem(inexact)
}
