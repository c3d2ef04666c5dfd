/** Consecutive reports of one member, or of the run itself. */
export interface Batch {
  /** Number of its first report in the run: 1, 2, 3 … */
  readonly first: number
  readonly count: number
  readonly member: string | null
  /** A JSON array. */
  readonly reports: string
}

export const lastOf = ({ first, count }: Batch): number => first + count - 1

/** What of it comes after a report; null where that is nothing. */
export function restOf(batch: Batch, after: number): Batch | null {
  if (after < batch.first) return batch
  if (after >= lastOf(batch)) return null
  const reports = (JSON.parse(batch.reports) as unknown[]).slice(after + 1 - batch.first)
  return { ...batch, first: after + 1, count: reports.length, reports: JSON.stringify(reports) }
}
