import { EpochcastError, quote } from '../../task/errors.ts'

/**
 * A whole number of a query string; null where it is not given.
 *
 * @throws EpochcastError BAD_INPUT
 */
export function wholeParam(search: URLSearchParams, name: string, min: number, max: number): number | null {
  const text = search.get(name)
  if (text === null) return null
  const value = Number(text)
  if (/^\d{1,9}$/.test(text) && value >= min && value <= max) return value
  throw new EpochcastError(
    'BAD_INPUT',
    `${name} is ${quote(text)}; expected a whole number from ${min} to ${max}`,
  )
}
