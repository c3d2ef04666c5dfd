const ZONED = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:[Zz]|[+-]\d\d:?\d\d)$/
/** Before it there were no such trainings: that is a clock that counts from the start of its machine. */
const FIRST_TIME = Date.parse('2000-01-01T00:00:00Z')
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z')
/** Seconds since 1970 stay below it until the year 5138; milliseconds have been above since 1973. */
const SMALLEST_MS = 1e11

/**
 * A trainer's time in RFC 3339: of a text with a zone, or of seconds or milliseconds since 1970. A text without a zone, as
 * Python's `datetime.now().isoformat()` writes it, may be any hour.
 *
 * @returns null where it is not known
 */
export function timeOf(given: unknown): string | null {
  const time = msOf(given)
  return time >= FIRST_TIME && time <= LAST_TIME ? new Date(time).toISOString() : null
}

function msOf(given: unknown): number {
  if (typeof given === 'number') return ofNumber(given)
  if (typeof given !== 'string') return Number.NaN
  return isNumber(given) ? ofNumber(Number(given)) : ofText(given)
}

const isNumber = (text: string): boolean => /^\d+(\.\d+)?$/.test(text)

function ofText(text: string): number {
  if (!ZONED.test(text)) return Number.NaN
  // As Python's %z has it.
  return Date.parse(text.replace(',', '.').replace(/([+-]\d\d)(\d\d)$/, '$1:$2'))
}

const ofNumber = (value: number): number => Math.round(value < SMALLEST_MS ? value * 1000 : value)
