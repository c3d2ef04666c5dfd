import { readFileSync } from 'node:fs'
import { buildSchema, findBreakingChanges, lexicographicSortSchema, printSchema } from 'graphql'
import { expect, it } from 'vitest'
import { schema } from '../../src/schema/index.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const contract = buildSchema(read('../contract/contract.graphql'))

it('the schema keeps everything that the contract promises', () => {
  expect(findBreakingChanges(contract, schema)).toEqual([])
})

it('a broken promise would be noticed', () => {
  const without = buildSchema(printSchema(schema).replace('stopRequested: Boolean!', 'stopAsked: Boolean!'))
  expect(findBreakingChanges(contract, without)).not.toEqual([])
})

it('schema.graphql is current (npm run generate)', () => {
  const committed = buildSchema(read('../../schema.graphql'))
  expect(printSchema(lexicographicSortSchema(committed))).toBe(printSchema(lexicographicSortSchema(schema)))
})
