import type { ReportInput } from '../generated/graphql.ts'
import { REPORTER_LIMITS as LIMITS } from './limits.ts'
import type { Notices } from './notices.ts'

type MetricJson = number | 'NaN' | 'Infinity' | '-Infinity'
type MetricMap = Record<string, MetricJson>
type Fields = Record<string, unknown>

/** The text of a report as the API takes it: dated, and what is not finite as strings. */
export function reportText(kind: string, fields: Fields): string {
  return JSON.stringify({ [kind]: { timestamp: new Date().toISOString(), ...fields } }, finite)
}

/** The same of one that is an input already. */
export function inputText(report: ReportInput): string {
  for (const kind in report) {
    const fields = (report as Record<string, Fields | null | undefined>)[kind]
    if (fields) return reportText(kind, fields)
  }
  throw new TypeError('a report is empty; expected one kind')
}

const finite = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value)
    ? String(value)
    : typeof value === 'bigint'
      ? Number(value)
      : value

/** Reports of one kind with these metrics: several where there are many. */
export function withMetrics(
  kind: string,
  fields: Fields,
  metrics: Readonly<Record<string, MetricMap>>,
): string[] {
  const parts = Object.entries(metrics).map(([name, values]) => [name, partsOf(values)] as const)
  const count = Math.max(1, ...parts.map(([, all]) => all.length))
  return Array.from({ length: count }, (_, i) =>
    reportText(kind, { ...fields, ...Object.fromEntries(parts.map(([name, all]) => [name, all[i] ?? {}])) }),
  )
}

function partsOf(metrics: MetricMap): MetricMap[] {
  const entries = Object.entries(metrics)
  const parts: MetricMap[] = []
  for (let at = 0; at < entries.length; at += LIMITS.metricsPerReport)
    parts.push(Object.fromEntries(entries.slice(at, at + LIMITS.metricsPerReport)))
  return parts
}

/** Numbers by name: null is left out, of maps within they are named a/b, and what is no number is said and left out. */
export function metricsOf(values: unknown, notices: Notices): MetricMap {
  const metrics: MetricMap = {}
  const add = (within: object, prefix: string, depth: number) => {
    for (const [key, value] of Object.entries(within)) {
      if (value === null || value === undefined) continue
      const name = metricName(prefix + key)
      const metric = metricOf(value)
      if (metric !== null) metrics[name] = metric
      else if (isPlainObject(value) && depth < LIMITS.nesting) add(value, `${name}/`, depth + 1)
      else notices.say('no-number', `the metric "${name}" was left out: it is no single number`)
    }
  }
  if (typeof values === 'object' && values !== null) add(values, '', 0)
  return metrics
}

function metricOf(value: unknown): MetricJson | null {
  const plain = typeof value === 'object' && value !== null ? value.valueOf() : value
  if (typeof plain === 'number') {
    if (Number.isFinite(plain)) return plain
    return Number.isNaN(plain) ? 'NaN' : plain > 0 ? 'Infinity' : '-Infinity'
  }
  if (typeof plain === 'boolean' || typeof plain === 'bigint') return Number(plain)
  return plain === 'NaN' || plain === 'Infinity' || plain === '-Infinity' ? plain : null
}

const isPlainObject = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null)

/** Of a character that was cut. */
const HALF = /[\ud800-\udbff]$/

/** A name that a server takes. */
function metricName(name: string): string {
  const usable = name
    .replace(/[\p{Cc}\p{Cs}]/gu, '_')
    .slice(0, LIMITS.nameLength)
    .replace(HALF, '')
  return usable === '' || usable === '__proto__' ? '_' : usable
}

/** A whole number from 0 on; undefined, which JSON leaves out, where it is none. */
export function countOf(value: unknown): number | undefined {
  const number = Math.floor(Number(value ?? Number.NaN))
  return Number.isNaN(number) ? undefined : Math.min(Math.max(number, 0), Number.MAX_SAFE_INTEGER)
}

/** A number from 0 on, fractions included. */
export function fractionOf(value: unknown): number | undefined {
  const number = Number(value ?? Number.NaN)
  return Number.isFinite(number) && number >= 0 ? number : undefined
}

export const wordsUpTo = (value: unknown, max: number): string | undefined =>
  value === null || value === undefined ? undefined : String(value).slice(0, max)

const PHASES: Readonly<Record<string, 'TRAIN' | 'VAL' | 'TEST'>> = {
  ...{ train: 'TRAIN', training: 'TRAIN', fit: 'TRAIN' },
  ...{ val: 'VAL', valid: 'VAL', validation: 'VAL', validate: 'VAL', eval: 'VAL', evaluation: 'VAL' },
  ...{ test: 'TEST', testing: 'TEST' },
}

export function phaseOf(phase: unknown, notices: Notices): 'TRAIN' | 'VAL' | 'TEST' {
  const named = PHASES[String(phase).toLowerCase()]
  if (!named)
    notices.say(
      'phase',
      `the phase of an epoch is ${String(phase)}; expected train, val or test, so train is taken`,
    )
  return named ?? 'TRAIN'
}

/** Of a traceback the end says the most. */
export function errorFields(error: unknown, errorType?: string): Fields {
  const isError = error instanceof Error
  const words = isError ? (error.stack ?? error.message) : String(error)
  const type = errorType ?? (isError ? error.name : undefined)
  return { error: words.slice(-LIMITS.errorLength), errorType: wordsUpTo(type, LIMITS.errorTypeLength) }
}
