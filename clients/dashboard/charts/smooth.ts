/**
 * An exponential moving average that does not begin at zero: each value weighs `1 - weight`, those before it `weight` times as much
 * as at their own place, and the first few are scaled by what they have in all. Gaps stay gaps.
 *
 * @param weight from 0 (nothing) to below 1
 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  let sum = 0
  let total = 0
  return values.map((value) => {
    if (value === null) return null
    sum = sum * weight + value * (1 - weight)
    total = total * weight + (1 - weight)
    return sum / total
  })
}
