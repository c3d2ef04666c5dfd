import { EpochcastError } from '../task/errors.ts'
import { jsonBytes } from '../task/json.ts'
import { LIMITS } from '../task/limits.ts'
import type { Report, ReportKind } from '../task/report.ts'
import { charactersIn, cutToBeginning, cutToEnd, isUpTo } from '../task/text.ts'

export interface BoundReports {
  readonly reports: readonly Report[]
  /** What was cut or left out, and how. */
  readonly warnings: readonly string[]
}

/** More say no more than the first. */
export const MAX_WARNINGS = 20

type Cut = (text: string, max: number) => string
type TextFields = {
  readonly [Field in string]: { readonly max: number; readonly cut: Cut; readonly keeps: string }
}

const MESSAGE = { max: LIMITS.messageLength, cut: cutToBeginning, keeps: 'beginning' }
const FAILURE = {
  // Whatever a traceback says of the cause stands at its end.
  error: { max: LIMITS.errorLength, cut: cutToEnd, keeps: 'end' },
  errorType: { max: LIMITS.errorTypeLength, cut: cutToBeginning, keeps: 'beginning' },
}

/** The texts of each kind of report. */
const TEXTS: Partial<Record<ReportKind, TextFields>> = {
  progress: {
    message: MESSAGE,
    stage: { max: LIMITS.stageLength, cut: cutToBeginning, keeps: 'beginning' },
  },
  status: { message: MESSAGE },
  error: FAILURE,
  failure: FAILURE,
}

/**
 * Cuts texts that are too long, and marks them: an error that is too long must not leave its task running, nor a message
 * lose the metrics beside it.
 *
 * @throws EpochcastError RESULT_TOO_LARGE: half a result would be none
 */
export function boundReports(reports: readonly Report[]): BoundReports {
  const warnings: string[] = []
  let bound: Report[] | undefined
  for (const [i, report] of reports.entries()) {
    if (report.success?.result != null) refuseLargeResult(report.success.result, i)
    if (report.status?.status === 'SUCCESS' && report.status.message)
      warnings.push(
        `reports[${i}].status.message was left out: a success has a result, no message; send it with progress before`,
      )
    for (const kind in report) {
      const fields = TEXTS[kind as ReportKind]
      const cut = fields && boundTexts(report[kind as ReportKind], fields, `reports[${i}].${kind}`, warnings)
      if (!cut) continue
      bound ??= [...reports]
      bound[i] = { [kind]: cut } as Report
    }
  }
  const more = warnings.length - MAX_WARNINGS
  if (more > 0) warnings.splice(MAX_WARNINGS, more, `and ${more} more texts were cut or left out`)
  return { reports: bound ?? reports, warnings }
}

function refuseLargeResult(result: unknown, index: number): void {
  const bytes = jsonBytes(result)
  if (bytes <= LIMITS.resultBytes) return
  throw new EpochcastError(
    'RESULT_TOO_LARGE',
    `reports[${index}].success.result is ${bytes} bytes of JSON; expected at most ${LIMITS.resultBytes}. Nothing of the call was applied: report success without the result, or with where it is stored`,
    { details: { bytes, max: LIMITS.resultBytes } },
  )
}

/** A copy with shorter texts; null where none is too long. */
function boundTexts(given: unknown, fields: TextFields, where: string, warnings: string[]): object | null {
  let copy: Record<string, unknown> | null = null
  for (const field in fields) {
    const text = (given as Record<string, unknown> | null)?.[field]
    const { max, cut, keeps } = fields[field] as TextFields[string]
    if (typeof text !== 'string' || isUpTo(text, max)) continue
    copy ??= { ...(given as object) }
    copy[field] = cut(text, max)
    warnings.push(
      `${where}.${field} has ${charactersIn(text)} characters; its ${keeps} was kept, ${max} characters`,
    )
  }
  return copy
}
