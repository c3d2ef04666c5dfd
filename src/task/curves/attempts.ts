/*
 * Points of one series in the order of their events, so their attempts never decrease.
 */

/**
 * Leaves out what a later attempt reported again: of an attempt, all points from the lowest step on that any later
 * attempt reached, so that a curve never folds back on itself.
 *
 * @returns the positions of the points that stay, or null where all of them do
 */
export function withoutReplaced(steps: Float64Array, attempts: Uint32Array): Uint32Array | null {
  const { length } = steps
  if (length === 0 || attempts[0] === attempts[length - 1]) return null
  const staying = new Uint32Array(length)
  let from = length
  let attempt = attempts[length - 1]
  /** The lowest step of all later attempts. */
  let cut = Number.POSITIVE_INFINITY
  /** And with this one. */
  let lowest = Number.POSITIVE_INFINITY
  for (let i = length - 1; i >= 0; i--) {
    if (attempts[i] !== attempt) {
      attempt = attempts[i]
      cut = lowest
    }
    const step = steps[i] as number
    if (step < cut) staying[--from] = i
    if (step < lowest) lowest = step
  }
  return from === 0 ? null : staying.subarray(from)
}

/** The position of each attempt's lowest step: what `withoutReplaced` goes by, so thinning must keep them. */
export function attemptStarts(steps: Float64Array, attempts: Uint32Array): Uint32Array {
  const starts: number[] = []
  for (let i = 0; i < steps.length; i++) {
    const start = starts.at(-1)
    if (start === undefined || attempts[start] !== attempts[i]) starts.push(i)
    else if ((steps[i] as number) < (steps[start] as number)) starts[starts.length - 1] = i
  }
  return Uint32Array.from(starts)
}
