import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'

type Target = 'http' | 'messages' | 'urls' | 'cursors' | 'reports'

/** What mutations begin with: inputs of every kind that a door knows, and those that once found something. */
const CORPUS = JSON.parse(readFileSync(join(import.meta.dirname, 'corpus.json'), 'utf8')) as Record<
  Target,
  string[]
>

/** What parsers stumble over, wherever it is put. */
const TOKENS = [
  ...[
    '\u0000',
    '\n',
    '\r\n',
    '\r\n\r\n',
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '%',
    '%00',
    '%ff',
    '&',
    '=',
    '.',
    '-',
  ],
  ...[
    'null',
    'true',
    '-0',
    '1e999',
    '9007199254740993',
    '\\ud800',
    '\u00ff',
    '__proto__',
    'NaN',
    '0'.repeat(40),
    'z'.repeat(300),
  ],
  ...[
    'Content-Length: 1\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Host: evil.example\r\n',
    'Connection: close\r\n',
    'chunked, gzip',
    ' ',
  ],
]

type Edit =
  | { readonly kind: 'replace'; readonly character: number }
  | { readonly kind: 'remove' | 'repeat'; readonly length: number }
  | { readonly kind: 'insert'; readonly token: string }
  | { readonly kind: 'splice'; readonly other: number }

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant('replace' as const), character: fc.nat(255) }),
  fc.record({
    kind: fc.constantFrom('remove' as const, 'repeat' as const),
    length: fc.integer({ min: 1, max: 40 }),
  }),
  fc.record({ kind: fc.constant('insert' as const), token: fc.constantFrom(...TOKENS) }),
  fc.record({ kind: fc.constant('splice' as const), other: fc.nat(1000) }),
)

/** An input of the corpus with a few edits, as characters of one byte; without edits it is as it stands there. */
export function mutated(target: Target): fc.Arbitrary<string> {
  const inputs = CORPUS[target]
  const place = fc.nat(1000)
  return fc
    .tuple(fc.constantFrom(...inputs), fc.array(fc.tuple(place, edit), { maxLength: 6 }))
    .map(([input, edits]) =>
      edits.reduce(
        (text, [at, change]) => edited(text, Math.floor((at / 1001) * (text.length + 1)), change, inputs),
        input,
      ),
    )
}

function edited(text: string, at: number, change: Edit, inputs: readonly string[]): string {
  const [before, after] = [text.slice(0, at), text.slice(at)]
  switch (change.kind) {
    case 'replace':
      return before + String.fromCharCode(change.character) + after.slice(1)
    case 'remove':
      return before + after.slice(change.length)
    case 'repeat':
      return before + after.slice(0, change.length).repeat(3) + after
    case 'insert':
      return before + change.token + after
    case 'splice': {
      const other = inputs[change.other % inputs.length] as string
      return before + other.slice(Math.floor(other.length / 2))
    }
  }
}

/** How much is tried: little by itself, and for so many seconds where somebody wants to know (EPOCHCAST_FUZZ_SECONDS). */
const seconds = Number(process.env.EPOCHCAST_FUZZ_SECONDS ?? 0)
export const EFFORT =
  seconds > 0 ? { numRuns: 1e9, interruptAfterTimeLimit: seconds * 1000 } : { numRuns: 20 }
export const TIME_LIMIT_MS = 30_000 + 1000 * seconds
