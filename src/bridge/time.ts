const DATE_TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/i

/** Above it, a number of seconds would be after the year 5138; publishers in JavaScript count milliseconds. */
const MAX_SECONDS = 1e11
const [FIRST_TIME, LAST_TIME] = [Date.parse('0000-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')]

/**
 * When a publisher says that something happened: ISO 8601, as Python's `isoformat` writes it, or a number of seconds or
 * milliseconds since 1970. A time without a zone counts as UTC.
 *
 * @returns RFC 3339 in UTC; undefined where it is no time
 */
export function timeOf(value: unknown): string | undefined {
  const time = typeof value === 'number' ? (value < MAX_SECONDS ? value * 1000 : value) : parsed(value)
  return time >= FIRST_TIME && time <= LAST_TIME ? new Date(time).toISOString() : undefined
}

function parsed(value: unknown): number {
  if (typeof value !== 'string') return Number.NaN
  const [, date, time, fraction = '', zone = 'Z'] = DATE_TIME.exec(value) ?? []
  if (!date || !isDay(date)) return Number.NaN
  return Date.parse(`${date}T${time}${fraction}${zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2').toUpperCase()}`)
}

/** Date.parse takes 30 February for a day in March. */
function isDay(date: string): boolean {
  const time = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date)
}
