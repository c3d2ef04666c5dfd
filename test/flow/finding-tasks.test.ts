import { expect, it } from 'vitest'
import { describeEngines, redisServer } from '../support/engines.ts'
import { progressReports, refusal, report, run, startExternal } from '../support/graphql.ts'
import { testRedis } from '../support/redis.ts'
import type { TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const TASKS = /* GraphQL */ `
  query ($filter: TaskFilter, $orderBy: TaskOrder, $first: Int, $after: String) {
    tasks(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {
      edges { node { id name } } pageInfo { hasNextPage endCursor }
    }
  }`

interface Edges {
  readonly edges: readonly { readonly node: { readonly id: string; readonly name: string | null } }[]
}

const found = async (
  { url }: Pick<TestServer, 'url'>,
  filter: unknown,
  more: Record<string, unknown> = {},
) => {
  const { tasks } = await run(url, TASKS, { filter, ...more })
  return (tasks as Edges).edges.map(({ node }) => node.name ?? node.id)
}

describeEngines((open) => {
  it('tasks are found by text, labels, dates and all else at once, each as soon as it is there', async () => {
    const server = await open()
    const { url } = server
    const start = (name: string, labels: unknown, machineId = 'm1') =>
      startExternal(url, { name, labels, machineId })
    const vision = await start('ResNet on Motors', { team: 'vision', sweep: { lr: 0.1 } })
    expect(await found(server, { text: 'resnet' })).toEqual(['ResNet on Motors'])
    await start('Ångström fit', { team: 'vision', sweep: { lr: 0.2 } }, 'm2')
    await start('a third', { team: 'speech', final: true })
    expect(await found(server, { text: 'MOTORS vision' })).toEqual(['ResNet on Motors'])
    expect(await found(server, { text: 'ångström' })).toEqual(['Ångström fit'])
    expect(await found(server, { text: vision.slice(3, 20) })).toEqual(['ResNet on Motors'])
    expect(await found(server, { text: 'external' })).toEqual(['a third', 'Ångström fit', 'ResNet on Motors'])
    expect(await found(server, { text: 'vision speech' })).toEqual([])
    expect(await found(server, { labels: { team: 'vision' } })).toEqual(['Ångström fit', 'ResNet on Motors'])
    expect(await found(server, { labels: { team: 'vision', sweep: { lr: 0.2 } } })).toEqual(['Ångström fit'])
    expect(await found(server, { labels: { final: true } })).toEqual(['a third'])
    expect(await found(server, { labels: { final: 'true' } })).toEqual([])
    expect(await found(server, { labels: { team: 'vision' }, machineId: 'm1' })).toEqual(['ResNet on Motors'])
    const { task } = await run(url, 'query ($id: ID!) { task(id: $id) { createdAt } }', { id: vision })
    expect(await found(server, { createdAfter: task.createdAt, text: 'motors' })).toEqual([])
    expect(await found(server, { createdBefore: '2020-01-01T00:00:00.000Z' })).toEqual([])
    expect(await found(server, { createdAfter: '2020-01-01T00:00:00.000Z' }, { first: 1 })).toEqual([
      'a third',
    ])
    await report(url, vision, { success: {} })
    expect(await found(server, { statuses: ['SUCCESS'] })).toEqual(['ResNet on Motors'])
    expect(await found(server, { statuses: ['QUEUED', 'RUNNING'], labels: { team: 'vision' } })).toEqual([
      'Ångström fit',
    ])
  })

  it('tasks come oldest first, or by their newest change, page by page', async () => {
    const server = await open()
    const ids = []
    for (const name of ['one', 'two', 'three']) ids.push(await startExternal(server.url, { name }))
    expect(await found(server, null, { orderBy: 'CREATED_ASC' })).toEqual(['one', 'two', 'three'])
    await report(server.url, ids[0] as string, ...progressReports(1, 1))
    expect(await found(server, null, { orderBy: 'UPDATED_DESC' })).toEqual(['one', 'three', 'two'])
    const page = async (after: string | null) =>
      (await run(server.url, TASKS, { orderBy: 'UPDATED_DESC', first: 2, after })).tasks
    const first = await page(null)
    expect(first.pageInfo.hasNextPage).toBe(true)
    const second = await page(first.pageInfo.endCursor)
    expect(second.pageInfo.hasNextPage).toBe(false)
    const names = [...first.edges, ...second.edges].map(({ node }: Edges['edges'][number]) => node.name)
    expect(names.sort()).toEqual(['one', 'three', 'two'])
    const { extensions, message } = await refusal(server.url, TASKS, { after: first.pageInfo.endCursor })
    expect(extensions.code).toBe('BAD_CURSOR')
    expect(message).toContain('another order')
  })

  it('filters outside their bounds are refused, with what was found and expected', async () => {
    const { url } = await open()
    for (const [filter, message] of [
      [{ labels: ['vision'] }, 'expected a JSON object'],
      [{ labels: { team: ['vision'] } }, 'filter.labels.team is ["vision"]; expected'],
      [{ labels: { team: null } }, 'filter.labels.team is null; expected'],
      [{ labels: { team: {} } }, 'filter.labels.team is {}; expected'],
      [{ labels: { a: { b: 1, c: { d: {} } } } }, 'filter.labels.a.c.d is {}; expected'],
      [{ labels: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`l${i}`, i])) }, 'has 33 values'],
      [{ text: 'x '.repeat(129) }, 'at most 256 characters'],
      [{ text: Array.from({ length: 17 }, (_, i) => i).join(' ') }, 'has 17 words'],
      [{ createdAfter: 'yesterday' }, 'expected an RFC 3339 date-time'],
    ] as const) {
      const refused = await refusal(url, TASKS, { filter })
      expect(refused.extensions.code).toBe('BAD_INPUT')
      expect(refused.message).toContain(message)
    }
  })
})

// A second server needs an engine outside of the first.
it('what one server starts is soon found on the other', async () => {
  const redis = await testRedis()
  const env = { EPOCHCAST_KEY_PREFIX: 'finding:' }
  const [one, other] = [await redisServer(redis, env), await redisServer(redis, env)]
  expect(await found(other, { text: 'unicorn' })).toEqual([])
  const id = await startExternal(one.url, { name: 'unicorn' })
  await until('it to be found', async () => (await found(other, { text: 'unicorn' })).length === 1)
  await report(one.url, id, { failure: { error: 'no' } })
  await until('its end', async () => (await found(other, { statuses: ['FAILURE'] })).length === 1)
})
