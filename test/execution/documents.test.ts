import type { GraphQLError } from 'graphql'
import { expect, it } from 'vitest'
import {
  Documents,
  type KnownDocument,
  MAX_DOCUMENTS,
  MAX_DOCUMENTS_BYTES,
  MAX_REFUSED,
  MAX_REFUSED_BYTES,
} from '../../src/execution/documents.ts'
import { MAX_HELD_BYTES } from '../../src/execution/held-documents.ts'
import { toGraphQLError } from '../../src/schema/errors.ts'
import { schema } from '../../src/schema/index.ts'
import { LIMITS } from '../../src/task/limits.ts'

function open(introspection = true) {
  let translated = 0
  const translate = (error: unknown, fallback?: Parameters<typeof toGraphQLError>[2]) => {
    translated++
    const unexpected = (cause: unknown) => {
      throw cause
    }
    return toGraphQLError(error, unexpected, fallback)
  }
  const documents = new Documents(schema, { introspection, addressShare: 0.5, translate })
  const known = (text: string) => documents.get(text) as KnownDocument
  const refused = (text: string) => documents.get(text) as readonly GraphQLError[]
  return { documents, known, refused, translations: () => translated }
}

const text = (name: number) => `query Q${name} { __typename }`
/** A valid document with as many tokens as there may be, as comments. */
const large = (name: number) => `${text(1000 + name)}\n${'#\n'.repeat(LIMITS.documentTokens - 5)}`

it('a document is parsed and validated once', () => {
  const { known } = open()
  expect(known(text(1))).toBe(known(text(1)))
})

it('what is wrong with one is found once, and kept apart from those that are valid', () => {
  const { documents, refused, translations } = open()
  expect(refused('{ nothing }')).toMatchObject([
    { message: expect.stringContaining('nothing'), extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
  ])
  expect(refused('{ nothing')).toMatchObject([
    {
      message: expect.stringContaining('Syntax Error'),
      locations: [{ line: 1, column: 10 }],
      extensions: { code: 'GRAPHQL_PARSE_FAILED' },
    },
  ])
  const before = translations()
  expect(refused('{ nothing }')).toBe(refused('{ nothing }'))
  expect(refused('{ nothing')).toBe(refused('{ nothing'))
  expect(translations()).toBe(before)
  expect(documents.size).toBe(0)
  expect(documents.refusedSize).toBe(2)
})

it('what is kept of a refused document does not lead to the document itself', () => {
  const { refused } = open()
  for (const error of refused('query Q($a: Int) { nothing server { no } }')) {
    expect(error.nodes).toBeUndefined()
    expect(error.locations).toHaveLength(1)
  }
})

it('a document that is too long is refused, and its text not kept', () => {
  const { documents, refused } = open()
  const long = text(1).padEnd(LIMITS.documentBytes + 1)
  expect(refused(long)).toMatchObject([{ extensions: { code: 'DOCUMENT_TOO_LARGE' } }])
  expect(documents.refusedSize).toBe(0)
})

it('the least recently used is forgotten when there are too many', () => {
  const { documents, known } = open()
  const first = known(text(0))
  for (let i = 1; i < MAX_DOCUMENTS; i++) known(text(i))
  expect(known(text(0))).toBe(first)
  expect(documents.size).toBe(MAX_DOCUMENTS)

  const second = known(text(1))
  known(text(MAX_DOCUMENTS))
  expect(documents.size).toBe(MAX_DOCUMENTS)
  expect(known(text(1))).toBe(second)
  expect(known(text(0))).toBe(first)
})

it('all of them together are bounded in bytes, as they are once parsed', () => {
  const { documents, known } = open()
  const each = known(large(0)).bytes
  expect(each).toBeGreaterThan(512 * LIMITS.documentTokens)
  const fit = Math.floor(MAX_DOCUMENTS_BYTES / each)
  expect(fit).toBeGreaterThan(5)
  for (let i = 1; i < fit + 5; i++) known(large(i))
  expect(documents.size).toBe(fit)
})

it('refused ones are bounded in number and in bytes, and take no place of the valid ones', () => {
  const { documents, known, refused } = open()
  const valid = known(text(1))
  for (let i = 0; i < MAX_REFUSED + 10; i++) refused(`{ nothing${i} }`)
  expect(documents.refusedSize).toBe(MAX_REFUSED)
  const long = (i: number) => `{ nothing${i} } #`.padEnd(LIMITS.documentBytes, 'x')
  for (let i = 0; i < MAX_REFUSED; i++) refused(long(i))
  expect(documents.refusedSize).toBeGreaterThan(10)
  expect(documents.refusedSize * 2 * LIMITS.documentBytes).toBeLessThanOrEqual(MAX_REFUSED_BYTES)
  expect(known(text(1))).toBe(valid)
})

it('one that a subscription uses is shared and counted as long as it does, forgotten or not', () => {
  const { documents, known } = open()
  const used = known(text(0))
  const [first, second] = [documents.hold(used.document, 'a'), documents.hold(used.document, 'a')]
  expect(documents.heldBytes).toBe(used.bytes)
  for (let i = 1; i <= MAX_DOCUMENTS; i++) known(text(i))
  expect(known(text(0))).toBe(used)
  first()
  expect(documents.heldBytes).toBe(used.bytes)
  second()
  expect(documents.heldBytes).toBe(0)
  expect(known(text(0))).not.toBe(used)
})

it('those that subscriptions use are bounded in bytes; one that is used already takes no more', () => {
  const { documents, known } = open()
  const each = known(large(0)).bytes
  const fit = Math.floor(MAX_HELD_BYTES / each)
  const holder = (i: number) => `address ${i % 4}`
  const letGo = Array.from({ length: fit }, (_, i) => documents.hold(known(large(i)).document, holder(i)))
  const more = known(large(fit)).document
  expect(() => documents.hold(more, 'another')).toThrow(
    expect.objectContaining({
      code: 'TOO_MANY_SUBSCRIPTIONS',
      message: `the server has ${fit * each} bytes of documents of open subscriptions; expected at most ${MAX_HELD_BYTES} (MAX_HELD_BYTES)`,
      details: { retryAfterMs: expect.any(Number) },
    }),
  )
  documents.hold(known(large(0)).document, 'another')()
  letGo[1]?.()
  documents.hold(more, 'another')
  expect(documents.heldBytes).toBe(fit * each)
})

it('one address uses up its share of them, and no other goes short', () => {
  const { documents, known } = open()
  const each = known(large(0)).bytes
  const fit = Math.floor(MAX_HELD_BYTES / 2 / each)
  const letGo = Array.from({ length: fit }, (_, i) => documents.hold(known(large(i)).document, 'a'))
  const more = known(large(fit)).document
  expect(() => documents.hold(more, 'a')).toThrow(
    expect.objectContaining({
      code: 'TOO_MANY_SUBSCRIPTIONS',
      message: `this address has ${fit * each} bytes of documents of open subscriptions; expected at most ${MAX_HELD_BYTES / 2} (EPOCHCAST_ADDRESS_SHARE of MAX_HELD_BYTES)`,
    }),
  )
  // What it was refused is held by nobody.
  expect(documents.heldBytes).toBe(fit * each)
  documents.hold(more, 'b')
  // What another holds, too, counts for both, and in all once.
  const shared = documents.hold(known(large(0)).document, 'b')
  expect(documents.heldBytes).toBe((fit + 1) * each)
  letGo[0]?.()
  expect(documents.heldBytes).toBe((fit + 1) * each)
  documents.hold(more, 'a')
  shared()
  expect(documents.heldBytes).toBe(fit * each)
  for (const release of letGo.slice(1)) release()
  expect(documents.heldBytes).toBe(each)
})

it('without introspection nobody asks for the schema, nor is it told by suggestions', () => {
  const { refused, known } = open(false)
  for (const query of ['{ __schema { queryType { name } } }', '{ __type(name: "Task") { name } }']) {
    expect(refused(query)).toMatchObject([
      {
        message: expect.stringContaining('does not tell its schema (EPOCHCAST_INTROSPECTION)'),
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      },
    ])
  }
  expect(refused('{ server { versio } }')[0]?.message).not.toContain('version')
  expect(known('{ __typename server { __typename } }').document.kind).toBe('Document')
  expect(open().refused('{ server { versio } }')[0]?.message).toContain('Did you mean "version"')
})
