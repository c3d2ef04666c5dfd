import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { describeEngines } from '../support/engines.ts'
import {
  type Data,
  progressReports,
  refusal,
  report,
  run,
  startExternal,
  webSocketClient,
} from '../support/graphql.ts'
import { until } from '../support/until.ts'

const UPDATE = /* GraphQL */ `
  mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { task { id name labels status updatedAt } } }`
const NAMES = 'query ($filter: TaskFilter) { tasks(filter: $filter) { edges { node { name } } } }'
const OPENED = /* GraphQL */ `
  subscription ($taskId: ID!) { trainingProgress(taskId: $taskId) { ... on StreamOpened { task { name labels } } } }`

/** What a subscription has delivered so far. */
function follow(url: string, query: string, variables: Record<string, unknown>): Data[] {
  const received: Data[] = []
  const results = webSocketClient(url).iterate({ query, variables })
  void (async () => {
    for await (const { data } of results) received.push(data)
  })()
  return received
}

describeEngines((open, engine) => {
  const twoServers = async () => {
    // A second server needs an engine outside of the first.
    if (engine === 'memory') {
      const server = await open()
      return [server, server] as const
    }
    const env = { EPOCHCAST_KEY_PREFIX: `${randomUUID()}:` }
    return [await open(env), await open(env)] as const
  }

  it('a task gets another name and other labels while it runs and after its end, and is found by them', async () => {
    const [one, other] = await twoServers()
    const taskId = await startExternal(one.url, { name: 'before', labels: { team: 'vision', stage: 1 } })
    const update = async (input: Record<string, unknown>) =>
      (await run(one.url, UPDATE, { input: { taskId, ...input } })).updateTask.task
    const updates = follow(other.webSocketUrl, 'subscription { taskUpdates { name } }', {})
    await until('the subscription', () => updates.length === 1)
    expect(await update({ name: 'after' })).toMatchObject({
      name: 'after',
      labels: { team: 'vision', stage: 1 },
    })
    await until('the other name', () => updates.at(-1)?.taskUpdates.name === 'after')
    await report(other.url, taskId, ...progressReports(1, 3))
    expect(await update({ labels: { team: 'speech' } })).toMatchObject({
      name: 'after',
      labels: { team: 'speech' },
    })
    const names = async (url: string, filter: unknown) =>
      (await run(url, NAMES, { filter })).tasks.edges.map(({ node }: Data) => node.name)
    expect(await names(one.url, { labels: { team: 'speech' }, text: 'AFTER' })).toEqual(['after'])
    expect(await names(one.url, { labels: { team: 'vision' } })).toEqual([])
    await until(
      'the other server to know',
      async () => (await names(other.url, { text: 'speech' })).length === 1,
    )

    await report(other.url, taskId, { success: {} })
    expect(await update({ name: null, labels: null })).toMatchObject({
      name: null,
      labels: null,
      status: 'SUCCESS',
    })
    const { task } = await run(other.url, 'query ($id: ID!) { task(id: $id) { name labels current } }', {
      id: taskId,
    })
    expect(task).toEqual({ name: null, labels: null, current: 3 })
  })

  it('who watches a task sees its new name when the stream is opened again', async () => {
    const [one, other] = await twoServers()
    const taskId = await startExternal(one.url)
    const first = follow(other.webSocketUrl, OPENED, { taskId })
    await until('the first to be opened', () => first.length === 1)
    expect(first[0].trainingProgress.task.name).toBe(null)
    await run(one.url, UPDATE, { input: { taskId, name: 'a name' } })
    await until('the name', async () => {
      const again = follow(other.webSocketUrl, OPENED, { taskId })
      await until('it to be opened', () => again.length === 1)
      return again[0].trainingProgress.task.name === 'a name'
    })
  })

  it('what is no name, no labels or no task is refused', async () => {
    const [{ url }] = await twoServers()
    const taskId = await startExternal(url)
    const refused = async (input: Record<string, unknown>) =>
      (await refusal(url, UPDATE, { input })).extensions.code
    expect(await refused({ taskId, name: '' })).toBe('BAD_INPUT')
    expect(await refused({ taskId, name: 'x'.repeat(257) })).toBe('BAD_INPUT')
    expect(await refused({ taskId, name: 'two\nlines' })).toBe('BAD_INPUT')
    expect(await refused({ taskId, labels: ['vision'] })).toBe('BAD_INPUT')
    expect(await refused({ taskId: 'nobody', name: 'x' })).toBe('TASK_NOT_FOUND')
  })
})
