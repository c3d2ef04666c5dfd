import { parse } from 'graphql'
import { describe, expect, it } from 'vitest'
import { checkVariableUses } from '../../src/execution/variables.ts'
import { schema } from '../../src/schema/index.ts'
import { LIMITS } from '../../src/task/limits.ts'

const MAX = LIMITS.repeatedVariablesBytes

/** Whether it is refused that the variable `v` is a text of so many bytes of JSON, quotes included. */
function isRefused(query: string, bytes: number, operationName?: string): boolean {
  const variableValues = { v: 'x'.repeat(bytes - 2), other: 1 }
  try {
    checkVariableUses({ schema, document: parse(query), operationName, variableValues })
    return false
  } catch (error) {
    expect(error).toMatchObject({ code: 'QUERY_TOO_COMPLEX' })
    return true
  }
}

const list = (times: number) => `[${'$v '.repeat(times)}]`

/** Operations that use `v` so many times. */
const USES: Readonly<Record<string, [times: number, query: string, operationName?: string]>> = {
  'in a list': [8, `query ($v: String) { tasks(filter: { labels: { a: ${list(8)} } }) { __typename } }`],
  'in objects': [
    4,
    'query ($v: String) { tasks(filter: { labels: { a: $v, b: { c: [{ d: $v }, $v] }, e: $v } }) { __typename } }',
  ],
  'in fields': [
    3,
    'query ($v: ID!) { a: task(id: $v) { id } b: task(id: $v) { id } c: task(id: $v) { id } }',
  ],
  'in directives': [
    4,
    'query ($v: Boolean!) { server @skip(if: $v) { version @include(if: $v) } ... @skip(if: $v) { __typename @skip(if: $v) } }',
  ],
  'in fragments, wherever they are spread': [
    18,
    `query ($v: String) { a: tasks { ...P } b: tasks { ...P ...Q } ... { c: tasks { ...P } } }
     fragment P on TaskConnection { edges { node { ...T } x: node { ...T } } }
     fragment T on Task { series(names: [$v $v]) { name } }
     fragment Q on TaskConnection { edges { node { y: series(names: ${list(6)}) { name } } } }`,
  ],
  'in the operation that is run': [
    2,
    `query A($v: String) { tasks(filter: { labels: { a: ${list(100)} } }) { __typename } }
     query B($v: String) { tasks(filter: { labels: { a: ${list(2)} } }) { __typename } }`,
    'B',
  ],
}

describe('a variable that is used more than once counts as often', () => {
  it.each(Object.entries(USES))('%s', (_, [times, query, operationName]) => {
    const most = Math.floor(MAX / times)
    expect(isRefused(query, most, operationName)).toBe(false)
    expect(isRefused(query, most + 1, operationName)).toBe(true)
  })

  it('together with others that are', () => {
    const document = parse(
      'query ($v: String, $w: JSON) { tasks(filter: { labels: { a: [$v $v], b: [$w $w] } }) { __typename } }',
    )
    const check = (bytes: number) => () =>
      checkVariableUses({
        schema,
        document,
        variableValues: { v: 'x'.repeat(bytes - 2), w: ['x'.repeat(MAX / 4 - 4)] },
      })
    expect(check(MAX / 4)).not.toThrow()
    expect(check(MAX / 4 + 1)).toThrow(
      `the variable $w is ${MAX / 4} bytes of JSON and used 2 times; expected at most ${MAX} bytes of all variables that are used more than once, counted at each use`,
    )
  })

  it('by its default, where it is left out', () => {
    const query = (bytes: number, times: number) =>
      parse(
        `query ($v: String = "${'x'.repeat(bytes - 2)}") { tasks(filter: { labels: { a: ${list(times)} } }) { __typename } }`,
      )
    const check = (times: number, variableValues: Record<string, unknown> | null) => () =>
      checkVariableUses({ schema, document: query(32_768, times), variableValues })
    expect(check(32, {})).not.toThrow()
    expect(check(33, {})).toThrow('is 32768 bytes of JSON and used 33 times')
    expect(check(33, null)).toThrow('used 33 times')
    expect(check(33, { v: 'short' })).not.toThrow()
  })

  it('also where it is too deep to be written', () => {
    let deep: unknown = 1
    for (let i = 0; i < 100_000; i++) deep = [deep]
    const document = parse('query ($v: JSON) { tasks(filter: { labels: { a: [$v $v] } }) { __typename } }')
    expect(() => checkVariableUses({ schema, document, variableValues: { v: deep } })).toThrow(
      'the variable $v is too many bytes of JSON and used 2 times',
    )
  })

  it('and one that is used once does not', () => {
    expect(
      isRefused('query ($v: String) { tasks(filter: { labels: { a: $v } }) { __typename } }', 4 * MAX),
    ).toBe(false)
    expect(
      isRefused(
        'query ($v: String, $other: Int) { tasks(first: $other) { a: edges { cursor } } more: tasks(first: $other) { __typename } }',
        4 * MAX,
      ),
    ).toBe(false)
  })
})
