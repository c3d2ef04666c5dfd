/** What a number takes as text, about; it is not written for this. */
const NUMBER_CHARACTERS = 8

/**
 * About how many characters a value has as JSON, without writing it: what is held once may be written many times.
 *
 * @param max of which more need not be told apart: then the rest is not looked at
 */
export const textSize = (value: unknown, max: number): number => max - less(value, max)

/** What is left of so many characters after a value; less than nothing where it does not fit. */
function less(value: unknown, left: number): number {
  if (typeof value === 'string') return left - value.length - 2
  if (typeof value !== 'object' || value === null) return left - NUMBER_CHARACTERS
  let rest = left - 2
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length && rest >= 0; i++) rest = less(value[i], rest - 1)
    return rest
  }
  for (const key in value) {
    if (rest < 0) break
    rest = less((value as Readonly<Record<string, unknown>>)[key], rest - key.length - 4)
  }
  return rest
}
