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
 * Cuts points into buckets: of equal width in their steps, as the columns of a chart are, or, without steps, of equally
 * many points. Series whose points have the same steps share one, as it remembers where it cut last.
 */
export class Buckets {
  readonly steps: Float64Array | null
  #ends: Uint32Array | null = null
  #count = 0
  #length = 0

  /** @param steps ascending; null for buckets of equally many points */
  constructor(steps: Float64Array | null) {
    this.steps = steps
  }

  /** The position after each bucket of the first so many points; empty ones are left out. */
  ends(length: number, count: number): Uint32Array {
    if (this.#ends === null || count !== this.#count || length !== this.#length) {
      this.#ends = this.steps ? endsOfEqualWidth(this.steps, length, count) : endsOfEqualCount(length, count)
      this.#count = count
      this.#length = length
    }
    return this.#ends
  }
}

function endsOfEqualCount(length: number, count: number): Uint32Array {
  const ends = new Uint32Array(Math.min(length, count))
  let used = 0
  for (let bucket = 1, last = 0; last < length; bucket++) {
    const end = Math.floor((bucket * length) / count)
    if (end > last) ends[used++] = end
    last = end
  }
  return ends.subarray(0, used)
}

function endsOfEqualWidth(steps: Float64Array, length: number, count: number): Uint32Array {
  const firstStep = steps[0] ?? 0
  const width = ((steps[length - 1] ?? 0) - firstStep) / count
  // Steps that are all the same have no width to be cut.
  if (!(width > 0)) return endsOfEqualCount(length, count)
  const ends = new Uint32Array(Math.min(length, count))
  let used = 0
  for (let bucket = 1, end = 0; end < length; bucket++) {
    bucket = Math.max(bucket, Math.floor(((steps[end] as number) - firstStep) / width) + 1)
    const limit = bucket >= count ? Number.POSITIVE_INFINITY : firstStep + bucket * width
    end++
    while (end < length && (steps[end] as number) < limit) end++
    ends[used++] = end
  }
  return ends.subarray(0, used)
}

const OF_EQUALLY_MANY = new Buckets(null)

/**
 * Where positions are chosen into: the best choice so far, and the next try. It is done for every series of every segment, and
 * memory off the heap costs more to allocate than to fill.
 */
const scratch: [Uint32Array, Uint32Array] = [new Uint32Array(1024), new Uint32Array(1024)]

/**
 * Chooses at most `max` points that a chart cannot do without, in their order: the first and the last, and of each of
 * many buckets the lowest and the highest finite value and the first of each kind that is not finite. So a spike of
 * one step and a loss that diverges are still to be seen.
 *
 * Where most buckets of equal width would be empty, what room is left goes to buckets of equally many points.
 *
 * @param max at least 7
 * @returns the positions of the chosen points, to be read before others are chosen
 */
export function choosePoints(values: Float64Array, buckets: Buckets, max: number): Uint32Array {
  const { length } = values
  if (length <= max) return Uint32Array.from({ length }, (_, i) => i)
  const found = chooseUpTo(values, buckets, max)
  const left = max - found.length
  if (!buckets.steps || found.length >= BADLY_USED * max || left < LEAST_CHOICE) return found
  const chosen = found.slice()
  // What buckets of equal width found stays, however few it is beside where points lie densely.
  const denser = chooseUpTo(values, OF_EQUALLY_MANY, left)
  return Uint32Array.from(new Set([...chosen, ...denser])).sort()
}

function chooseUpTo(values: Float64Array, buckets: Buckets, max: number): Uint32Array {
  let wanted = Math.floor((max - 2) / 2)
  let best: Uint32Array | undefined
  let tooMany = Number.POSITIVE_INFINITY
  let into: 0 | 1 = 0
  for (let tries = 1; ; tries++) {
    const chosen = chooseOfBuckets(values, buckets.ends(values.length, wanted), into)
    const count = chosen.length
    if (count > max) tooMany = wanted
    else if (count > (best?.length ?? 0)) {
      best = chosen
      into = into === 0 ? 1 : 0
    }
    // Buckets that are empty, or whose points are all alike, give fewer; those of several kinds give more.
    const fitting = Math.floor((wanted * (max - 2)) / count)
    wanted = count > max ? Math.max(1, Math.min(fitting, wanted - 1)) : Math.max(fitting, wanted + 1)
    const isUseless = wanted >= tooMany || wanted > values.length || tries >= MAX_TRIES
    if (best && (best.length >= WELL_USED * max || isUseless)) return best
  }
}

function chooseOfBuckets(values: Float64Array, ends: Uint32Array, into: 0 | 1): Uint32Array {
  const most = Math.min(values.length, ends.length * MOST_PER_BUCKET + 2)
  if (scratch[into].length < most) scratch[into] = new Uint32Array(2 * most)
  const chosen = scratch[into]
  let count = 0
  let start = 0
  for (let i = 0; i < ends.length; i++) {
    const end = ends[i] as number
    count = chooseOf(values, start, end, chosen, count)
    start = end
  }
  return chosen.subarray(0, count)
}

/** Adds the points to keep of one bucket, in order; returns how many there are now. */
function chooseOf(
  values: Float64Array,
  start: number,
  end: number,
  chosen: Uint32Array,
  count: number,
): number {
  let lowest = start
  let highest = start
  let low = values[start] as number
  let high = low
  // A value that is not finite makes the sum so.
  let sum = low
  for (let i = start + 1; i < end; i++) {
    const value = values[i] as number
    sum += value - value
    if (value < low) {
      low = value
      lowest = i
    } else if (value > high) {
      high = value
      highest = i
    }
  }
  if (sum - sum !== 0 || start === 0 || end === values.length)
    return chooseOfOdd(values, start, end, chosen, count)
  if (lowest === highest) {
    chosen[count] = lowest
    return count + 1
  }
  chosen[count] = Math.min(lowest, highest)
  chosen[count + 1] = Math.max(lowest, highest)
  return count + 2
}

/** As `chooseOf`, of a bucket that has values which are not finite, or is the first or the last. */
function chooseOfOdd(
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
  let added = count
  if (start === 0) added = insert(chosen, count, added, 0)
  added = insert(chosen, count, added, lowest)
  added = insert(chosen, count, added, highest)
  added = insert(chosen, count, added, nan)
  added = insert(chosen, count, added, plus)
  added = insert(chosen, count, added, minus)
  return end === values.length ? insert(chosen, count, added, end - 1) : added
}

/** Puts a position where it belongs among those from `from` to `end`, unless it is negative or there; returns their new end. */
function insert(chosen: Uint32Array, from: number, end: number, position: number): number {
  if (position < 0) return end
  let at = end
  while (at > from && (chosen[at - 1] as number) > position) at--
  if (at > from && chosen[at - 1] === position) return end
  for (let later = end; later > at; later--) chosen[later] = chosen[later - 1] as number
  chosen[at] = position
  return end + 1
}
