/** What a trainer counts, from the finest to the coarsest. */
export type ProgressUnit = 'step' | 'epoch' | 'round'

/**
 * How fast a task goes on, by what was seen of its present attempt: progress after its first report, and the time that
 * took by the server's clock. Both are sums that fade, so that neither a slow start nor a pause is remembered forever.
 */
export interface Pace {
  readonly unit: ProgressUnit
  /** When the first report of it came. */
  readonly since: number
  /** When it last went on, and how far it was then. */
  readonly at: number
  readonly done: number
  readonly gained: number
  readonly spentMs: number
  /** What is left of the newest gain; what else comes at the same time counts as much. */
  readonly kept: number
}

export type DraftPace = { -readonly [Name in keyof Pace]: Pace[Name] }

/** What lies further back than this, or than a quarter of the time so far where that is longer, counts little. */
const MEMORY_MS = 60_000
const MEMORY_SHARE = 0.25
/** Clocks of several servers differ a little; one that goes back further was set. */
const CLOCK_SET_BACK_MS = 10_000

/** Called for every report of progress. */
export function trackPace(
  draft: { pace?: DraftPace | null },
  unit: ProgressUnit,
  done: number,
  at: number,
): void {
  const { pace } = draft
  const goesOn = pace != null && pace.unit === unit && done >= pace.done && at >= pace.at - CLOCK_SET_BACK_MS
  if (!goesOn) {
    draft.pace = { unit, since: at, at, done, gained: 0, spentMs: 0, kept: 1 }
    return
  }
  if (done === pace.done) return
  // What came with the first report was made before it, in a time that nobody saw.
  if (at > pace.since) {
    if (at > pace.at) fade(pace, at)
    pace.gained += (done - pace.done) * pace.kept
  }
  pace.done = done
}

function fade(pace: DraftPace, at: number): void {
  const elapsed = at - pace.at
  const memory = Math.max(MEMORY_MS, (at - pace.since) * MEMORY_SHARE)
  // exp(-elapsed / memory), as near as it needs to be; a long pause weighs no more than the memory is long.
  const kept = memory / (memory + elapsed)
  pace.gained *= kept
  pace.spentMs = (pace.spentMs + elapsed) * kept
  pace.kept = kept
  pace.at = at
}

/** Time left at a pace until `total`, as of `now`; null while nothing was gained yet. */
export function msLeft({ at, done, gained, spentMs }: Pace, total: number, now: number): number | null {
  if (gained <= 0 || spentMs <= 0) return null
  const left = (total - done) * (spentMs / gained) - Math.max(0, now - at)
  return Number.isFinite(left) ? Math.max(0, left) : null
}
