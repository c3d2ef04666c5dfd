/** Of each bucket: the lowest, the highest, and the first of NaN, Infinity and -Infinity. */
const MOST_PER_BUCKET = 5
/** Tries to come close to the number of points asked for. */
const MAX_TRIES = 8
/** A choice with fewer points than this part of what it may have is tried again with more buckets. */
export const WELL_USED = 0.8
/** With fewer than this, points lie so unevenly that buckets of equal width alone serve badly. */
const BADLY_USED = 0.4
const LEAST_CHOICE = 7

/**
 * Chooses at most `max` points that a chart cannot do without, in their order: the first and the last, and of each of
 * many buckets the lowest and the highest finite value and the first of each kind that is not finite. So a spike of
 * one step and a loss that diverges are still to be seen.
 *
 * @param steps ascending; buckets are of equal width in them, as columns of a chart are; where most would be empty, what
 *   room is left goes to buckets of equally many points. Null for those alone
 * @param max at least 7
 * @returns the positions of the chosen points
 */
export function choosePoints(values: Float64Array, steps: Float64Array | null, max: number): Uint32Array {
  const { length } = values
  if (length <= max) return Uint32Array.from({ length }, (_, i) => i)
  const chosen = chooseUpTo(values, steps, max)
  const left = max - chosen.length
  if (!steps || chosen.length >= BADLY_USED * max || left < LEAST_CHOICE) return chosen
  // What buckets of equal width found stays, however few it is beside where points lie densely.
  const denser = chooseUpTo(values, null, left)
  return Uint32Array.from(new Set([...chosen, ...denser])).sort()
}

function chooseUpTo(values: Float64Array, steps: Float64Array | null, max: number): Uint32Array {
  let buckets = Math.floor((max - 2) / 2)
  let best: Uint32Array | undefined
  let tooMany = Number.POSITIVE_INFINITY
  for (let tries = 1; ; tries++) {
    const chosen = chooseOfBuckets(values, steps, buckets)
    const count = chosen.length
    if (count > max) tooMany = buckets
    else if (count > (best?.length ?? 0)) best = chosen
    // Buckets that are empty, or whose points are all alike, give fewer; those of several kinds give more.
    const fitting = Math.floor((buckets * (max - 2)) / count)
    buckets = count > max ? Math.max(1, Math.min(fitting, buckets - 1)) : Math.max(fitting, buckets + 1)
    const isUseless = buckets >= tooMany || buckets > values.length || tries >= MAX_TRIES
    if (best && (best.length >= WELL_USED * max || isUseless)) return best
  }
}

function chooseOfBuckets(values: Float64Array, steps: Float64Array | null, buckets: number): Uint32Array {
  const { length } = values
  const chosen = new Uint32Array(Math.min(length, buckets * MOST_PER_BUCKET + 2))
  const firstStep = steps?.[0] ?? 0
  const width = ((steps?.[length - 1] ?? 0) - firstStep) / buckets
  let count = 0
  let end = 0
  for (let bucket = 1; end < length; bucket++) {
    const start = end
    // Steps that are all the same have no width to be cut.
    if (steps && width > 0) {
      end++
      bucket = Math.max(bucket, Math.floor(((steps[start] as number) - firstStep) / width) + 1)
      const limit = bucket >= buckets ? Number.POSITIVE_INFINITY : firstStep + bucket * width
      while (end < length && (steps[end] as number) < limit) end++
    } else {
      end = Math.floor((bucket * length) / buckets)
    }
    if (end > start) count = chooseOf(values, start, end, chosen, count)
  }
  return chosen.slice(0, count)
}

/** Adds the points to keep of one bucket, in order; returns how many there are now. */
function chooseOf(
  values: Float64Array,
  start: number,
  end: number,
  chosen: Uint32Array,
  count: number,
): number {
  let [lowest, highest, nan, plus, minus] = [-1, -1, -1, -1, -1]
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  for (let i = start; i < end; i++) {
    const value = values[i] as number
    if (value - value === 0) {
      if (value < low) {
        low = value
        lowest = i
      }
      if (value > high) {
        high = value
        highest = i
      }
    } else if (value > 0) {
      if (plus < 0) plus = i
    } else if (value < 0) {
      if (minus < 0) minus = i
    } else if (nan < 0) nan = i
  }
  const from = count
  let added = count
  const add = (i: number) => {
    if (i < 0) return
    let at = added
    while (at > from && (chosen[at - 1] as number) > i) at--
    if (at > from && chosen[at - 1] === i) return
    for (let later = added; later > at; later--) chosen[later] = chosen[later - 1] as number
    chosen[at] = i
    added++
  }
  if (start === 0) add(0)
  add(lowest)
  add(highest)
  add(nan)
  add(plus)
  add(minus)
  if (end === values.length) add(end - 1)
  return added
}
