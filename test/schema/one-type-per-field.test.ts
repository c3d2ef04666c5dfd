import { readdirSync, readFileSync } from 'node:fs'
import { buildSchema, type FieldNode, parse, printSchema, validate, visit } from 'graphql'
import { describe, expect, it } from 'vitest'
import { schema } from '../../src/schema/index.ts'
import { graphiqlExamples } from '../../src/transport/graphiql.ts'
import { conflicts, eventTypes, everyFieldOfEveryEvent } from '../support/every-field.ts'

const neighbour = (found: string, replaced: string) => {
  const printed = printSchema(schema)
  expect(printed).toContain(found)
  return buildSchema(printed.replace(found, replaced))
}

describe('the types of events', () => {
  it('agree on the type of each field, nullability included', () => {
    expect(eventTypes(schema).length).toBeGreaterThan(10)
    expect(conflicts(schema)).toEqual([])
  })

  it('can be selected whole in one document without an alias', () => {
    const document = everyFieldOfEveryEvent(schema)
    expect(validate(schema, parse(document))).toEqual([])
  })

  it("need no alias in GraphiQL's examples and in the operations of the clients", () => {
    const folder = new URL('../../clients/operations/', import.meta.url)
    const operations = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'))
    for (const source of [graphiqlExamples, operations.join('\n')]) {
      const document = parse(source)
      expect(validate(schema, document)).toEqual([])
      const aliased: (string | undefined)[] = []
      const Field = ({ alias }: FieldNode) => void (alias && aliased.push(alias.value))
      visit(document, { Field })
      expect(aliased).toEqual([])
    }
  })

  it.each([
    ['of another type', 'reason: SkipReason!'],
    ['that may be null where theirs is not', 'error: String'],
  ])('would be found to disagree where one had a field of the others %s', (_, field) => {
    const broken = neighbour('skipReason: SkipReason!', field)
    expect(conflicts(broken)).not.toEqual([])
    expect(validate(broken, parse(everyFieldOfEveryEvent(broken)))).not.toEqual([])
  })
})
