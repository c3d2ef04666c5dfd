import type { MetricValue } from '../options.ts'

export const isNotFinite = (value: MetricValue): boolean => typeof value === 'string'

/** Four significant digits, without an exponent where a reader can do without; `NaN` as it is. */
export function formatMetric(value: MetricValue): string {
  if (typeof value === 'string' || Number.isInteger(value)) return String(value)
  const size = Math.abs(value)
  if (size >= 10_000) return String(Math.round(value))
  if (size < 0.0001) return value.toExponential(2)
  return String(Number(value.toPrecision(4)))
}

/**
 * Which epoch of how many, counted from one whatever number the trainer gives to its first: `1/10` … `10/10`. A fraction is
 * how many are done, for which two digits are enough: `2.5/10`, `0.33`.
 */
export function formatEpoch({ epoch, firstEpoch, totalEpochs }: EpochPlace): string {
  if (epoch == null) return ''
  const place = Number.isInteger(epoch) ? epoch - firstEpoch + 1 : Number(epoch.toFixed(2))
  return totalEpochs ? `${Math.min(place, totalEpochs)}/${totalEpochs}` : String(place)
}

interface EpochPlace {
  readonly epoch?: number | null
  readonly firstEpoch: number
  readonly totalEpochs?: number | null
}

/** `0.8s`, `42s`, `3m 05s`, `2h 07m`, `3d 4h`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${Math.max(0, Math.floor(seconds * 10) / 10)}s`
  const whole = Math.floor(seconds)
  if (whole < 60) return `${whole}s`
  const pad = (value: number) => String(value).padStart(2, '0')
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h ${pad(Math.floor((whole % 3600) / 60))}m`
  return `${Math.floor(whole / 86_400)}d ${Math.floor((whole % 86_400) / 3600)}h`
}
