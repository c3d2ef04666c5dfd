import type { TaskSummaryFragment } from '../../typescript/index.ts'

export type MetricValue = number | 'NaN' | 'Infinity' | '-Infinity'

/** Beyond, a double has no more to tell. */
const MAX_DIGITS = 16
const DIGITS = 4
const SCALES = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
] as const

/** As many digits as tell a value from one that is so far away, and no fewer than are wanted anyway. */
export function digitsFor(value: number, distance: number, least = DIGITS): number {
  const more = distance > 0 ? exponentOf(value) - exponentOf(distance) + 1 : 0
  return Math.min(MAX_DIGITS, Math.max(least, value === 0 || !Number.isFinite(more) ? 0 : more))
}

const exponentOf = (value: number) => Math.floor(Math.log10(Math.abs(value)))

/** A number for people: four digits that matter, more where values differ by less; whole ones as they are up to a billion. */
export function formatNumber(
  value: MetricValue | null | undefined,
  distance = Number.POSITIVE_INFINITY,
): string {
  if (value == null) return '–'
  if (typeof value === 'string') return value === 'NaN' ? 'NaN' : value === 'Infinity' ? '∞' : '−∞'
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return value.toLocaleString('en')
  return written([value], () => digitsFor(value, distance))[0] as string
}

/** A step, an epoch, or how many there are: whole, and with the fraction that epochs may have. */
export const formatCount = (count: number | null | undefined): string =>
  count == null ? '–' : count.toLocaleString('en', { maximumFractionDigits: count < 1 ? 6 : 4 })

/** All labels of one axis in the same form, each unlike the others. */
export function formatTicks(ticks: readonly number[]): string[] {
  const distance = distanceOf(ticks)
  if (!Number.isFinite(distance)) return ticks.map((tick) => formatNumber(tick))
  // What fractions leave of 0 when they are added up is 0; distances such as 2.5 have a digit more than their size tells.
  const exact = ticks.map((tick) => (Math.abs(tick) < distance / 2 ? 0 : tick))
  return written(exact, (tick) => digitsFor(tick, distance, 1) + 1)
}

/** Between two that are next to each other. */
export function distanceOf(ticks: readonly number[]): number {
  const distances = ticks.slice(1).map((tick, index) => Math.abs(tick - (ticks[index] as number)))
  return Math.min(...distances.filter((distance) => distance > 0))
}

/** Numbers beside each other, in the form that the largest of them asks for. */
function written(values: readonly number[], digitsOf: (value: number) => number): string[] {
  const largest = Math.max(0, ...values.map(Math.abs))
  const write = (form: (value: number, digits: number) => string) =>
    values.map((value) => (value === 0 ? '0' : form(value, digitsOf(value))))
  if (largest !== 0 && (largest < 1e-3 || largest >= 1e15)) return write(power)
  const whole = write(plain)
  const scale = SCALES.find(([scale]) => largest >= scale)
  if (!scale) return whole
  const scaled = write((value, digits) => `${significant(value / scale[0], digits)}${scale[1]}`)
  return longest(scaled) < longest(whole) ? scaled : whole
}

const longest = (texts: readonly string[]) => Math.max(...texts.map(({ length }) => length))

const significant = (value: number, digits: number) =>
  value.toLocaleString('en', { maximumSignificantDigits: digits })

/** Digits before the point are not rounded away: zeros would stand in their places. */
const plain = (value: number, digits: number) => significant(value, Math.max(digits, exponentOf(value) + 1))

const power = (value: number, digits: number) =>
  value
    .toExponential(digits - 1)
    .replace(/\.?0*e/, 'e')
    .replace('e+', 'e')

export const formatPercent = (percent: number | null | undefined): string =>
  percent == null ? '' : `${percent >= 99.95 || percent === 0 ? percent.toFixed(0) : percent.toFixed(1)} %`

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const

/** Times are told as exactly as such a part of their distance. */
const ACCURACY = 8

/** The two largest units of a time, such as `3h 12m`; smaller ones, too, where times differ by less. */
export function formatDuration(seconds: number, distance = Number.POSITIVE_INFINITY): string {
  const places = distance < 1 ? Math.min(6, 1 + Math.ceil(-Math.log10(distance))) : 0
  const rounded = (time: number) => Number(time.toFixed(places))
  let rest = rounded(Math.max(0, seconds))
  if (rest === 0) return seconds > 0 && places === 0 ? '<1s' : '0s'
  const first = UNITS.findIndex(([, size]) => rest >= size || size === 1)
  const parts: string[] = []
  for (const [index, [unit, size]] of UNITS.entries()) {
    const isFine = index > first + 1 && (UNITS[index - 1]?.[1] ?? 0) <= distance / ACCURACY
    if (index < first || isFine) continue
    const count = size === 1 ? rest : Math.floor(rest / size)
    rest = rounded(rest - count * size)
    if (count > 0) parts.push(`${count}${unit}`)
  }
  return parts.join(' ')
}

/** How long ago; `now` within a few seconds. */
export function formatAge(timestamp: string, now: number): string {
  const seconds = (now - Date.parse(timestamp)) / 1000
  if (seconds < 5) return 'now'
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? UNITS[3]
  return `${Math.floor(seconds / size)}${unit} ago`
}

export const formatTime = (timestamp: string): string =>
  new Date(timestamp).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

export const formatDate = (timestamp: string): string =>
  new Date(timestamp).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })

type Summary = Pick<
  TaskSummaryFragment,
  | 'name'
  | 'trainer'
  | 'id'
  | 'machineId'
  | 'epoch'
  | 'totalEpochs'
  | 'round'
  | 'totalRounds'
  | 'current'
  | 'total'
>

/** What people call it; what it trains, and the beginning of its id, where nobody gave it a name. */
export const nameOf = ({ name, trainer, id }: Pick<Summary, 'name' | 'trainer' | 'id'>): string =>
  name ?? `${trainer ?? 'run'} ${id.slice(0, 8)}`

/** How far it is, by the coarsest that it counts. */
export function placeOf(task: Summary): string | null {
  const { round, totalRounds, epoch, totalEpochs, current, total } = task
  if (round != null) return `round ${formatCount(round)}${of(totalRounds)}`
  if (epoch != null) return `epoch ${formatCount(epoch)}${of(totalEpochs)}`
  return current == null ? null : `step ${formatCount(current)}${of(total)}`
}

const of = (total: number | null | undefined) => (total == null ? '' : ` of ${formatCount(total)}`)
