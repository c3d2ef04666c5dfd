import { randomUUID } from 'node:crypto'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { COSTLY, describeEngines } from '../support/engines.ts'
import {
  collect,
  collectSse,
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

const DELETE = 'mutation ($input: DeleteTaskInput!) { deleteTask(input: $input) { taskId } }'
const PROGRESS = /* GraphQL */ `
  subscription ($taskId: ID!) {
    trainingProgress(taskId: $taskId) {
      __typename
      ... on ProgressUpdate { message }
      ... on StreamClosing { closing: reason }
    }
  }`

/** A socket of its own, which can cease to read. */
function pausedReader(url: string, taskId: string) {
  const socket = new WebSocket(url, 'graphql-transport-ws')
  onTestFinished(() => socket.terminate())
  const received: string[] = []
  let isComplete = false
  socket.on('open', () => socket.send('{"type":"connection_init"}'))
  socket.on('message', (data) => {
    const { type, payload } = JSON.parse(String(data))
    const subscribe = { id: '1', type: 'subscribe', payload: { query: PROGRESS, variables: { taskId } } }
    if (type === 'connection_ack') socket.send(JSON.stringify(subscribe))
    if (type === 'next')
      received.push(payload.data.trainingProgress.closing ?? payload.data.trainingProgress.__typename)
    if (type === 'complete') isComplete = true
  })
  return {
    received,
    isComplete: () => isComplete,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  }
}

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
    if (engine !== 'redis') {
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

  it('a finished task is deleted: nobody finds it any more, and its idempotencyKey starts another', async () => {
    const [one, other] = await twoServers()
    const start = () => startExternal(one.url, { name: 'unicorn', idempotencyKey: 'key' })
    const taskId = await start()
    const { extensions, message } = await refusal(one.url, DELETE, { input: { taskId } })
    expect(extensions).toMatchObject({ code: 'TASK_NOT_ENDED', status: 'QUEUED', retryable: false })
    expect(message).toContain('cancel it')
    await report(one.url, taskId, ...progressReports(1, 3), { success: {} })
    expect(await run(other.url, DELETE, { input: { taskId } })).toEqual({ deleteTask: { taskId } })
    expect((await refusal(other.url, DELETE, { input: { taskId } })).extensions.code).toBe('TASK_NOT_FOUND')
    for (const { url } of [one, other]) {
      expect(await run(url, 'query ($id: ID!) { task(id: $id) { id } }', { id: taskId })).toEqual({
        task: null,
      })
      for (const filter of [null, { text: 'unicorn' }, { ids: [taskId] }])
        expect(await run(url, NAMES, { filter })).toEqual({ tasks: { edges: [] } })
    }
    expect(await start()).toBe(taskId)
    const { task } = await run(other.url, 'query ($id: ID!) { task(id: $id) { status current } }', {
      id: taskId,
    })
    expect(task).toEqual({ status: 'QUEUED', current: null })
  })

  it('streams of a deleted task that are open on any server complete, and say why', async () => {
    const servers = await twoServers()
    const [one] = servers
    const taskId = await startExternal(one.url)
    const readers = servers.map(({ webSocketUrl }) => pausedReader(webSocketUrl, taskId))
    const states = servers.map(({ webSocketUrl }) => {
      const received: Data[] = []
      const query =
        'subscription ($taskId: ID!) { taskProgress(taskId: $taskId, minIntervalMs: 1500) { status } }'
      const complete = collect(webSocketClient(webSocketUrl), query, { taskId }, ({ data }) =>
        received.push(data),
      )
      return { received, complete }
    })
    await until('the streams to be open', () =>
      [...readers, ...states].every(({ received }) => received.length > 0),
    )
    for (const reader of readers) reader.pause()
    const messageOf2Kb = 'x'.repeat(2000)
    for (let i = 0; i < 40; i++) {
      const reports = Array.from({ length: 200 }, (_, j) => ({
        progress: { current: i * 200 + j, message: messageOf2Kb },
      }))
      await report(one.url, taskId, ...reports)
    }
    await report(one.url, taskId, { success: {} })
    await run(one.url, DELETE, { input: { taskId } })
    for (const reader of readers) reader.resume()
    await until('the end of all', () => readers.every(({ isComplete }) => isComplete()))
    for (const { received } of readers) expect(received.at(-1)).toBe('the task was deleted')
    for (const { received, complete } of states) {
      await complete
      expect(received.at(-1).taskProgress.status).toBe('SUCCESS')
    }
  })

  it('a monitor learns of the ends it missed, and of tasks that leave its filter', async () => {
    const [one, other] = await twoServers()
    const updates = `subscription ($filter: TaskFilter, $finishedWithinSeconds: Int) {
      taskUpdates(filter: $filter, finishedWithinSeconds: $finishedWithinSeconds) { name status }
    }`
    const seen = (received: Data[]) =>
      received.map(({ taskUpdates: { name, status } }) => `${name} ${status}`)
    const ended = await startExternal(one.url, { name: 'ended' })
    await report(one.url, ended, { success: {} })
    const running = await startExternal(one.url, { name: 'running' })
    await report(one.url, running, ...progressReports(1, 1), { status: { status: 'RUNNING' } })
    const all = follow(other.webSocketUrl, updates, {})
    const present = follow(other.webSocketUrl, updates, { finishedWithinSeconds: 0 })
    const filtered = follow(other.webSocketUrl, updates, { filter: { statuses: ['RUNNING'] } })
    await until('the openings', () => all.length === 2 && present.length === 1 && filtered.length === 1)
    expect(seen(all)).toEqual(['running RUNNING', 'ended SUCCESS'])
    expect(seen(present)).toEqual(['running RUNNING'])
    await report(one.url, running, { failure: { error: 'no' } })
    await until('it to leave the filter', () => filtered.length === 2)
    expect(seen(filtered)).toEqual(['running RUNNING', 'running FAILURE'])
    const [refused] = await collectSse(one.url, updates, { finishedWithinSeconds: 604_801 })
    expect(refused?.errors?.[0]?.message).toContain('a whole number from 0 to 604800')
  })
}, COSTLY)
