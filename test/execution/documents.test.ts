import { expect, it } from 'vitest'
import { Documents, MAX_CHARACTERS, MAX_DOCUMENTS } from '../../src/execution/documents.ts'
import { schema } from '../../src/schema/index.ts'

const text = (name: number, length = 0) => `query Q${name} { __typename }`.padEnd(length, ' ')

it('a document is parsed and validated once', () => {
  const documents = new Documents(schema)
  expect(documents.get(text(1))).toBe(documents.get(text(1)))
})

it('one that is not valid is not remembered', () => {
  const documents = new Documents(schema)
  expect(documents.get('{ nothing }')).toMatchObject([{ message: expect.stringContaining('nothing') }])
  expect(() => documents.get('{ nothing')).toThrow('Syntax Error')
  expect(documents.size).toBe(0)
})

it('the least recently used is forgotten when there are too many', () => {
  const documents = new Documents(schema)
  const first = documents.get(text(0))
  for (let i = 1; i < MAX_DOCUMENTS; i++) documents.get(text(i))
  expect(documents.get(text(0))).toBe(first)
  expect(documents.size).toBe(MAX_DOCUMENTS)

  const second = documents.get(text(1))
  documents.get(text(MAX_DOCUMENTS))
  expect(documents.size).toBe(MAX_DOCUMENTS)
  expect(documents.get(text(1))).toBe(second)
  expect(documents.get(text(0))).toBe(first)
})

it('the texts of all of them together are bounded', () => {
  const documents = new Documents(schema)
  documents.get(text(1, MAX_CHARACTERS))
  expect(documents.size).toBe(1)
  documents.get(text(2))
  expect(documents.size).toBe(1)
  documents.get(text(3, MAX_CHARACTERS + 1))
  expect(documents.size).toBe(1)
  expect(documents.get(text(2))).toBe(documents.get(text(2)))
})
