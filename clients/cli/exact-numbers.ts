/*
 * JavaScript reads every number as a double, and would send what it makes of 12345678901234567890. The server refuses such
 * numbers where it sees them (`JSON` in schema.graphql); of what is written on a command line only this program does.
 */

const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/gs

/** The numbers of a JSON text that a double does not hold. */
export function inexactNumbers(text: string): string[] {
  const tokens = [...text.matchAll(STRING_OR_NUMBER)].map(([token]) => token)
  return tokens.filter((token) => !token.startsWith('"') && !isExact(token))
}

/** What is wrong with it, and what to write instead. */
export const inexactProblem = (number: string): string =>
  `${number} would become ${Number(number)} as a JSON number; give it as a string: "${number}"`

/** Fractions are rounded by every reader of JSON; whole numbers are not, and nothing may become 0 or infinite. */
export function isExact(text: string): boolean {
  const value = Number(text)
  const written = decimalOf(text)
  if (written.digits === '') return true
  if (value === 0 || !Number.isFinite(value)) return false
  if (written.exponent < 0 || Number.isSafeInteger(value)) return true
  if (isSame(decimalOf(String(value)), written)) return true
  // With a point or an exponent it is a double already: as many of its digits as its writer took.
  const isDouble = /[.eE]/.test(text)
  const digits = Math.min(written.digits.length, MAX_PRECISION)
  return isDouble && isSame(decimalOf(value.toPrecision(digits)), written)
}

/** Of `Number.toPrecision`. */
const MAX_PRECISION = 100

/** digits × 10^exponent, without zeros at either end of the digits. */
interface Decimal {
  readonly digits: string
  readonly exponent: number
}

function decimalOf(text: string): Decimal {
  const [, whole = '', fraction = '', power = '0'] =
    /^-?(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const all = (whole + fraction).replace(/^0+/, '')
  let end = all.length
  while (all[end - 1] === '0') end--
  return { digits: all.slice(0, end), exponent: Number(power) - fraction.length + all.length - end }
}

const isSame = (a: Decimal, b: Decimal): boolean => a.digits === b.digits && a.exponent === b.exponent
