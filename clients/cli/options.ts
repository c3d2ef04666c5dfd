import { type Command, InvalidArgumentError } from 'commander'
import { inexactNumbers, inexactProblem } from './exact-numbers.ts'

/** Parsers of option values; what they throw becomes a usage error that names the option. */

export function wholeNumber(text: string): number {
  const value = Number(text)
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(value)) return value
  throw new InvalidArgumentError('Expected a whole number.')
}

/** Fractions included. */
export function number(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value)) return value
  throw new InvalidArgumentError('Expected a number.')
}

/** Longest time that an option may give. */
const MAX_SECONDS = 86_400

export function secondsNumber(text: string): number {
  const value = number(text)
  if (value >= 0 && value <= MAX_SECONDS) return value
  throw new InvalidArgumentError(`Expected seconds from 0 to ${MAX_SECONDS}.`)
}

export function positiveNumber(text: string): number {
  const value = wholeNumber(text)
  if (value >= 1) return value
  throw new InvalidArgumentError('Expected a whole number of at least 1.')
}

export type MetricValue = number | 'NaN' | 'Infinity' | '-Infinity'

const NOT_FINITE: Readonly<Record<string, MetricValue>> = {
  nan: 'NaN',
  inf: 'Infinity',
  infinity: 'Infinity',
  '+inf': 'Infinity',
  '+infinity': 'Infinity',
  '-inf': '-Infinity',
  '-infinity': '-Infinity',
}

/** A number as training scripts print it, `nan` and `-inf` among them. */
export function metricValue(text: string): MetricValue {
  const special = NOT_FINITE[text.trim().toLowerCase()]
  if (special !== undefined) return special
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value)) return value
  throw new InvalidArgumentError('Expected a number, NaN, Infinity or -Infinity.')
}

export function json(text: string): unknown {
  try {
    return exactJson(text)
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error
    throw new InvalidArgumentError(`Expected JSON: ${(error as Error).message}.`)
  }
}

function exactJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  const [inexact] = inexactNumbers(text)
  if (inexact !== undefined) throw new InvalidArgumentError(inexactProblem(inexact))
  return value
}

export function jsonObject(text: string): Record<string, unknown> {
  const value = json(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw new InvalidArgumentError('Expected a JSON object.')
}

/** JSON where it is JSON, else the text itself: `lr=0.01`, `name=motor`, `layers=[64,32]`. */
function jsonOrText(text: string): unknown {
  try {
    return exactJson(text)
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw error
    return text
  }
}

/** For an option `name=value` that may be repeated. */
function collect<Value>(parse: (text: string) => Value) {
  return (pair: string, previous: Record<string, Value> = {}): Record<string, Value> => {
    const separator = pair.indexOf('=')
    if (separator < 1) throw new InvalidArgumentError('Expected name=value.')
    return { ...previous, [pair.slice(0, separator)]: parse(pair.slice(separator + 1)) }
  }
}

export const collectJson = collect(jsonOrText)
export const collectMetrics = collect(metricValue)

/** The given fields without those that are undefined, as an input of the API has them. */
export function defined<Fields extends object>(
  fields: Fields,
): { [K in keyof Fields]: NonNullable<Fields[K]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof Fields]: NonNullable<Fields[K]>
  }
}

/** Shows examples under `--help`. */
export function addExamples(command: Command, ...examples: readonly string[]): void {
  command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`)
}
