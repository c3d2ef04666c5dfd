import { expect, it, onTestFinished } from 'vitest'
import { describeEngines, type OpenServer, redisServer } from '../support/engines.ts'
import {
  collect,
  type Data,
  post,
  REPORT,
  type Result,
  run,
  START,
  startExternal,
  webSocketClient,
} from '../support/graphql.ts'
import { TestRedis } from '../support/redis.ts'
import type { TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

interface Door {
  readonly query: string
  readonly variables?: (taskId: string, channelPrefix: string | null) => Record<string, unknown>
}

const ofTask = (taskId: string, channelPrefix: string | null) => ({ input: { taskId, channelPrefix } })
const reports = [{ progress: { current: 66 } }]

/** Every way in which a caller names a task. */
const DOORS: Readonly<Record<string, Door>> = {
  'a report': {
    query: REPORT,
    variables: (taskId, channelPrefix) => ({ input: { taskId, channelPrefix, reports } }),
  },
  'a report beside others': {
    query: `mutation ($input: ReportMetricsInput!) { a: reportMetrics(input: $input) { accepted } __typename }`,
    variables: (taskId, channelPrefix) => ({ input: { taskId, channelPrefix, reports } }),
  },
  'a task': {
    query: `query ($taskId: ID!, $channelPrefix: String) { task(id: $taskId, channelPrefix: $channelPrefix) { id } }`,
  },
  'its series': {
    query: `query ($taskId: ID!, $channelPrefix: String) {
      task(id: $taskId, channelPrefix: $channelPrefix) { series(names: ["loss"]) { name } }
    }`,
  },
  'a change': {
    query: `mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { task { id } } }`,
    variables: (taskId, channelPrefix) => ({ input: { taskId, channelPrefix, name: 'mine' } }),
  },
  'a deletion': {
    query: `mutation ($input: DeleteTaskInput!) { deleteTask(input: $input) { __typename } }`,
    variables: ofTask,
  },
  'a cancellation': {
    query: `mutation ($input: CancelTrainingInput!) { cancelTraining(input: $input) { task { id } } }`,
    variables: ofTask,
  },
  trainingProgress: {
    query: `subscription ($taskId: ID!, $channelPrefix: String) {
      trainingProgress(taskId: $taskId, channelPrefix: $channelPrefix) { __typename }
    }`,
  },
  taskProgress: {
    query: `subscription ($taskId: ID!, $channelPrefix: String) {
      taskProgress(taskId: $taskId, channelPrefix: $channelPrefix) { status }
    }`,
  },
}

async function knock(
  server: TestServer,
  door: Door,
  taskId: string,
  channelPrefix: string | null,
): Promise<Result> {
  const variables = door.variables?.(taskId, channelPrefix) ?? { taskId, channelPrefix }
  if (!door.query.startsWith('subscription')) return post(server.url, door.query, variables)
  const results = await collect(webSocketClient(server.webSocketUrl), door.query, variables).catch(
    (errors) => [{ errors }],
  )
  return results[0] as Result
}

const codeOf = ({ data, errors }: Result): unknown =>
  errors?.[0]?.extensions.code ?? (data?.task === null ? 'TASK_NOT_FOUND' : 'served')

/** A server with one run, which nobody may reach by another name than its own. */
async function withRun(open: OpenServer, prefixes: string) {
  const server = await open({ EPOCHCAST_CHANNEL_PREFIXES: prefixes })
  const id = await startExternal(server.url, { channelPrefix: 'gan:training' })
  // The writer remembers a task from its first report on.
  await run(server.url, REPORT, { input: { taskId: id, reports: [{ progress: { current: 1 } }] } })
  const untouched = async () => {
    const { task } = await run(
      server.url,
      `query ($id: ID!) { task(id: $id) { current name stopRequested status } }`,
      { id },
    )
    expect(task).toEqual({ current: 1, name: null, stopRequested: false, status: 'RUNNING' })
  }
  return { server, id, untouched }
}

describeEngines((open) => {
  it('no door takes a prefix and an id that only together read like those of a task', async () => {
    const { server, id, untouched } = await withRun(open, 'gan:training')
    for (const [name, door] of Object.entries(DOORS)) {
      const codes: unknown[] = []
      for (const [taskId, prefix] of [
        [`training:${id}`, 'gan'],
        [`training:${id}`, null],
        [id, 'gan:training:'],
        [`:${id}`, 'gan:training'],
        [id, 'GAN:training'],
        [id, 'gаn:training'],
      ] as const)
        codes.push(codeOf(await knock(server, door, taskId, prefix)))
      const other = 'CHANNEL_PREFIX_NOT_ALLOWED'
      expect(codes, name).toEqual([other, 'TASK_NOT_FOUND', other, 'TASK_NOT_FOUND', other, other])
    }
    await untouched()
  })

  it('not even where the shorter prefix is one of the server', async () => {
    const { server, id, untouched } = await withRun(open, 'gan,gan:training')
    for (const [name, door] of Object.entries(DOORS)) {
      const codes = [
        codeOf(await knock(server, door, `training:${id}`, 'gan')),
        codeOf(await knock(server, door, `training:${id}`, null)),
      ]
      expect(codes, name).toEqual(['TASK_NOT_FOUND', 'TASK_NOT_FOUND'])
    }
    await untouched()
  })

  it('a retry names its task by the same rule, and starts nothing under another prefix', async () => {
    const { server, id } = await withRun(open, 'gan,gan:training')
    await run(server.url, REPORT, { input: { taskId: id, reports: [{ success: {} }] } })
    const retried = await post(server.url, START, {
      input: { retryOf: `training:${id}`, channelPrefix: 'gan' },
    })
    expect(codeOf(retried)).toBe('TASK_NOT_FOUND')
    for (const channelPrefix of [
      '*',
      '__keyspace@0__',
      '../',
      'gan:',
      ':training',
      '{gan}',
      'gan\u200b',
      'x'.repeat(64),
    ]) {
      const started = await post(server.url, START, { input: { trainer: 'external', channelPrefix } })
      expect(codeOf(started), channelPrefix).toBe('CHANNEL_PREFIX_NOT_ALLOWED')
    }
    for (const channelPrefix of ['', 'gan\n', 'gan\0', 'x'.repeat(65)]) {
      const started = await post(server.url, START, { input: { trainer: 'external', channelPrefix } })
      expect(codeOf(started), JSON.stringify(channelPrefix)).toBe('BAD_INPUT')
    }
    const { tasks } = await run(server.url, '{ tasks { edges { node { channel } } } }')
    expect(tasks.edges).toEqual([{ node: { channel: `gan:training:${id}` } }])
  })

  it.each(['*', '{x}', 'x}:state', '../x', 'x\u2028', 'ｘ', 'x'.repeat(128)])(
    'an id such as %j is that of no task, and no error of the server',
    async (taskId) => {
      const server = await open()
      for (const [name, door] of Object.entries(DOORS))
        expect(codeOf(await knock(server, door, taskId, 'gan:training')), name).toBe('TASK_NOT_FOUND')
    },
  )
})

// Of servers that share one Redis; the memory engine belongs to one.
it('a server neither lists nor tells tasks under prefixes that are not its own', async () => {
  const redis = await TestRedis.start()
  onTestFinished(() => redis.close())
  const shared = { EPOCHCAST_KEY_PREFIX: 'names:' }
  const both = await redisServer(redis, {
    ...shared,
    EPOCHCAST_CHANNEL_PREFIXES: 'llm:training,gan:training',
  })
  const narrow = await redisServer(redis, { ...shared, EPOCHCAST_CHANNEL_PREFIXES: 'gan:training' })
  const updates = collect(
    webSocketClient(narrow.webSocketUrl),
    'subscription { taskUpdates { channel } }',
    {},
    ({ data }) => told.push(data.taskUpdates.channel),
  )
  updates.catch(() => {})
  const told: string[] = []
  await until('the subscription', () => narrow.gauges().updateSubscribers === 1)
  const foreign = await startExternal(both.url, { channelPrefix: 'llm:training' })
  const own: string[] = []
  for (let i = 0; i < 3; i++) {
    own.unshift(await startExternal(both.url, { channelPrefix: 'gan:training' }))
    await startExternal(both.url, { channelPrefix: 'llm:training' })
  }
  await until('its own to be told', () => told.includes(`gan:training:${own[0]}`))
  expect(new Set(told)).toEqual(new Set(own.map((id) => `gan:training:${id}`)))
  const idsOf = async (args: string) => {
    const { tasks } = await run(
      narrow.url,
      `{ tasks(${args}) { edges { cursor node { id } } pageInfo { hasNextPage endCursor } } }`,
    )
    return { ids: tasks.edges.map((edge: Data) => edge.node.id), ...tasks.pageInfo }
  }
  for (const order of [
    '',
    ', orderBy: CREATED_ASC',
    ', orderBy: UPDATED_DESC',
    ', filter: { statuses: [QUEUED] }',
  ])
    expect((await idsOf(`first: 10${order}`)).ids.sort(), order).toEqual([...own].sort())
  const first = await idsOf('first: 2')
  expect(first).toMatchObject({ ids: own.slice(0, 2), hasNextPage: true })
  expect(await idsOf(`first: 2, after: "${first.endCursor}"`)).toMatchObject({
    ids: own.slice(2),
    hasNextPage: false,
  })
  expect((await idsOf(`filter: { ids: ["${foreign}"] }`)).ids).toEqual([])
})
