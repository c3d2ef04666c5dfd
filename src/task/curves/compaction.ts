import type { SegmentInfo } from './curve-index.ts'

/** Newest segments that keep all of their points as long as anything else can be merged. */
const KEPT_WHOLE = 4
/** Segments that become one. */
export const MERGED_AT_ONCE = 6

/**
 * Which segments to merge next, where curves take too much room: the oldest of those that were merged least, of which there
 * are as many as are merged together, if there are so many of any. So a part is the coarser the older it is, and the newest
 * ones keep every point. A single segment is merged with itself, which thins it.
 *
 * @param segments oldest first
 */
export function segmentsToMerge(segments: readonly SegmentInfo[]): readonly SegmentInfo[] {
  for (const kept of [KEPT_WHOLE, 1, 0]) {
    const candidates = segments.slice(0, Math.max(0, segments.length - kept))
    const group = oldestOfLowestLevel(candidates)
    if (group.length > 1) return group
  }
  return segments.slice(0, 1)
}

function oldestOfLowestLevel(candidates: readonly SegmentInfo[]): readonly SegmentInfo[] {
  const levels = [...new Set(candidates.map(({ level }) => level))].sort((a, b) => a - b)
  const groups = levels.map((level) => {
    const first = candidates.findIndex((segment) => segment.level === level)
    const group = candidates.slice(first, first + MERGED_AT_ONCE)
    const end = group.findIndex((segment) => segment.level !== level)
    return end < 0 ? group : group.slice(0, end)
  })
  // What is merged together gives the more room for the same work.
  const whole = groups.find(({ length }) => length === MERGED_AT_ONCE)
  return whole ?? groups.find(({ length }) => length > 1) ?? candidates.slice(0, 2)
}
