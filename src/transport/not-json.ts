import { EpochcastError } from '../task/errors.ts'
import { TooManyContainersError } from '../task/json.ts'
import { firstCharacters, isUpTo } from '../task/text.ts'

const MAX_PLACE_LENGTH = 120
/** Tokens that are looked at for a bare literal, some milliseconds' at most; behind them only the place is told. */
const MAX_TOKENS = 50_000

/** What JSON does not have; also where it stands in a string. */
const LITERAL = /-?(?:NaN|Infinity|inf|nan)\b|\b(?:True|False|None)\b/

/** Strings are skipped, one without an end to the end of the text; what remains are brackets, separators and literals. */
const TOKEN = new RegExp(`"[^"\\\\]*(?:\\\\(?:.|$)[^"\\\\]*)*(?:"|$)|${LITERAL.source}|[{}[\\],]`, 'gs')

/** A text that should have been JSON, and how it is spoken of. */
interface Text {
  readonly what: string
  /** Where it stands in what was sent. */
  readonly path: readonly string[]
  readonly expected: string
}

const REQUEST_BODY: Text = {
  what: 'the request body',
  path: [],
  expected: 'an object with query and, where there are any, variables',
}

/**
 * Says what is wrong with a text that is no JSON, without repeating it: it may hold what is no one's to read.
 *
 * @param error what the parser threw
 */
export function notJson(
  text: string,
  error: unknown,
  { what, path, expected } = REQUEST_BODY,
): EpochcastError {
  const found = bareLiteral(text, path, error)
  if (found) {
    const { literal } = found
    const instead = PYTHON[literal] ?? 'the strings "NaN", "Infinity" and "-Infinity"'
    return new EpochcastError(
      'BAD_REQUEST',
      `${shortened(placeOf(found.path)) || what} is a bare ${literal}, which JSON does not have; send ${instead} instead`,
    )
  }
  const problem = text === '' ? 'is empty' : problemOf(error)
  return new EpochcastError('BAD_REQUEST', `${what} ${problem}; expected ${expected}`)
}

/** Bytes of the reason with which a WebSocket is closed. */
const MAX_REASON_BYTES = 123

/** As `notJson`, in the few words that there is room for when a WebSocket is closed. */
export function notJsonInShort(text: string, error: unknown): string {
  const found = bareLiteral(text, [], error)
  if (!found) return `the message ${problemOf(error)}; expected one of graphql-transport-ws`
  const { literal } = found
  const instead = PYTHON[literal] ?? `the string ${JSON.stringify(STANDARD[literal] ?? literal)}`
  const words = ` is a bare ${literal}; send ${instead}`
  return endInBytes(placeOf(found.path) || 'the message', MAX_REASON_BYTES - words.length) + words
}

/** What JSON has for them, as a dictionary that was printed instead of written as JSON does not. */
const PYTHON: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' }

const STANDARD: Readonly<Record<string, string>> = {
  nan: 'NaN',
  '-nan': 'NaN',
  '-NaN': 'NaN',
  inf: 'Infinity',
  '-inf': '-Infinity',
}

/** The end of a place says the most. */
function endInBytes(place: string, maxBytes: number): string {
  if (Buffer.byteLength(place) <= maxBytes) return place
  // A character has a byte at least; from the beginning of a long key it would be measured as often as it has characters.
  let end = place.slice(-maxBytes)
  do end = end.slice(1)
  while (Buffer.byteLength(`…${end}`) > maxBytes || /^[\uDC00-\uDFFF]/.test(end))
  return `…${end}`
}

type Path = readonly (string | number)[]

/** The first NaN, infinity or word of Python that stands by itself, and the keys that lead to it. */
function bareLiteral(
  text: string,
  start: readonly string[],
  error: unknown,
): { literal: string; path: Path } | null {
  // Token by token, a megabyte of brackets takes longer than all else that is done with it.
  if (error instanceof TooManyContainersError || !LITERAL.test(text)) return null
  /** For each open bracket the key or the index that is being read. */
  const path: (string | number)[] = [...start]
  let tokens = 0
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (++tokens > MAX_TOKENS) return null
    const last = path.length - 1
    if (token === '{') path.push('')
    else if (token === '[') path.push(0)
    else if (token === '}' || token === ']') path.pop()
    else if (token === ',') {
      const at = path[last]
      if (typeof at === 'number') path[last] = at + 1
    } else if (token.startsWith('"')) {
      if (
        typeof path[last] === 'string' &&
        /^\s*:/.test(text.slice(index + token.length, index + token.length + 20))
      )
        path[last] = token.slice(1, -1)
    } else return { literal: token, path }
  }
  return null
}

/** Such as `variables.input.reports[0].progress.loss`; empty for the text itself. */
function placeOf(path: Path): string {
  let place = ''
  for (const at of path) place += typeof at === 'number' ? `[${at}]` : `${place && '.'}${at}`
  return place
}

const shortened = (place: string): string =>
  isUpTo(place, MAX_PLACE_LENGTH) ? place : `${firstCharacters(place, MAX_PLACE_LENGTH)}…`

function problemOf(error: unknown): string {
  return error instanceof TooManyContainersError ? error.message : `is not JSON${whereOf(error)}`
}

/** Of what the parser says, only the place: the rest repeats the text. */
function whereOf(error: unknown): string {
  const message = error instanceof SyntaxError ? error.message : ''
  const [, position] = /at position (\d+)/.exec(message) ?? []
  if (position !== undefined) return ` (at character ${Number(position) + 1})`
  return message.includes('end of JSON') ? ' (it ends too early)' : ''
}
