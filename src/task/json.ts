import { randomBytes } from 'node:crypto'
import { LIMITS } from './limits.ts'

/** Bytes of a value as JSON text. Too deep to be written counts as too large. */
export function jsonBytes(value: unknown): number {
  try {
    return Buffer.byteLength(JSON.stringify(value) ?? '')
  } catch (error) {
    if (error instanceof RangeError) return Number.POSITIVE_INFINITY
    throw error
  }
}

/** JSON of a value that was JSON. Null where it is too deep to be written. */
export function jsonText(value: unknown): string | null {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** A number whose text says more than a double holds. Whether that matters depends on the type it is read as. */
export class InexactNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** As any reader of JSON has it. */
  get value(): number {
    return Number(this.text)
  }

  /** For messages. */
  get shown(): string {
    return shortened(this.text)
  }

  /** What is wrong with it where it must arrive as it is. */
  get problem(): string {
    return `${this.shown}, which would become ${this.value} as a JSON number; send it as a string`
  }

  /** How it is shown where it may not stand at all. */
  toJSON(): string {
    return `${this.shown} (not exact as a JSON number)`
  }
}

const MAX_SHOWN_DIGITS = 80

const shortened = (digits: string): string =>
  digits.length <= MAX_SHOWN_DIGITS
    ? digits
    : `${digits.slice(0, MAX_SHOWN_DIGITS)}… (${digits.length} characters)`

/**
 * Numbers that may be inexact: many digits before the point, a large exponent, or very many zeros behind the point. It looks
 * only where a value can begin, and may be wrong about what stands in a string.
 */
const SUSPICIOUS = /[[,:\s]-?(?:\d{16}|\d[\d.]*[eE](?:\+?\d\d|-\d{3})|0\.0{300})/

/** Whether a JSON text can have numbers that are inexact; false for nearly all. */
export const mayBeInexact = (text: string): boolean => SUSPICIOUS.test(text)

/**
 * Strings, one without an end to the end of the text, and the words that Python's json module writes for numbers that JSON does
 * not have. An expression that passed over the beginning of a string without an end would begin again at each quote in it.
 */
const STRING_OR_BARE_NUMBER = /"[^"\\]*(?:\\(?:.|$)[^"\\]*)*(?:"|$)|-?\b(?:NaN|Infinity)\b/gs

/** The text with NaN and the infinities of Python as strings. */
export const quoteBareNumbers = (text: string): string =>
  text.replace(STRING_OR_BARE_NUMBER, (found) => (found.startsWith('"') ? found : `"${found}"`))

/** A text with too many lists and objects to be parsed. */
export class TooManyContainersError extends SyntaxError {
  constructor() {
    super(`has more than ${LIMITS.jsonContainers} lists and objects`)
    this.name = 'TooManyContainersError'
  }
}

/**
 * As JSON.parse, for a text from outside. A megabyte of nothing but brackets, beside or within one another, would keep everybody
 * waiting for 30 to 90 ms, where any other megabyte takes 3 to 9.
 *
 * @throws SyntaxError as JSON.parse; TooManyContainersError
 */
export function parseText(text: string): unknown {
  if (text.length > LIMITS.jsonContainers && hasManyBrackets(text) && hasTooManyContainers(text))
    throw new TooManyContainersError()
  return JSON.parse(text)
}

/** In strings, too. Where there are few, as in all that people send, they are found at the speed of memory. */
function hasManyBrackets(text: string): boolean {
  let count = 0
  for (const bracket of ['[', '{'])
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1))
      if (++count > LIMITS.jsonContainers) return true
  return false
}

function hasTooManyContainers(text: string): boolean {
  let count = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') at = endOfString(text, at) - 1
    else if ((character === '[' || character === '{') && ++count > LIMITS.jsonContainers) return true
  }
  return false
}

/**
 * As `parseText`, but inexact numbers are there as InexactNumber.
 *
 * @throws SyntaxError as JSON.parse; TooManyContainersError
 */
export function parseJson(text: string): unknown {
  const value: unknown = parseText(text)
  if (!mayBeInexact(text)) return value
  const marked = withMarks(text)
  return marked === null ? value : withoutMarks(JSON.parse(marked))
}

/** In front of an inexact number that stands in a string; nobody can know it, so no other string begins so. */
const MARK = `${randomBytes(16).toString('hex')}:`

const STRING_OR_NUMBER = /"|-?\d[\d.eE+-]*/g

/** The text with inexact numbers as marked strings; null where there are none. */
function withMarks(text: string): string | null {
  let marked = ''
  let from = 0
  const tokens = new RegExp(STRING_OR_NUMBER)
  for (let match = tokens.exec(text); match; match = tokens.exec(text)) {
    const [token] = match
    if (token === '"') tokens.lastIndex = endOfString(text, match.index)
    else if (!isExact(token)) {
      marked += `${text.slice(from, match.index)}"${MARK}${token}"`
      from = tokens.lastIndex
    }
  }
  return from === 0 ? null : marked + text.slice(from)
}

/** Of one without an end, that of the text. Not by an expression, which would keep a place to go back to for each character of a long string. */
function endOfString(text: string, start: number): number {
  let end = start
  do end = text.indexOf('"', end + 1)
  while (end >= 0 && backslashesBefore(text, end) % 2 === 1)
  return end < 0 ? text.length : end + 1
}

function backslashesBefore(text: string, end: number): number {
  let at = end
  while (text[at - 1] === '\\') at--
  return end - at
}

/** Not by a reviver, which goes as deep as the value. */
function withoutMarks(root: unknown): unknown {
  const holder = { root }
  const open: Record<string, unknown>[] = [holder]
  for (let container = open.pop(); container; container = open.pop()) {
    for (const name of Object.keys(container)) {
      const value = container[name]
      if (typeof value === 'object' && value !== null) open.push(value as Record<string, unknown>)
      else if (typeof value === 'string' && value.startsWith(MARK))
        define(container, name, new InexactNumber(value.slice(MARK.length)))
    }
  }
  return holder.root
}

/** An assignment to `__proto__` would be none. */
function define(container: object, name: string, value: unknown): void {
  Object.defineProperty(container, name, { value, writable: true, enumerable: true, configurable: true })
}

/**
 * Whether a number, as JSON and GraphQL write it, is what a double makes of it. Fractions are rounded by every reader of
 * JSON; whole numbers are not, and nothing may become 0 or infinite.
 */
export function isExact(text: string): boolean {
  const value = Number(text)
  const written = decimalOf(text)
  if (written.digits === '') return true
  if (value === 0 || !Number.isFinite(value)) return false
  if (written.exponent < 0 || Number.isSafeInteger(value)) return true
  if (isSame(decimalOf(String(value)), written)) return true
  // With a point or an exponent it is a double already: as many of its digits as its writer took.
  const isDouble = /[.eE]/.test(text)
  const digits = Math.min(written.digits.length, MAX_PRECISION)
  return isDouble && isSame(decimalOf(value.toPrecision(digits)), written)
}

/** Of `Number.toPrecision`. */
const MAX_PRECISION = 100

/** A number's size: digits × 10^exponent, without zeros at either end of the digits. */
interface Decimal {
  readonly digits: string
  readonly exponent: number
}

function decimalOf(text: string): Decimal {
  const [, whole = '', fraction = '', power = '0'] =
    /^-?(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const all = (whole + fraction).replace(/^0+/, '')
  const digits = all.slice(0, endOfDigits(all))
  return { digits, exponent: Number(power) - fraction.length + all.length - digits.length }
}

function endOfDigits(digits: string): number {
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return end
}

const isSame = (a: Decimal, b: Decimal): boolean => a.digits === b.digits && a.exponent === b.exponent
