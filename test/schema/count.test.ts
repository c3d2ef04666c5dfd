import { execute, parse, validate } from 'graphql'
import { describe, expect, it } from 'vitest'
import type { Context } from '../../src/schema/context.ts'
import { schema } from '../../src/schema/index.ts'
import type { Report } from '../../src/task/report.ts'

const MAX = Number.MAX_SAFE_INTEGER

/** The `current` of a report whose `current` is written as given, or what is wrong with it. */
async function currentOf(written: string, variables?: { current: unknown }): Promise<unknown> {
  let taken: readonly Report[] = []
  const report = async (
    ...[, , , { reports }]: [unknown, unknown, unknown, { reports: readonly Report[] }]
  ) => {
    taken = reports
    return { accepted: 1 }
  }
  const document = parse(`mutation ${variables ? '($current: Count!)' : ''} {
    reportMetrics(input: { taskId: "a", reports: [{ progress: { current: ${written} } }] }) { accepted }
  }`)
  const [invalid] = validate(schema, document)
  if (invalid) return invalid.message
  const contextValue = { services: { ingest: { report } } } as unknown as Context
  const { errors } = await execute({ schema, document, variableValues: variables ?? {}, contextValue })
  return errors?.[0]?.message ?? taken[0]?.progress?.current
}

describe('a count', () => {
  it.each([0, 7, 2 ** 31, MAX])('is %d, as a literal and in a variable', async (count) => {
    expect(await currentOf(String(count))).toBe(count)
    expect(await currentOf('$current', { current: count })).toBe(count)
  })

  it.each([
    ['negative', '-1', -1],
    ['a fraction', '1.5', 1.5],
    ['larger than JSON numbers are exact', '9007199254740993', MAX + 1],
    ['a text', '"7"', '7'],
    ['a Boolean', 'true', true],
    ['a list', '[7]', [7]],
  ])('is not %s', async (_, literal, value) => {
    const expected = /the count is .*; expected a whole number from 0 to 9007199254740991/
    expect(await currentOf(literal)).toMatch(expected)
    expect(await currentOf('$current', { current: value })).toMatch(expected)
  })

  it('is not null where it must be given', async () => {
    expect(await currentOf('null')).toMatch(/found null/)
  })
})
