import { on } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type Data, REPORT, report, run, START, startExternal } from '../support/graphql.ts'
import { type TestServer, testServer } from '../support/server.ts'

const NUMBER = '9007199254740993'
const PROBLEM = `${NUMBER}, which would become 9007199254740992 as a JSON number; send it as a string`
const TASKS = 'query ($filter: TaskFilter) { tasks(filter: $filter, first: 1) { edges { node { id } } } }'
const UPDATES = 'subscription ($filter: TaskFilter) { taskUpdates(filter: $filter) { id } }'

const operation = (query: string, variables: string) =>
  `{"query":${JSON.stringify(query)},"variables":${variables}}`

/** Its numbers are to be sent as they are written, which only a text can. */
async function send(
  url: string,
  query: string,
  variables: string,
  headers: Record<string, string> = {},
): Promise<Data> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: operation(query, variables),
  })
  return response.json()
}

type Door = (server: TestServer, query: string, variables: string) => Promise<Data>

const urlEncoded = (query: string, variables: string) => new URLSearchParams({ query, variables })

async function overWebSocket({ webSocketUrl }: TestServer, query: string, variables: string): Promise<Data> {
  const socket = new WebSocket(webSocketUrl, 'graphql-transport-ws')
  const messages = socketMessages(socket)
  socket.on('open', () => socket.send('{"type":"connection_init"}'))
  for await (const { type, payload } of messages) {
    if (type === 'connection_ack')
      socket.send(`{"id":"1","type":"subscribe","payload":${operation(query, variables)}}`)
    if (type !== 'next') continue
    socket.close()
    return payload
  }
}

async function* socketMessages(socket: WebSocket): AsyncGenerator<Data> {
  for await (const [data] of on(socket, 'message', { close: ['close'] })) yield JSON.parse(String(data))
}

async function overSse({ url }: TestServer, query: string, variables: string): Promise<Data> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: operation(query, variables),
  })
  const [, data = ''] = /^data: (\{.*)$/m.exec(await response.text()) ?? []
  return JSON.parse(data)
}

const DOORS: Record<string, Door> = {
  POST: ({ url }, query, variables) => send(url, query, variables),
  'POST as Yoga takes it': ({ url }, query, variables) => send(`${url}?`, query, variables),
  'POST of another media type': ({ url }, query, variables) =>
    send(url, query, variables, { 'content-type': 'application/graphql+json' }),
  WebSocket: overWebSocket,
}

describe('a number that a double does not hold', () => {
  it.each(Object.entries(DOORS))('is refused by name over %s', async (_, door) => {
    const server = await testServer()
    const start = (input: string) => door(server, START, `{"input":{"trainer":"external",${input}}}`)
    for (const [input, message] of [
      [`"params":{"seed":${NUMBER}}`, `input.params: seed is ${PROBLEM}`],
      [`"params":{"model":{"seeds":[1,${NUMBER}]}}`, `input.params: model.seeds[1] is ${PROBLEM}`],
      [`"labels":{"big":1e400}`, 'input.labels: big is 1e400, which would become Infinity'],
      [`"labels":{"small":-1e-400}`, 'input.labels: small is -1e-400, which would become 0'],
      [`"labels":${NUMBER}`, `input.labels: the value is ${PROBLEM}`],
      [`"machineId":${NUMBER}`, `input.machineId: ID cannot represent value: ${NUMBER} (not exact`],
    ] as const) {
      const { errors } = await start(input)
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_INPUT', retryable: false } }])
      expect(errors[0].message).toContain(message)
    }
    const params = {
      rate: 0.1,
      text: `[${NUMBER}, 1e400]`,
      max: Number.MAX_SAFE_INTEGER,
      huge: 1e30,
      tiny: 5e-324,
    }
    const { data } = await start(`"params":${JSON.stringify(params)}`)
    expect(data.startTraining.task.params).toEqual(params)
    const long = await start('"params":{"rate":0.1000000000000000055511151231257827021181583404541015625}')
    expect(long.data.startTraining.task.params).toEqual({ rate: 0.1 })
  })

  it('is refused by name in a query and a subscription, wherever its variables stand', async () => {
    const server = await testServer()
    const filter = `{"filter":{"labels":{"seed":${NUMBER}}}}`
    const message = `filter.labels: seed is ${PROBLEM}`
    const got = await fetch(`${server.url}?${urlEncoded(TASKS, filter)}`)
    expect((await got.json()).errors).toMatchObject([{ message }])
    expect((await overWebSocket(server, UPDATES, filter)).errors).toMatchObject([{ message }])
    expect((await overSse(server, UPDATES, filter)).errors).toMatchObject([{ message }])
  })

  it.each([
    [`params: {a: [{seed: ${NUMBER}}]}`, '', `a[0].seed is ${PROBLEM}`],
    ['labels: 1e400', '', 'the value is 1e400, which would become Infinity'],
    ['params: $params', `($params: JSON = {seed: ${NUMBER}})`, `seed is ${PROBLEM}`],
  ])('is refused by name in a document: %s', async (input, variables, message) => {
    const { url } = await testServer()
    const query = `mutation ${variables} { startTraining(input: {trainer: "external", ${input}}) { task { id } } }`
    const { errors } = await send(url, query, '{}')
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_INPUT' } }])
    expect(errors[0].message).toContain(message)
  })

  it('is refused in a result, which leaves the task to report its success without it', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    const succeed = (result: string) =>
      send(url, REPORT, `{"input":{"taskId":"${taskId}","reports":[{"success":{"result":${result}}}]}}`)
    expect((await succeed(`{"n":[${NUMBER}]}`)).errors).toMatchObject([
      {
        message: `input.reports[0].success.result: n[0] is ${PROBLEM}`,
        extensions: { code: 'BAD_INPUT' },
      },
    ])
    expect((await succeed(`{"n":"${NUMBER}"}`)).data.reportMetrics.accepted).toBe(1)
    const { task } = await run(url, 'query ($id: ID!) { task(id: $id) { status result } }', { id: taskId })
    expect(task).toEqual({ status: 'SUCCESS', result: { n: NUMBER } })
  })

  it('is a double where it was measured, and a count only where it is exact', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    await report(url, taskId, { progress: { current: 1 } })
    const progress = (more: string) =>
      send(url, REPORT, `{"input":{"taskId":"${taskId}","reports":[{"progress":${more}}]}}`)
    const taken = await progress(
      `{"current":2,"loss":12345678901234567890,"metrics":{"a":${NUMBER},"b":null,"c":1e-400}}`,
    )
    expect(taken.data.reportMetrics.accepted).toBe(1)
    const { task } = await run(url, 'query ($id: ID!) { task(id: $id) { metrics } }', { id: taskId })
    expect(task.metrics).toEqual({ loss: 12345678901234567000, a: 9007199254740992, c: 0 })

    for (const [report, message] of [
      ['{"current":1,"metrics":{"a":1e400}}', 'metric "a" is 1e400; expected a number'],
      ['{"current":1,"loss":-1e400}', 'the value is -1e400; expected a number'],
      [`{"current":${NUMBER}}`, `the count is ${NUMBER}; expected a whole number`],
      [`{"current":1,"metrics":${NUMBER}}`, `the metrics are ${NUMBER}; expected an object`],
    ] as const) {
      const { errors } = await progress(report)
      expect(errors).toHaveLength(1)
      expect(errors[0].message).toContain(message)
    }
  })
})

describe('JSON that is none', () => {
  it.each([
    [
      '{"filter":{"labels":{"seed":NaN}}}',
      'variables.filter.labels.seed is a bare NaN, which JSON does not have',
    ],
    ['{"filter":', 'the parameter variables is not JSON (it ends too early); expected a JSON object'],
  ])('in a URL is refused in words: %s', async (variables, message) => {
    const { url } = await testServer()
    const response = await fetch(`${url}?${urlEncoded(TASKS, variables)}`)
    expect(response.status).toBe(400)
    const { errors } = (await response.json()) as Data
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_REQUEST', retryable: false } }])
    expect(errors[0].message).toContain(message)
  })
})
