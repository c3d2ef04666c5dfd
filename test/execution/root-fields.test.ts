import { type DocumentNode, getOperationAST, type OperationDefinitionNode, parse } from 'graphql'
import { expect, it } from 'vitest'
import { rootFieldsOf } from '../../src/execution/root-fields.ts'

const namesOf = (text: string) => {
  const document: DocumentNode = parse(text)
  const operation = getOperationAST(document) as OperationDefinitionNode
  return rootFieldsOf(document, operation).map(({ alias, name }) => (alias ?? name).value)
}

it.each([
  ['{ a }', ['a']],
  ['{ a b }', ['a', 'b']],
  ['{ a x: a a { b } }', ['a', 'x']],
  ['{ ... { a } ... on Query { b ... { c a } } }', ['a', 'b', 'c']],
  ['{ ...F } fragment F on Query { a b }', ['a', 'b']],
  ['{ ...F ...G a } fragment F on Query { b ...G } fragment G on Query { c }', ['b', 'c', 'a']],
  // Refused before it is run.
  ['{ ...F ...Missing } fragment F on Query { a ...F }', ['a']],
])('the root of %s has the fields %j', (text, names) => {
  expect(namesOf(text)).toEqual(names)
})
