import { isUsableText } from '../../schema/validation.ts'
import { quote } from '../../task/errors.ts'
import { LIMITS } from '../../task/limits.ts'
import type { Metrics, MetricValue } from '../../task/task.ts'
import { isUpTo } from '../../task/text.ts'
import { metricOf } from './metric-text.ts'

export type Fields = Readonly<Record<string, unknown>>

const MAX_NESTING = 8

/** Says what is left out; the words are made only where they are told, as there may be very many of them. */
export type Warn = (words: () => string) => void

/** Numbers by their names, of maps within as a/b. What is no number is left out, and must not take the others with it. */
export function metricsOf(values: Fields, place: string, warn: Warn): Metrics {
  const metrics: [string, MetricValue][] = []
  let others = 0
  const add = (within: Fields, prefix: string, depth: number) => {
    for (const [name, value] of Object.entries(within)) {
      if (value === null) continue
      const full = prefix + name
      const metric = metricValue(value)
      if (isObject(value) && depth < MAX_NESTING) add(value, `${full}/`, depth + 1)
      else if (metric === null)
        warn(() => `${place} has ${quote(full)}: ${quote(value)}, which is no number and was left out`)
      else if (!isUsableName(full))
        warn(() => `the metric ${quote(full)} has no usable name and was left out`)
      // Each has the names of the maps around it in front: a message would be a hundred times as long.
      else if (metrics.length >= LIMITS.metricsLookedAt) others++
      else metrics.push([full, metric])
    }
  }
  add(values, '', 0)
  if (others > 0)
    warn(() => `${place} has ${others} metrics beyond ${LIMITS.metricsLookedAt}, which were left out`)
  return Object.fromEntries(metrics)
}

/** Its length first: all names of a map within begin with that of the map, however long it is. */
const isUsableName = (name: string): boolean =>
  name !== '' && name !== '__proto__' && isUpTo(name, LIMITS.metricNameLength) && isUsableText(name)

export function metricValue(value: unknown): MetricValue | null {
  if (typeof value === 'boolean') return Number(value)
  if (typeof value === 'string') return metricOf(value)
  if (typeof value !== 'number') return null
  return Number.isFinite(value) ? value : value > 0 ? 'Infinity' : '-Infinity'
}

export const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
