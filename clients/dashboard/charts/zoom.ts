/** The part of its axis that a chart shows. */
export interface Zoom {
  readonly min: number
  readonly max: number
}

type Pair = readonly [number, number]

/** Fingers that are closer to each other tell no scale. */
const MIN_APART = 16
/** Of the whole, what can be looked at by itself. */
const MIN_PART = 1e-6

/**
 * What is shown where fingers hold two values and have moved to two places, in pixels from the left; null where they are
 * too close to each other.
 */
export function pinched([first, second]: Pair, [left, right]: Pair, width: number): Zoom | null {
  if (Math.abs(right - left) < MIN_APART) return null
  const perPixel = (second - first) / (right - left)
  // Fingers that have passed each other would turn it round.
  if (!(perPixel > 0)) return null
  const min = first - left * perPixel
  return { min, max: min + width * perPixel }
}

/** So many times as much, where a value stays in its place. */
export const scaled = ({ min, max }: Zoom, value: number, factor: number): Zoom => ({
  min: value - (value - min) * factor,
  max: value + (max - value) * factor,
})

/** Moved to where there is something, as wide as it was if there is so much; null where that is all. */
export function clamped({ min, max }: Zoom, whole: Zoom): Zoom | null {
  const all = whole.max - whole.min
  const width = Math.max(max - min, all * MIN_PART)
  if (width >= all * (1 - MIN_PART)) return null
  const from = Math.max(whole.min, Math.min(min, whole.max - width))
  return { min: from, max: from + width }
}
