import type { TaskSummaryFragment } from '../../typescript/index.ts'

export type MetricValue = number | 'NaN' | 'Infinity' | '-Infinity'

/** A number for people: four digits that matter. */
export function formatNumber(value: MetricValue | null | undefined): string {
  if (value == null) return '–'
  if (typeof value === 'string') return value === 'NaN' ? 'NaN' : value === 'Infinity' ? '∞' : '−∞'
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2).replace(/\.?0*e\+?/, 'e')
  if (Number.isInteger(value)) return value.toLocaleString('en')
  return String(Number(value.toPrecision(4)))
}

export const formatPercent = (percent: number | null | undefined): string =>
  percent == null ? '' : `${percent >= 99.95 || percent === 0 ? percent.toFixed(0) : percent.toFixed(1)} %`

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const

/** The two largest units of a time, such as `3h 12m`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole === 0) return seconds > 0 ? '<1s' : '0s'
  const first = UNITS.findIndex(([, size]) => whole >= size)
  const [unit, size] = UNITS[first] as (typeof UNITS)[number]
  const rest = UNITS[first + 1]
  const more = rest ? Math.floor((whole % size) / rest[1]) : 0
  return `${Math.floor(whole / size)}${unit}${rest && more > 0 ? ` ${more}${rest[0]}` : ''}`
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
  if (round != null) return `round ${formatNumber(round)}${of(totalRounds)}`
  if (epoch != null) return `epoch ${formatNumber(epoch)}${of(totalEpochs)}`
  return current == null ? null : `step ${formatNumber(current)}${of(total)}`
}

const of = (total: number | null | undefined) => (total == null ? '' : ` of ${formatNumber(total)}`)
