import { type DocumentNode, parse, print } from 'graphql'
import { describe, expect, it } from 'vitest'
import * as generated from '../../clients/typescript/generated/graphql.ts'
import { printDocument } from '../../clients/typescript/print-document.ts'

const OPERATIONS = Object.entries(generated).flatMap(([name, value]) =>
  typeof value === 'object' && 'kind' in value ? [[name, value as DocumentNode] as const] : [],
)

const DOCUMENTS = [
  '{ a }',
  'query { a }',
  'mutation M @own(a: 1) { a b: c(d: 1.5e3) @skip(if: true) @own { ... { e } ...F @own ... on T @own { f } } }',
  'subscription ($a: [Int!]! = [1, -2], $b: In = {c: "x", d: [E, null, true], e: {}} @own, $f: String = null) { a }',
  'query A { a } query B($id: ID!) { a(id: $id) } fragment F on T @own { ...G } fragment G on T { h }',
  'query Q($a: Int = 1 $b: Float) @own { a }',
  `{ tooLong(first: "${'x'.repeat(40)}", second: "${'y'.repeat(40)}") { a(third: 1) } short(z: [], n: {}) }`,
  '{ a(b: "\\"\\\\ \\n\\t\\u0001 \\u{1F600} é / \\u2028 日") }',
]

describe('the text of a document', () => {
  it.each(OPERATIONS)('%s is what graphql writes', (_, document) => {
    expect(printDocument(document)).toBe(print(document))
  })

  it.each(DOCUMENTS)('%s is what graphql writes', (text) => {
    const document = parse(text)
    expect(printDocument(document)).toBe(print(document))
  })

  it('has block strings as what they are', () => {
    const text = printDocument(parse('{ a(b: """\n  one\n    "two"\n""") }'))
    expect(text).toBe('{\n  a(b: "one\\n  \\"two\\"")\n}')
  })

  it('is none where a document defines types', () => {
    expect(() => printDocument(parse('type T { a: Int }'))).toThrow('ObjectTypeDefinition')
  })
})
