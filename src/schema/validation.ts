import type { StandardSchemaV1 } from '@pothos/plugin-validation'
import { quote } from '../task/errors.ts'
import { jsonBytes } from '../task/json.ts'
import { LIMITS } from '../task/limits.ts'
import { isUpTo } from '../task/text.ts'

/** What a value must be beyond its GraphQL type; given to an input field as `validate`. */
export interface Bound<T> extends StandardSchemaV1<T> {
  readonly holds: (value: T) => boolean
}

/**
 * Each message says what was found and what was expected; the path in front of it comes from where the
 * value stands.
 */
function bound<T>(holds: (value: T) => boolean, message: (value: T) => string): Bound<T> {
  return {
    holds,
    '~standard': {
      version: 1,
      vendor: 'epochcast',
      // GraphQL has made sure of the type.
      validate: (value) =>
        holds(value as T) ? { value: value as T } : { issues: [{ message: message(value as T) }] },
    },
  }
}

const check = <T>(holds: (value: T) => boolean, expected: string) =>
  bound<T>(holds, (value) => `is ${quote(value)}; expected ${expected}`)

export const wholeNumber = (min: number, max: number) =>
  check<number>((value) => value >= min && value <= max, `a whole number from ${min} to ${max}`)

/** Fractions included; GraphQL has refused what is not finite. */
export const numberFrom = (min: number, max: number) =>
  check<number>((value) => value >= min && value <= max, `a number from ${min} to ${max}`)

/** C0 and C1, which terminals obey; and halves of surrogate pairs, which UTF-8 makes one and the same. */
const UNUSABLE = /[\p{Cc}\p{Cs}]/u
export const isUsableText = (text: string): boolean => !UNUSABLE.test(text)

/** Text that does not garble terminals and logs, and stays another than any other, wherever it is stored. */
export const line = (max: number) =>
  check<string>(
    (value) => value !== '' && isUpTo(value, max) && isUsableText(value),
    `1 to ${max} characters, none of them a control character or half of one`,
  )

/** A line of any length: what is too long is cut (`ingest/bound-reports.ts`). */
export const lineOfAnyLength = check<string>(
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  (value) => value !== '' && !/[\u0000-\u001f\u007f]/.test(value),
  'some characters, none of them a control character',
)

/** Text of several lines, such as a traceback. */
export const text = (max: number) => check<string>((value) => isUpTo(value, max), `at most ${max} characters`)

/** A line that was printed, with whatever controls terminals. */
export const outputText = bound<string>(
  (value) => !value.includes('\n'),
  () => 'has a line end within; expected one line in each',
)

/** Names that become part of keys, file names and command lines. */
const identifier = (max: number) =>
  check<string>(
    (value) => value.length <= max && /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(value) && !value.includes('..'),
    `1 to ${max} letters, digits and . _ -, the first a letter or digit, without ".."`,
  )

export const listOf = (what: string, min: number, max: number) =>
  bound<unknown[]>(
    ({ length }) => length >= min && length <= max,
    ({ length }) => `has ${length} ${what}; expected ${min} to ${max}`,
  )

/** A list of names, such as those of metrics. */
export const namesOf = (what: string, max: number, length: number) =>
  bound<readonly string[]>(
    (names) => names.length <= max && names.every((name) => isUpTo(name, length)),
    (names) =>
      names.length > max
        ? `has ${names.length} ${what}; expected 0 to ${max}`
        : `has one that is longer than ${length} characters; expected ${what} of at most as many`,
  )

/** Any JSON value, bounded by the length of its text. */
export const jsonUpTo = (maxBytes: number) =>
  bound<unknown>(
    (value) => jsonBytes(value) <= maxBytes,
    (value) => `is ${jsonBytes(value)} bytes of JSON; expected at most ${maxBytes}`,
  )

export const jsonObjectUpTo = (maxBytes: number) =>
  bound<unknown>(
    (value) => isObject(value) && jsonBytes(value) <= maxBytes,
    (value) =>
      isObject(value)
        ? `is ${jsonBytes(value)} bytes of JSON; expected at most ${maxBytes}`
        : `is ${quote(value)}; expected a JSON object`,
  )

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const taskId = line(LIMITS.taskIdLength)
export const channelPrefix = line(LIMITS.channelPrefixLength)
export const machineId = identifier(LIMITS.machineIdLength)

const MAX_ISSUES = 5

export function describeIssues(issues: readonly StandardSchemaV1.Issue[]): string {
  const described = issues.slice(0, MAX_ISSUES).map(({ path = [], message }) => {
    const where = path.reduce<string>((before, segment) => {
      const key = typeof segment === 'object' ? segment.key : segment
      return typeof key === 'number' ? `${before}[${key}]` : before ? `${before}.${String(key)}` : String(key)
    }, '')
    return `${where} ${message}`
  })
  const more = issues.length - described.length
  return described.join('; ') + (more > 0 ? `; and ${more} more` : '')
}
