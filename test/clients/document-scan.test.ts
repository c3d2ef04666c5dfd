import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { buildSchema, Lexer, parse, Source, TokenKind, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import { scanOperation, tokensOf } from '../../clients/typescript/document-scan.ts'

const root = join(import.meta.dirname, '../..')
const schema = buildSchema(readFileSync(join(root, 'schema.graphql'), 'utf8'))
const OPERATIONS = join(root, 'clients/operations')

/** As graphql itself cuts a text. */
function lexed(text: string): string[] {
  const lexer = new Lexer(new Source(text))
  const tokens: string[] = []
  for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) {
    tokens.push(text.slice(token.start, token.end))
  }
  return tokens
}

const scanned = (text: string) => tokensOf(text).map((token) => token.text)

const PIECES = [
  'trainingProgress',
  'a_1',
  '$',
  '(',
  ')',
  '{',
  '}',
  '[',
  ']',
  ':',
  '!',
  '@',
  '|',
  '&',
  '=',
  '...',
  ',',
  ' ',
  '\n',
  '-1.5e+3',
  '0',
  '"a # { \\" b"',
  '""',
  '"""block " "" \\""" #\n}"""',
  '""""""',
  '# comment { "\n',
  '\uFEFF',
]

describe('the scan of a document', () => {
  it.each(readdirSync(OPERATIONS))('cuts %s where graphql does', (file) => {
    const text = readFileSync(join(OPERATIONS, file), 'utf8')
    expect(scanned(text)).toEqual(lexed(text))
  })

  it('cuts any text of tokens where graphql does', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }), (pieces) => {
        // Names and numbers must not touch one another.
        const text = pieces.join(' ')
        expect(scanned(text)).toEqual(lexed(text))
      }),
    )
  })

  it.each([
    ['no argument', 'subscription { trainingProgress { cursor } }', undefined],
    [
      'a variable',
      'subscription ($t: ID!, $c: Cursor) { x: trainingProgress(taskId: $t, after: $c) { cursor } }',
      '$c',
    ],
    ['a literal', 'subscription S { trainingProgress(after: "a)b", taskId: "{") { cursor } }', '"a)b"'],
    ['a literal null', 'subscription S { trainingProgress(taskId: "1" after: null) { cursor } }', 'null'],
    [
      'a fragment',
      'subscription { ...F } fragment F on Subscription { trainingProgress(taskId: 1) { cursor } }',
      undefined,
    ],
    [
      'an odd place',
      'subscription trainingProgress($a: Float = 1) @d(trainingProgress: 1) { trainingProgress: trainingProgress @e(f: {trainingProgress: 1}) { cursor } }',
      undefined,
    ],
  ])('finds the field with %s', (_, text, after) => {
    const operation = scanOperation(text)
    expect(operation?.type).toBe('subscription')
    const field = operation?.field('trainingProgress')
    expect(field?.arguments.get('after')).toBe(after)
    expect([...(field?.selects ?? [])]).toEqual(['cursor'])
  })

  it.each([
    'subscription { trainingProgress(taskId: "1") { cursor } }',
    'subscription S { trainingProgress(after: "x", taskId: "1") { cursor } }',
    'subscription S { ...F } fragment F on Subscription { e: trainingProgress(taskId: "1", last: 3) { cursor } }',
    'subscription ($taskId: ID!) { trainingProgress(taskId: $taskId) { ... on ProgressUpdate { metrics } } }',
    'query Q($a: ID!) { task(id: $a) { id } } subscription S($taskId: ID!) { trainingProgress(taskId: $taskId) { ...E } } fragment E on TrainingEvent { cursor }',
  ])('makes of %s a valid document with a cursor', (text) => {
    const name = text.startsWith('query') ? 'S' : undefined
    const field = scanOperation(text, name)?.field('trainingProgress')
    const selected = field?.withSelection('own: cursor') ?? ''
    const resumed = scanOperation(selected, name)
      ?.field('trainingProgress')
      ?.withArgument('after', '$own', '$own: Cursor')
    expect(
      scanOperation(resumed ?? '', name)
        ?.field('trainingProgress')
        ?.arguments.get('after'),
    ).toBe('$own')
    expect(validate(schema, parse(resumed ?? '')).map(({ message }) => message)).toEqual([])
  })

  it('takes the operation that is named, and what aliases and selections say', () => {
    const text =
      'query A { task(id: 1) { id } } subscription B { x: trainingProgress(taskId: 1) { id: cursor __typename @skip(if: true) ...F ... on E { timestamp } taskId } }'
    expect(scanOperation(text, 'A')?.field('trainingProgress')).toBeNull()
    const field = scanOperation(text, 'B')?.field('trainingProgress')
    expect(field?.responseKey).toBe('x')
    expect([...(field?.selects ?? [])]).toEqual(['taskId'])
    expect(scanOperation(text, 'C')).toBeNull()
    expect(scanOperation('{ task(id: 1) { id } }')?.type).toBe('query')
    expect(scanOperation('# nothing')).toBeNull()
  })
})
