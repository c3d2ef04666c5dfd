import { Kind, type ValueNode, valueFromASTUntyped } from 'graphql'
import { EpochcastError, type ErrorCode, quote } from '../task/errors.ts'
import { InexactNumber, isExact } from '../task/json.ts'
import { LIMITS } from '../task/limits.ts'
import { isCursor } from '../task/position.ts'
import type { Json, Metrics, MetricValue } from '../task/task.ts'
import { firstCharacters, isUpTo } from '../task/text.ts'
import { builder } from './builder.ts'
import { isUsableText } from './validation.ts'

function refuse(code: ErrorCode, message: string): never {
  throw new EpochcastError(code, message)
}

builder.scalarType('Cursor', {
  description:
    "Opaque position in one task's event log. Pass the last one you saw as `after` to resume: nothing is lost and nothing is repeated. A cursor belongs to one task.",
  serialize: (value) => value,
  parseValue: parseCursor,
})

function parseCursor(value: unknown): string {
  if (typeof value === 'string' && isCursor(value)) return value
  return refuse('BAD_CURSOR', `the cursor is ${quote(value)}; expected one that this API has issued`)
}

builder.scalarType('Count', {
  description:
    'A whole number from 0 to 2^53 - 1 (9007199254740991), a JSON number: steps and tokens outgrow Int.',
  serialize: (value) => {
    if (isCount(value)) return value
    throw new TypeError(`Count cannot represent ${quote(value)}`)
  },
  parseValue: parseCount,
  parseLiteral: (node) => parseCount(literal(node)),
})

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function parseCount(value: unknown): number {
  if (isCount(value)) return value
  return refuse(
    'BAD_INPUT',
    `the count is ${found(value)}; expected a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`,
  )
}

builder.scalarType('DateTime', {
  description: 'RFC 3339 date-time in UTC with milliseconds, e.g. 2026-11-21T10:30:15.123Z.',
  serialize: (value) => (typeof value === 'number' ? new Date(value).toISOString() : value),
  parseValue: parseDateTime,
})

const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt ](?:[01]\d|2[0-3]):\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/

/** What is missing, where it is not much. */
const EXPECTED: readonly [RegExp, string][] = [
  [
    /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?$/,
    'a zone at its end: Z for UTC, or an offset such as +02:00',
  ],
  // As Python's %z has it.
  [
    /[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?[+-]\d\d(\d\d)?$/,
    'an offset with hours, a colon and minutes, such as +02:00',
  ],
  [/:60(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/, 'seconds up to 59: a leap second is told as the one before'],
]
/** Years that RFC 3339 can write, in UTC. */
const [FIRST_TIME, LAST_TIME] = [Date.parse('0000-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')]

function parseDateTime(value: unknown): string {
  const text = typeof value === 'string' ? value : ''
  const time = DATE_TIME.test(text) && isDay(text.slice(0, 10)) ? Date.parse(text) : Number.NaN
  if (time >= FIRST_TIME && time <= LAST_TIME) return new Date(time).toISOString()
  const [, expected] = EXPECTED.find(([found]) => found.test(text)) ?? []
  return refuse(
    'BAD_INPUT',
    `the time is ${quote(value)}; expected ${expected ?? 'an RFC 3339 date-time such as 2026-11-21T10:30:15.123Z'}`,
  )
}

/** Date.parse takes 30 February for a day in March. */
function isDay(date: string): boolean {
  const time = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(date)
}

builder.scalarType('JSON', {
  description:
    'Any JSON value. Its numbers come out as they went in: one that a double does not hold (a whole number beyond 2^53 that would be rounded, or 1e400) is refused by name; send it as a string. Fractions are rounded as by every reader of JSON. At most 64 lists and objects within one another.',
  serialize: (value) => value,
  parseValue: (value) => exactJson(value),
  parseLiteral: (node, variables) => {
    checkLiteral(node, '', 1)
    // Variables within it have levels, too.
    return exactJson(valueFromASTUntyped(node, variables))
  },
})

/** A value on the way through a JSON value, and how it was reached. */
interface Reached {
  readonly value: unknown
  readonly from: Reached | null
  readonly key: string
  /** Containers around it. */
  readonly depth: number
}

/** Not by recursion: a value may be as deep as a body is long. */
function exactJson(root: unknown): Json {
  const open: Reached[] = [{ value: root, from: null, key: '', depth: 0 }]
  for (let at = open.pop(); at; at = open.pop()) {
    const { value } = at
    if (typeof value !== 'object' || value === null) continue
    if (value instanceof InexactNumber) refuseInexact(value, placeOf(at))
    const depth = at.depth + 1
    refuseTooDeep(depth)
    for (const key in value) {
      const inner = (value as Record<string, unknown>)[key]
      if (typeof inner !== 'object' || inner === null) continue
      open.push({ value: inner, from: at, key: Array.isArray(value) ? `[${key}]` : `.${key}`, depth })
    }
  }
  return root as Json
}

function placeOf(reached: Reached): string {
  let place = ''
  for (let at: Reached | null = reached; at; at = at.from) place = at.key + place
  return place
}

function refuseTooDeep(depth: number): void {
  if (depth > LIMITS.jsonDepth)
    refuse('BAD_INPUT', `the value has more than ${LIMITS.jsonDepth} lists and objects within one another`)
}

function checkLiteral(node: ValueNode, place: string, depth: number): void {
  if (node.kind === Kind.LIST || node.kind === Kind.OBJECT) refuseTooDeep(depth)
  switch (node.kind) {
    case Kind.INT:
    case Kind.FLOAT:
      if (!isExact(node.value)) refuseInexact(new InexactNumber(node.value), place)
      break
    case Kind.LIST:
      for (const [i, value] of node.values.entries()) checkLiteral(value, `${place}[${i}]`, depth + 1)
      break
    case Kind.OBJECT:
      for (const { name, value } of node.fields) checkLiteral(value, `${place}.${name.value}`, depth + 1)
  }
}

function refuseInexact({ problem }: InexactNumber, place: string): never {
  return refuse('BAD_INPUT', `${placeInText(place)} is ${problem}`)
}

const MAX_PLACE_LENGTH = 120

function placeInText(place: string): string {
  if (place === '') return 'the value'
  const name = place.startsWith('.') ? place.slice(1) : place
  return isUpTo(name, MAX_PLACE_LENGTH) ? name : `${firstCharacters(name, MAX_PLACE_LENGTH)}…`
}

builder.scalarType('MetricValue', {
  description:
    'A measured number. Finite values are JSON numbers; the others are the strings "NaN", "Infinity" and "-Infinity" (the ProtoJSON convention), in and out, because a diverging loss must be seen.',
  serialize: (value) => value,
  parseValue: (value) => parseMetricValue(value),
  parseLiteral: (node) => parseMetricValue(literal(node)),
})

builder.scalarType('Metrics', {
  description: `A JSON object from metric name to MetricValue, e.g. {"loss": 0.15, "accuracy": 0.92}. Of more than ${LIMITS.metricsPerReport} names in a report those beyond are left out, new names first, and the payload's warnings name them.`,
  serialize: (value) => value,
  parseValue: parseMetrics,
  parseLiteral: (node, variables) => parseMetrics(valueFromASTUntyped(node, variables)),
})

/** A measured number is rounded, as a double was before. */
function parseMetricValue(given: unknown): MetricValue {
  const value = given instanceof InexactNumber ? given.value : given
  return isMetricValue(value) ? value : refuseMetricValue(given, 'the value')
}

const isMetricValue = (value: unknown): value is MetricValue =>
  typeof value === 'number'
    ? Number.isFinite(value)
    : value === 'NaN' || value === 'Infinity' || value === '-Infinity'

/** As it was sent: as JSON, an infinite number would be null. */
function found(value: unknown): string {
  if (value instanceof InexactNumber) return value.shown
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : quote(value)
}

function refuseMetricValue(value: unknown, what: string): never {
  return refuse(
    'BAD_METRICS',
    `${what} is ${found(value)}; expected a number, "NaN", "Infinity" or "-Infinity"`,
  )
}

function parseMetrics(value: unknown): Metrics {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof InexactNumber) {
    return refuse('BAD_METRICS', `the metrics are ${found(value)}; expected an object from name to number`)
  }
  const metrics = value as Record<string, unknown>
  let isAsGiven = true
  for (const name in metrics) {
    const metric = metrics[name]
    // A metric without a value, as a validation that was left out: there is nothing to store.
    if (metric === null) isAsGiven = false
    else {
      checkMetricName(name)
      if (isMetricValue(metric)) continue
      isAsGiven = false
      if (!(metric instanceof InexactNumber) || !isMetricValue(metric.value))
        refuseMetricValue(metric, `metric ${quote(name)}`)
    }
  }
  return isAsGiven ? (metrics as Metrics) : measured(metrics)
}

/** Without those that have no value, and all of them as numbers. */
function measured(metrics: Readonly<Record<string, unknown>>): Metrics {
  const given = Object.entries(metrics).filter(([, metric]) => metric !== null)
  return Object.fromEntries(
    given.map(([name, metric]) => [name, metric instanceof InexactNumber ? metric.value : metric]),
  ) as Metrics
}

function checkMetricName(name: string): void {
  const usable = name !== '' && name !== '__proto__' && isUsableText(name)
  if (usable && isUpTo(name, LIMITS.metricNameLength)) return
  refuse(
    'BAD_METRICS',
    `a metric's name is ${quote(name)}; expected 1 to ${LIMITS.metricNameLength} characters, none of them a control character or half of one`,
  )
}

/** An Int or Float literal is a number; NaN and the infinities can only be strings. */
function literal(node: ValueNode): unknown {
  if (node.kind === Kind.INT || node.kind === Kind.FLOAT) return Number(node.value)
  return node.kind === Kind.STRING ? node.value : valueFromASTUntyped(node)
}
