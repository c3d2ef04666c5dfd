/** What thinning looks at. */
export interface Point {
  readonly step: number
  readonly value: number | 'NaN' | 'Infinity' | '-Infinity'
}

/** Of a bucket: the lowest, the highest and the first of each kind that is not finite. */
const MOST_PER_BUCKET = 5
/** First and last, and one bucket. */
export const LEAST_POINTS = MOST_PER_BUCKET + 2
/** With fewer than this part of what they may have, points lie so unevenly that equal widths serve badly. */
const BADLY_USED = 0.4

/**
 * At most `max` of the points, in their order, without which a chart would tell something else: the first and the last,
 * and of each of many buckets of equal width the lowest, the highest and the first NaN, Infinity and -Infinity. Repeated,
 * it keeps the same ones, so a spike is never lost. Where most buckets of equal width would be empty, the room that is left
 * goes to buckets of equally many points.
 *
 * @param points by step
 * @param max at least 7
 */
export function thinPoints<P extends Point>(points: readonly P[], max: number): readonly P[] {
  const { length } = points
  if (length <= max) return points
  const first = (points[0] as P).step
  const width = (points[length - 1] as P).step - first
  const byWidth = (at: number) => ((points[at] as P).step - first) / width
  const byCount = (at: number) => at / length
  const chosen = width > 0 ? chooseUpTo(points, max, byWidth) : new Set<number>()
  const left = max - chosen.size
  if (chosen.size < BADLY_USED * max && left >= LEAST_POINTS) {
    for (const at of chooseUpTo(points, left, byCount)) chosen.add(at)
  }
  return [...chosen].sort((a, b) => a - b).map((at) => points[at] as P)
}

function chooseUpTo(points: readonly Point[], max: number, place: (at: number) => number): Set<number> {
  for (let buckets = Math.floor((max - 2) / 2); buckets > 1; buckets = Math.floor(buckets * 0.8)) {
    const chosen = chooseOf(points, (at) => Math.min(buckets - 1, Math.floor(place(at) * buckets)))
    if (chosen.size <= max) return chosen
  }
  return chooseOf(points, () => 0)
}

/** @param bucketOf never decreases */
function chooseOf(points: readonly Point[], bucketOf: (at: number) => number): Set<number> {
  const chosen = new Set([0, points.length - 1])
  let bucket = -1
  let kept = new Map<string, number>()
  const close = () => {
    for (const at of kept.values()) chosen.add(at)
    kept = new Map()
  }
  for (let at = 0; at < points.length; at++) {
    const next = bucketOf(at)
    if (next !== bucket) close()
    bucket = next
    const { value } = points[at] as Point
    if (typeof value === 'string') {
      if (!kept.has(value)) kept.set(value, at)
      continue
    }
    const low = kept.get('low')
    const high = kept.get('high')
    if (low === undefined || value < Number((points[low] as Point).value)) kept.set('low', at)
    if (high === undefined || value > Number((points[high] as Point).value)) kept.set('high', at)
  }
  close()
  return chosen
}
