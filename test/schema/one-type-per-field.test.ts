import { buildSchema, parse, printSchema, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import { schema } from '../../src/schema/index.ts'
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

  it.each([
    ['of another type', 'reason: SkipReason!'],
    ['that may be null where theirs is not', 'error: String'],
  ])('would be found to disagree where one had a field of the others %s', (_, field) => {
    const broken = neighbour('skipReason: SkipReason!', field)
    expect(conflicts(broken)).not.toEqual([])
    expect(validate(broken, parse(everyFieldOfEveryEvent(broken)))).not.toEqual([])
  })
})
