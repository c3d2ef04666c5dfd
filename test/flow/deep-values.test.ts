import { describe, expect, it } from 'vitest'
import { LIMITS } from '../../src/task/limits.ts'
import { type Asked, ask, DOOR_NAMES } from '../support/doors.ts'
import { REPORT, refusal, run, START, startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'

/** Stands for lists within each other, which are put in its place where there are too many for JSON.stringify. */
const DEEP = 'deep'
const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`
const rewriteTo = (levels: number) => (text: string) => text.replace(`"${DEEP}"`, deep(levels))
const message = expect.stringContaining('the value has more than 64 lists and objects within one another')

describe('a value of any JSON', () => {
  it.each(['labels', 'params'])('as %s has at most 64 levels', async (field) => {
    const { url } = await testServer()
    const variables = { input: { trainer: 'external', [field]: { a: DEEP } } }
    const start = (levels: number) =>
      ask('POST', { url, rewrite: rewriteTo(levels - 1) }, { query: START, variables })
    expect((await start(LIMITS.jsonDepth)).errors).toBeUndefined()
    for (const levels of [LIMITS.jsonDepth + 1, 4090, 100_000]) {
      const { errors } = await start(levels)
      expect(errors).toMatchObject([
        { message: message, extensions: { code: 'BAD_INPUT', retryable: false } },
      ])
      expect(errors?.[0]?.message).toMatch(new RegExp(`^input\\.${field}: the value`))
    }
  })

  it('as the result of a training has at most 64 levels', async () => {
    const { url } = await testServer()
    const report = (taskId: string, levels: number) => ({
      input: { taskId, reports: [{ success: { result: JSON.parse(deep(levels)) } }] },
    })
    const taskId = await startExternal(url)
    const error = await refusal(url, REPORT, report(taskId, 65))
    expect(error).toMatchObject({ message: message, extensions: { code: 'BAD_INPUT' } })
    await run(url, REPORT, report(taskId, 64))
    const { task } = await run(url, `{ task(id: "${taskId}") { result } }`)
    expect(JSON.stringify(task.result)).toBe(deep(64))
  })

  it('as a filter of labels, or written into the document, is bounded in the same way', async () => {
    const { url } = await testServer()
    const query = 'query ($labels: JSON) { tasks(filter: { labels: $labels }) { edges { cursor } } }'
    expect(await refusal(url, query, { labels: { a: JSON.parse(deep(64)) } })).toMatchObject({
      message: message,
    })
    const written = (levels: number) =>
      `mutation { startTraining(input: { trainer: "external", labels: {a: ${'['.repeat(levels)}${']'.repeat(levels)}} }) { task { id } } }`
    expect(await refusal(url, written(100))).toMatchObject({
      message: expect.stringContaining('brackets within each other'),
    })
    expect(await run(url, written(50))).toHaveProperty('startTraining')
    const inner =
      'mutation ($v: JSON) { startTraining(input: { trainer: "external", labels: {a: [$v]} }) { task { id } } }'
    expect((await refusal(url, inner, { v: JSON.parse(deep(63)) })).extensions.retryable).toBe(false)
  })
})

it.each<[string, Asked]>([
  ['variables that nobody declared', { query: '{ server { version } }', variables: { value: DEEP } }],
  ['extensions', { query: '{ server { version } }', extensions: { value: DEEP } }],
  ['an id', { query: 'query ($id: ID!) { task(id: $id) { id } }', variables: { id: DEEP } }],
  [
    'a number',
    {
      query: 'query ($n: Int) { tasks(first: $n) { edges { cursor } } }',
      variables: { n: DEEP },
    },
  ],
  [
    'a time',
    {
      query: 'query ($t: DateTime) { tasks(filter: { createdAfter: $t }) { edges { cursor } } }',
      variables: { t: DEEP },
    },
  ],
  [
    'a list',
    {
      query: 'query ($ids: [ID!]) { tasks(filter: { ids: $ids }) { edges { cursor } } }',
      variables: { ids: DEEP },
    },
  ],
  ['an input', { query: START, variables: { input: DEEP } }],
  [
    'a metric',
    {
      query: REPORT,
      variables: { input: { taskId: 'a', reports: [{ progress: { current: 1, metrics: { a: DEEP } } }] } },
    },
  ],
  [
    'metrics',
    {
      query: REPORT,
      variables: { input: { taskId: 'a', reports: [{ progress: { current: 1, metrics: DEEP } }] } },
    },
  ],
  ['the id of a document', { query: '', extensions: { persistedQuery: { sha256Hash: DEEP } } }],
])('10,000 levels as %s are no failure of the server, through any door', async (_, asked) => {
  const server = await testServer()
  for (const door of DOOR_NAMES) {
    if (door === 'GET') continue
    for (const levels of [10_000]) {
      const { data, errors } = await ask(door, { ...server, rewrite: rewriteTo(levels) }, asked)
      if (errors) expect(errors[0]?.extensions).toMatchObject({ retryable: false })
      else expect(data.server.version).toBeTypeOf('string')
    }
  }
  expect(await run(server.url, '{ server { version } }')).toHaveProperty('server')
})
