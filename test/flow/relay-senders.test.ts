import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import { anyJson } from '../support/any-json.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { describeEngines, isReady, redisServer } from '../support/engines.ts'
import { CANCEL, type Data, post, run, startExternal } from '../support/graphql.ts'
import { testRedis } from '../support/redis.ts'
import { testSeed, withSeed } from '../support/seed.ts'
import { type TestServer, testServer } from '../support/server.ts'
import { SECRET_ENV, tokenFor } from '../support/tokens.ts'
import { until } from '../support/until.ts'

const TASKS = /* GraphQL */ `query {
  tasks(first: 4, orderBy: CREATED_ASC) { edges { node {
    id channelPrefix name status message epoch metrics error { message type } result labels
    events(first: 40) { edges { node { __typename timestamp
      ... on EpochStarted { epoch } ... on EpochEnded { epoch phase metrics } ... on RoundEnded { round }
      ... on ErrorReported { error } ... on StatusChanged { status message }
    } } }
  } } } }`

async function tasksOf({ url }: Pick<TestServer, 'url'>, bearer?: string): Promise<Data[]> {
  const { tasks } = await run(url, TASKS, {}, bearer)
  return tasks.edges.map(({ node }: Data) => ({
    ...node,
    events: node.events.edges.map((edge: Data) => edge.node),
  }))
}

const epochsOf = ({ events }: Data) =>
  events.flatMap(({ __typename, epoch }: Data) => (__typename === 'EpochEnded' ? [epoch] : []))

const text = (type: string, data: object, more: object = {}) => JSON.stringify({ type, data, ...more })
const epochEnd = (epoch: number, more: object = {}) =>
  text('epoch_end', { epoch, phase: 'train', metrics: { loss: 1 / epoch } }, more)

const open = (
  { webSocketUrl }: Pick<TestServer, 'webSocketUrl'>,
  query = '',
  options: ClientOptions = {},
) => {
  const socket = new WebSocket(new URL(`/ws/ingest${query}`, webSocketUrl), options)
  onTestFinished(() => socket.terminate())
  socket.on('error', () => {})
  const told: Data[] = []
  const closes: { code: number; reason: string }[] = []
  socket.on('message', (data) => told.push(JSON.parse(String(data))))
  socket.on('close', (code, reason) => closes.push({ code, reason: String(reason) }))
  return {
    socket,
    told,
    opened: () => once(socket, 'open'),
    has: (count: number) => until(`${count} answers`, () => told.length >= count),
    closed: () => until('the close', () => closes[0]),
  }
}

/** As the old sender does it: a connection for each message, closed as soon as it is written. */
async function send(server: TestServer, query: string, ...messages: string[]): Promise<void> {
  for (const message of messages) {
    const { socket, opened } = open(server, query)
    await opened()
    socket.send(message)
    socket.close()
    await once(socket, 'close')
  }
}

const settled = (server: TestServer, isSettled: (tasks: Data[]) => unknown): Promise<Data[]> =>
  until('the tasks', async () => {
    const tasks = await tasksOf(server)
    return isSettled(tasks) ? tasks : undefined
  })

describeEngines((openServer, engine) => {
  it('messages over a connection each are one run, whole and in order, to its end', async () => {
    const server = await openServer()
    await send(
      server,
      '',
      text('status', { status: 'running', message: 'loading' }),
      ...[1, 2, 3].flatMap((epoch) => [text('epoch_start', { epoch, total_epochs: 3 }), epochEnd(epoch)]),
      text('round_end', { round: 1, total_rounds: 2, fit_metrics: { loss: 1 }, eval_metrics: { loss: 2 } }),
      text('error', { error: 'a client left', error_type: 'E' }),
      text('status', { status: 'completed', message: 'saved' }),
    )
    const [task, ...others] = await settled(server, ([one]) => one?.status === 'SUCCESS')
    expect(others).toEqual([])
    expect(task.events.map(({ __typename }: Data) => __typename).slice(2)).toEqual([
      'StatusChanged',
      ...['EpochStarted', 'EpochEnded', 'EpochStarted', 'EpochEnded', 'EpochStarted', 'EpochEnded'],
      ...['RoundEnded', 'ErrorReported', 'StatusChanged', 'TrainingSucceeded'],
    ])
    expect(epochsOf(task)).toEqual([1, 2, 3])
    expect(task.message).toBe('saved')
  })

  it('a named task that is not known is registered, once, however many come at once', async () => {
    const server = await openServer()
    const senders = Array.from({ length: 10 }, (_, i) =>
      send(server, '?task_id=run-7&name=press', epochEnd(i + 1)),
    )
    await Promise.all(senders)
    const [task, ...others] = await settled(server, ([one]) => one && epochsOf(one).length === 10)
    expect(others).toEqual([])
    expect(task).toMatchObject({
      id: 'run-7',
      channelPrefix: 'gan:training',
      name: 'press',
      status: 'RUNNING',
    })
    await send(server, '?task_id=run-8&channel_prefix=ml:training', epochEnd(1))
    const [, second] = await settled(server, ({ length }) => length === 2)
    expect(second).toMatchObject({ id: 'run-8', channelPrefix: 'ml:training' })
    // One that is known, under whichever prefix.
    await send(server, '?task_id=run-8', text('status', { status: 'failed', message: 'no data' }))
    const [, failed] = await settled(server, ([, one]) => one?.status === 'FAILURE')
    expect(failed.error).toEqual({ message: 'no data', type: null })
  })

  it('goes on after a restart of the server, and with the next run after an end', async () => {
    const store = {
      memory: {},
      lmdb: { EPOCHCAST_DATA: dataDirectory() },
      redis: { EPOCHCAST_KEY_PREFIX: `${randomUUID()}:` },
    }[engine]
    const first = await openServer(store)
    await send(first, '?name=a', epochEnd(1))
    await send(first, '', epochEnd(1))
    await settled(first, (tasks) => tasks.length === 2 && tasks.every((one) => epochsOf(one).length === 1))
    // In memory nothing outlives a server.
    if (engine !== 'memory') await first.close()
    const server = engine === 'memory' ? first : await openServer(store)
    await send(server, '?name=a', epochEnd(2))
    await send(server, '', epochEnd(2))
    const found = await settled(server, (all) => all.every((one) => epochsOf(one).includes(2)))
    expect(found.map(epochsOf)).toEqual([
      [1, 2],
      [1, 2],
    ])
    await send(server, '?name=a', text('status', { status: 'done' }), text('error', { error: 'late' }))
    await send(server, '?name=a', text('epoch_start', { epoch: 1 }), epochEnd(1))
    const runs = await settled(server, (tasks) => tasks.length === 3 && epochsOf(tasks[2]).length === 1)
    expect(runs.map(({ status }) => status)).toEqual(['SUCCESS', 'RUNNING', 'RUNNING'])
    expect(runs[2].name).toBe('a')
    expect(runs[0].events.at(-1).__typename).toBe('TrainingSucceeded')
  })
})

describe('a sender to /ws/ingest', () => {
  it('keeps trainings apart by their names, also from one address', async () => {
    const server = await testServer()
    const senders = ['?name=a', '?run=b', '?name=a&channel_prefix=ml:training', ''].map((query) =>
      open(server, query),
    )
    await Promise.all(senders.map(({ opened }) => opened()))
    for (const epoch of [1, 2, 3]) for (const { socket } of senders) socket.send(epochEnd(epoch))
    const tasks = await settled(
      server,
      (all) => all.length === 4 && all.every((one) => epochsOf(one).length === 3),
    )
    expect(new Set(tasks.map(({ name, channelPrefix }) => `${channelPrefix} ${name}`))).toEqual(
      new Set(['gan:training a', 'gan:training b', 'ml:training a', 'gan:training null']),
    )
  })

  it('begins another run after a quiet time, unless its socket is open', async () => {
    const server = await testServer({ EPOCHCAST_RELAY_QUIET_SECONDS: '1' })
    const kept = open(server, '?name=kept&ack=true')
    await kept.opened()
    kept.socket.send(epochEnd(1))
    await send(server, '', epochEnd(1))
    const isQuiet = ({ events }: Data) => Date.now() - Date.parse(events.at(-1).timestamp) > 1200
    await settled(server, (all) => all.length === 2 && all.every(isQuiet))
    await send(server, '', epochEnd(2))
    kept.socket.send(epochEnd(2))
    await kept.has(2)
    const tasks = await settled(server, ({ length }) => length === 3)
    const ofName = (name: string | null) => tasks.filter((one) => one.name === name).map(epochsOf)
    expect(ofName('kept')).toEqual([[1, 2]])
    expect(ofName(null)).toEqual([[1], [2]])
  })

  it('is told of a bad message, and the others are taken', async () => {
    const server = await testServer()
    const { socket, told, opened, has } = open(server, '?task_id=t&ack=true')
    await opened()
    const messages = [
      epochEnd(1),
      '{"type": "epoch_end", "data": {"epoch": 2, "metrics": {"loss": NaN}}}',
      'nonsense',
      text('training_mode', {}),
      text('epoch_start', { epoch: 'x' }),
      epochEnd(3, { timestamp: 'yesterday' }),
      text('epoch_start', { epoch: 1e12 }),
      Buffer.from(epochEnd(4)),
      Buffer.from([0xff, 0xfe]),
      'ping',
      text('status', { status: 'done', result: { deep: 'x'.repeat(70_000) } }),
      text('status', { status: 'done' }),
      epochEnd(5),
    ]
    for (const message of messages) socket.send(message)
    await has(messages.length)
    const ofNumber = (number: number) => told.find((one) => one.number === number)
    expect(
      messages.map((_, i) => ofNumber(i + 1)?.code ?? told.find(({ number }) => number === i + 1)?.type),
    ).toEqual([
      ...['ack', 'ack', 'BAD_REQUEST', 'BAD_INPUT', 'BAD_INPUT', 'ack', 'BAD_INPUT', 'ack', 'BAD_REQUEST'],
      ...[undefined, 'RESULT_TOO_LARGE', 'ack', 'TASK_ENDED'],
    ])
    expect(told).toContainEqual(expect.objectContaining({ type: 'pong' }))
    expect(ofNumber(3)).toMatchObject({
      type: 'error',
      message: expect.stringContaining('not JSON'),
      retryable: false,
    })
    expect(ofNumber(6)).toMatchObject({
      task_id: 't',
      repeated: false,
      warnings: [expect.stringContaining('yesterday')],
    })
    const [task] = await tasksOf(server)
    expect(task.status).toBe('SUCCESS')
    expect(epochsOf(task)).toEqual([1, 2, 3, 4])
    expect(task.events.find(({ epoch }: Data) => epoch === 2).metrics).toEqual({ loss: 'NaN' })
    expect(socket.readyState).toBe(socket.OPEN)
  })

  it('may repeat a message that has a time, after its end, too', async () => {
    const server = await testServer()
    const { socket, told, opened, has } = open(server, '?ack=true')
    await opened()
    const timestamp = '2026-11-21T10:30:15.123456'
    const [first, end] = [epochEnd(1, { timestamp }), text('status', { status: 'done' }, { timestamp })]
    for (const message of [first, first, epochEnd(2), epochEnd(2), end, end, first]) socket.send(message)
    await has(7)
    expect(told.map(({ repeated }) => repeated)).toEqual([false, true, false, false, false, true, true])
    const [task, ...others] = await tasksOf(server)
    expect(others).toEqual([])
    expect(epochsOf(task)).toEqual([1, 2, 2])
  })

  it('that never reads is told of few errors, and goes on', async () => {
    const server = await testServer()
    const { socket, told, opened } = open(server, '?task_id=t')
    await opened()
    for (let i = 0; i < 50; i++) socket.send('nonsense')
    socket.send(epochEnd(1))
    await settled(server, ([task]) => task && epochsOf(task).length === 1)
    expect(told).toHaveLength(12)
    expect(told.at(-1).message).toContain('no further errors')
  })

  it('may send faster than messages are taken, and loses none', async () => {
    const server = await testServer({ EPOCHCAST_OPERATIONS_PER_SECOND: '200' })
    const { socket, opened } = open(server, '?task_id=t')
    await opened()
    for (let epoch = 1; epoch <= 1200; epoch++) socket.send(epochEnd(epoch))
    socket.close()
    const { task } = await until('the last of them', async () => {
      const found = await run(
        server.url,
        '{ task(id: "t") { epoch events(first: 1000) { edges { node { __typename } } } } }',
      ).catch(() => null)
      return found?.task?.epoch === 1200 && found
    })
    expect(task.epoch).toBe(1200)
  })

  it('that sends a message that is too large is closed with 1009, and the others are as they were', async () => {
    const server = await testServer({ EPOCHCAST_MAX_BODY_BYTES: '65536' })
    const { socket, opened, closed } = open(server, '?task_id=t')
    await opened()
    socket.send(epochEnd(1))
    socket.send('x'.repeat(65_537))
    expect((await closed()).code).toBe(1009)
    const [task] = await settled(server, ([one]) => one && epochsOf(one).length === 1)
    expect(task.status).toBe('RUNNING')
    await until(
      'nothing to be held',
      () => server.gauges().receivedBytes === 0 && server.gauges().sockets === 0,
    )
  })

  it('takes the task that a message names, where its URL names none', async () => {
    const server = await testServer()
    const { socket, told, opened, has } = open(server, '?ack=true')
    await opened()
    socket.send(text('epoch_start', { epoch: 1, task_id: 'from-data' }))
    socket.send(text('epoch_start', { epoch: 1, task_id: 'a:b' }))
    await has(2)
    expect(told.toSorted((one, other) => one.number - other.number)).toEqual([
      expect.objectContaining({ type: 'ack', task_id: 'from-data' }),
      expect.objectContaining({ type: 'error', code: 'BAD_INPUT' }),
    ])
  })

  it('registers a task again that was deleted, and does not bring a cancelled one back', async () => {
    const server = await testServer()
    const id = await startExternal(server.url)
    const { socket, told, opened, has } = open(server, `?task_id=${id}&ack=true`)
    await opened()
    socket.send(epochEnd(1))
    await has(1)
    await run(server.url, CANCEL, { input: { taskId: id } })
    socket.send(epochEnd(2))
    await has(2)
    expect(told[1]).toMatchObject({ type: 'ack', stop_requested: true })
    socket.send(text('status', { status: 'stopped' }))
    socket.send(epochEnd(3))
    await has(4)
    expect(told[3]).toMatchObject({ type: 'error', code: 'TASK_ENDED' })
    await run(server.url, 'mutation ($id: ID!) { deleteTask(input: { taskId: $id }) { taskId } }', { id })
    socket.send(epochEnd(4))
    await has(5)
    const [task] = await tasksOf(server)
    expect([task.id, epochsOf(task)]).toEqual([id, [4]])
  })

  it.each([
    ['?task_id=a:b', 'BAD_INPUT'],
    ['?task_id=', 'BAD_INPUT'],
    ['?task_id=..', 'BAD_INPUT'],
    ['?name=', 'BAD_INPUT'],
    [`?name=${'x'.repeat(257)}`, 'BAD_INPUT'],
    ['?name=a%00b', 'BAD_INPUT'],
    ['?task_id=x&channel_prefix=other', 'CHANNEL_PREFIX_NOT_ALLOWED'],
  ])('at %s is told %s, closed for good, and nothing of it is applied', async (query, code) => {
    const server = await testServer()
    const { socket, told, opened, closed } = open(server, query)
    await opened()
    socket.send(epochEnd(1))
    expect(await closed()).toEqual({ code: 1008, reason: code })
    expect(told).toEqual([expect.objectContaining({ type: 'error', code })])
    expect(await tasksOf(server)).toEqual([])
  })

  it('needs a token to report, and one to start for what is not known', async () => {
    const server = await testServer(SECRET_ENV)
    const bearer = await tokenFor(60)
    const anonymous = open(server)
    const [, response] = await once(anonymous.socket, 'unexpected-response')
    expect(response.statusCode).toBe(401)
    const withToken = async (claims: Data, query: string) =>
      open(server, query, { headers: { authorization: `Bearer ${await tokenFor(60, claims)}` } })
    const blind = await withToken({ scope: 'viewer' }, '')
    expect(await blind.closed()).toEqual({ code: 1008, reason: 'FORBIDDEN' })
    const id = await startId(server.url, bearer)
    const other = await withToken({ scope: 'tasks:report', task_ids: ['x'] }, `?task_id=${id}`)
    expect(await other.closed()).toEqual({ code: 1008, reason: 'TASK_NOT_FOUND' })
    const answer = async (claims: Data, query: string) => {
      const { socket, told, opened, has } = await withToken(claims, `${query}${query ? '&' : '?'}ack=true`)
      await opened()
      socket.send(epochEnd(1))
      await has(1)
      return told[0].code ?? told[0].type
    }
    expect(await answer({ scope: 'tasks:report' }, `?task_id=${id}`)).toBe('ack')
    expect(await answer({ scope: 'tasks:report' }, '?task_id=new')).toBe('FORBIDDEN')
    expect(await answer({ scope: 'tasks:report' }, '')).toBe('FORBIDDEN')
    expect(await answer({ scope: 'tasks:report', task_ids: ['new'] }, '?task_id=new')).toBe('TASK_NOT_FOUND')
    expect(await answer({ scope: 'trainer' }, '?task_id=new')).toBe('ack')
    expect(await answer({ scope: 'trainer', channel_prefixes: ['ml:training'] }, '?task_id=b')).toBe(
      'FORBIDDEN',
    )
    // Two subjects with one name for their trainings.
    expect(await answer({ scope: 'trainer', sub: 'bob' }, '?name=n')).toBe('ack')
    expect(await answer({ scope: 'trainer', sub: 'eve' }, '?name=n')).toBe('ack')
    expect((await tasksOf(server, bearer)).map(({ name }) => name)).toEqual([null, null, 'n', 'n'])
    // By a ticket, as a page would.
    const headers = { authorization: `Bearer ${bearer}` }
    const ticket = await (await fetch(new URL('/ticket', server.url), { method: 'POST', headers })).json()
    const page = open(server, `?task_id=${id}&ack=true&ticket=${(ticket as Data).ticket}`)
    await page.opened()
    page.socket.send(epochEnd(2))
    await page.has(1)
    expect(page.told[0].type).toBe('ack')
  })

  it('may send whatever it likes, and is told what is wrong with it', () =>
    withSeed(testSeed, async (seed) => {
      const server = await testServer()
      const { socket, told, opened, has } = open(server, '?task_id=t&ack=true')
      await opened()
      const names = ['epoch', 'phase', 'metrics', 'round', 'status', 'message', 'error', 'current', 'step']
      const words = ['val', 'RUNNING', '\ud800', '\0']
      const value = fc.oneof(anyJson(2), fc.double(), fc.nat(), fc.constantFrom(...words))
      const type = fc.constantFrom('epoch_start', 'epoch_end', 'round_end', 'status', 'error')
      const data = fc.dictionary(fc.constantFrom(...names), value)
      const messages = fc.sample(fc.record({ type, timestamp: value, data }), { numRuns: 300, seed })
      for (const message of messages) socket.send(JSON.stringify(message))
      await has(messages.length)
      const codes = new Set(told.map(({ code, type }) => code ?? type))
      expect(codes).toContain('ack')
      for (const code of codes) expect(['ack', 'BAD_INPUT', 'BAD_METRICS', 'TASK_ENDED']).toContain(code)
    }))

  it('may be sent from one server to another, and is one run', async () => {
    const redis = await testRedis()
    const EPOCHCAST_KEY_PREFIX = `${randomUUID()}:`
    const servers = await Promise.all([1, 2].map(() => redisServer(redis, { EPOCHCAST_KEY_PREFIX })))
    const [one, other] = servers as [TestServer, TestServer]
    for (let epoch = 1; epoch <= 10; epoch += 2) {
      await send(one, '?name=balanced', epochEnd(epoch))
      await settled(one, ([task]) => task && epochsOf(task).includes(epoch))
      await send(other, '?name=balanced', epochEnd(epoch + 1))
      await settled(one, ([task]) => task && epochsOf(task).includes(epoch + 1))
    }
    // Both begin the next one at the same time.
    await send(one, '?name=balanced', text('status', { status: 'done' }))
    await settled(one, ([task]) => task?.status === 'SUCCESS')
    await Promise.all(servers.map((server, i) => send(server, '?name=balanced', epochEnd(i + 1))))
    const tasks = await settled(
      other,
      (all) => all.at(-1) && all.length > 1 && epochsOf(all.at(-1)).length === 2,
    )
    expect(tasks.map((task) => epochsOf(task).toSorted((a: number, b: number) => a - b))).toEqual([
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      [1, 2],
    ])
  })

  it('loses nothing while Redis is away, though it left long ago', async () => {
    const redis = await testRedis(['--appendonly', 'yes', '--appendfsync', 'always'])
    const server = await redisServer(redis, { EPOCHCAST_REDIS_TIMEOUT_SECONDS: '0.3' })
    await send(server, '?task_id=t', epochEnd(1))
    await settled(server, ([task]) => task && epochsOf(task).length === 1)
    await redis.kill()
    await send(server, '?task_id=t', ...[2, 3, 4].map((epoch) => epochEnd(epoch)))
    await until('them to be gone', () => server.gauges().sockets === 0)
    await redis.start()
    await until('the server to be ready', () => isReady(server))
    const [task] = await settled(server, ([one]) => one && epochsOf(one).includes(4))
    expect(epochsOf(task)).toEqual([1, 2, 3, 4])
  })

  it('that is a page of another origin is not let in', async () => {
    const { socket } = open(await testServer(), '', { origin: 'https://elsewhere.example' })
    const [, response] = await once(socket, 'unexpected-response')
    expect(response.statusCode).toBe(403)
  })
})

async function startId(url: string, bearer: string): Promise<string> {
  const START = 'mutation { startTraining(input: { trainer: "external" }) { task { id } } }'
  return (await post(url, START, {}, bearer)).data.startTraining.task.id
}
