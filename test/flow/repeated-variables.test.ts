import { expect, it } from 'vitest'
import { ask, DOOR_NAMES } from '../support/doors.ts'
import { startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'

const times = (count: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => text(i)).join(' ')

/** Each a document that makes gigabytes of the variable `v`, and what that is. */
const ATTACKS: Readonly<Record<string, { query: (id: string) => string; v: unknown }>> = {
  'parameters of a start': {
    query: () =>
      `mutation ($v: JSON) { startTraining(input: { trainer: "external", params: { a: [${'$v '.repeat(1400)}] } }) { task { id } } }`,
    v: 'x'.repeat(12_000),
  },
  'labels of a task': {
    query: (id) =>
      `mutation ($v: JSON) { updateTask(input: { taskId: "${id}", labels: { a: [${'$v '.repeat(1400)}] } }) { task { id } } }`,
    v: Array.from({ length: 4000 }, () => 1),
  },
  'labels of a filter': {
    query: () =>
      `query ($v: JSON) { tasks(filter: { labels: { a: [${'$v '.repeat(1400)}] } }) { edges { cursor } } }`,
    v: Array.from({ length: 2000 }, () => ({})),
  },
  'names of series': {
    query: (id) =>
      `query ($v: String!) { task(id: "${id}") { ${times(30, (i) => `a${i}: series(names: [${'$v '.repeat(64)}]) { name }`)} } }`,
    v: 'x'.repeat(12_000),
  },
  reports: {
    query: (id) =>
      `mutation ($v: ReportInput!) { reportMetrics(input: { taskId: "${id}", reports: [${'$v '.repeat(1000)}] }) { accepted } }`,
    v: {
      progress: {
        current: 1,
        metrics: Object.fromEntries(Array.from({ length: 700 }, (_, i) => [`metric_${i}`, i])),
      },
    },
  },
}

it.each(Object.entries(ATTACKS))(
  'a variable used time and again, as %s, is refused by every door',
  async (_, { query, v }) => {
    const server = await testServer()
    const id = await startExternal(server.url)
    for (const door of DOOR_NAMES) {
      // What is asked for by GET is bounded as headers are.
      const variables = door === 'GET' ? { v: typeof v === 'string' ? v.slice(0, 3000) : v } : { v }
      if (door === 'GET' && encodeURIComponent(JSON.stringify(variables)).length > 6000) continue
      if (door === 'GET' && query(id).startsWith('mutation')) continue
      const { errors } = await ask(door, server, { query: query(id), variables })
      expect({ door, errors }).toMatchObject({
        door,
        errors: [
          {
            message: expect.stringContaining('the variable $v is '),
            extensions: { code: 'QUERY_TOO_COMPLEX', retryable: false },
          },
        ],
      })
    }
  },
)

it('a subscription is held to it as queries are', async () => {
  const server = await testServer()
  const query = `subscription ($v: String!) { taskUpdates { ${times(4, (i) => `a${i}: series(names: [${'$v '.repeat(64)}]) { name }`)} } }`
  for (const door of ['server-sent events', 'WebSocket']) {
    const { errors } = await ask(door, server, { query, variables: { v: 'x'.repeat(60_000) } })
    expect(errors).toMatchObject([{ extensions: { code: 'QUERY_TOO_COMPLEX' } }])
  }
})

it('names and ids that nothing can have are refused, where their length is told', async () => {
  const server = await testServer()
  const id = await startExternal(server.url)
  const series = 'query ($id: ID!, $names: [String!]) { task(id: $id) { series(names: $names) { name } } }'
  const named = (length: number) =>
    ask('POST', server, { query: series, variables: { id, names: ['loss', '👍'.repeat(length)] } })
  expect((await named(133)).errors).toBeUndefined()
  expect((await named(134)).errors).toMatchObject([
    {
      message: 'names has one that is longer than 133 characters; expected names of at most as many',
      extensions: { code: 'BAD_INPUT' },
    },
  ])
  const found = 'query ($ids: [ID!]) { tasks(filter: { ids: $ids }) { edges { cursor } } }'
  const withIds = (length: number) =>
    ask('POST', server, { query: found, variables: { ids: [id, 'x'.repeat(length)] } })
  expect((await withIds(128)).data.tasks.edges).toHaveLength(1)
  expect((await withIds(129)).errors).toMatchObject([
    {
      message: 'filter.ids has one that is longer than 128 characters; expected ids of at most as many',
      extensions: { code: 'BAD_INPUT' },
    },
  ])
})
