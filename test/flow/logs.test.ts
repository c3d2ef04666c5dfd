import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { freePort } from '../processes/free-port.ts'
import { endWithUs } from '../processes/lifetime.ts'
import { CANCEL, post, report, run, startExternal, WATCH } from '../support/graphql.ts'
import { ProtocolClient } from '../support/protocol-client.ts'
import { until } from '../support/until.ts'

const main = join(import.meta.dirname, '../../dist/src/main.js')

type Line = Record<string, unknown> & { readonly level: number; readonly msg: string }

async function loggingServer(env: Record<string, string> = {}) {
  const port = await freePort()
  const child = endWithUs(
    spawn(process.execPath, [main, 'serve'], {
      env: { PATH: process.env.PATH, PORT: `${port}`, EPOCHCAST_DATA: 'none', ...env },
    }),
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (data) => {
      text += data
    })
  }
  const url = `http://127.0.0.1:${port}/graphql`
  const health = () =>
    fetch(url.replace('/graphql', '/health')).then(
      ({ ok }) => ok,
      () => false,
    )
  await until('the server to be up', health, 30_000)
  const lines = () =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line)
  const end = async () => {
    const ended = once(child, 'close')
    child.kill('SIGTERM')
    await ended
  }
  return { url, text: () => text, lines, end }
}

const UPDATE = 'mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { task { id } } }'
const DELETE = 'mutation ($input: DeleteTaskInput!) { deleteTask(input: $input) { taskId } }'

it('the log says what was done to tasks and by whom, one line each, and what became of them', async () => {
  const { url, lines, end } = await loggingServer()
  const taskId = await startExternal(url, { idempotencyKey: 'once' })
  await startExternal(url, { idempotencyKey: 'once' })
  await run(url, UPDATE, { input: { taskId, name: 'a name', labels: { a: 1 } } })
  await run(url, CANCEL, { input: { taskId } })
  await until('its end', () => lines().some(({ status }) => status === 'CANCELLED'))
  await post(url, DELETE, { input: { taskId } })
  // What was refused was not done.
  await post(url, CANCEL, { input: { taskId: 'nobody' } })
  await end()
  const task = `gan:training:${taskId}`
  const who = { subject: null, address: '127.0.0.1', task }
  const audit = lines().filter(({ audit }) => audit === true)
  expect(audit.map(({ level, time: _, pid: __, hostname: ___, msg: ____, ...line }) => line)).toEqual([
    { audit: true, action: 'start', ...who, trainer: 'external' },
    { audit: true, action: 'update', ...who, changed: ['name', 'labels'] },
    { audit: true, action: 'cancel', ...who },
    { audit: true, action: 'delete', ...who },
  ])
  expect(audit[0]?.msg).toBe(`anyone: start ${task}`)
  expect(lines().filter(({ status }) => status !== undefined)).toMatchObject([{ task, status: 'CANCELLED' }])
})

const SECRET = 'S3CR3T'

it('has a line for each connection and refusal, and nothing of what clients sent, at any level', async () => {
  const { url, lines, text, end } = await loggingServer({ EPOCHCAST_LOG_LEVEL: 'debug' })
  const headers = {
    'content-type': 'application/json',
    authorization: `Bearer ${SECRET}`,
    cookie: `session=${SECRET}`,
  }
  const taskId = await startExternal(url, { name: SECRET, params: { key: SECRET }, labels: { key: SECRET } })
  const send = (body: unknown, more: Record<string, string> = {}, path = '') =>
    fetch(`${url}${path}`, { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify(body) })
  // Through every way to fail that there is words for, and some that there is not.
  const variables = { taskId, id: SECRET, input: { taskId, reports: [{ failure: { error: SECRET } }] } }
  await send({ query: `{ ${SECRET} }` })
  await send({ query: `{ task(id: "${SECRET}") { id } }`, variables }, {}, `?ticket=${SECRET}`)
  await send({ query: WATCH, variables: { taskId: SECRET } }, { accept: 'text/event-stream' })
  await send(SECRET)
  await fetch(`${url}/${SECRET}?ticket=${SECRET}`, { headers })
  await fetch(`${url}?ticket=${SECRET}&query={server{version}}`, { headers })
  await fetch(url, { headers: { ...headers, origin: `https://${SECRET}.example` } })
  const stream = await send(
    { query: WATCH, variables: { taskId } },
    { accept: 'text/event-stream' },
    `?ticket=${SECRET}`,
  )
  await stream.body?.cancel()

  const socketUrl = `${url.replace('http', 'ws')}?ticket=${SECRET}`
  const socket = new WebSocket(socketUrl, 'graphql-transport-ws', { headers: { cookie: `a=${SECRET}` } })
  await once(socket, 'open')
  socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${SECRET}` } }))
  await once(socket, 'message')
  socket.send(
    JSON.stringify({
      id: SECRET,
      type: 'subscribe',
      payload: { query: WATCH, variables: { taskId: SECRET } },
    }),
  )
  await once(socket, 'message')
  socket.close(4999, SECRET)
  const bad = new WebSocket(socketUrl, 'graphql-transport-ws')
  await once(bad, 'open')
  bad.send(SECRET)
  await once(bad, 'close')
  await report(url, taskId, { failure: { error: SECRET, errorType: SECRET } })
  await until('the sockets to be told', () => lines().filter(({ door }) => door === 'websocket').length >= 3)
  await end()

  expect(text()).not.toContain(SECRET)
  const closed = lines().filter(({ connection }) => connection !== undefined)
  expect(closed.map(({ door, code }) => [door, code]).sort()).toEqual([
    ['event_stream', undefined],
    ['websocket', 4400],
    ['websocket', 4999],
  ])
  expect(new Set(closed.map(({ connection }) => connection)).size).toBe(3)
  for (const line of closed)
    expect(line).toMatchObject({ subject: null, address: '127.0.0.1', ms: expect.any(Number) })
  const refused = new Set(lines().flatMap(({ msg }) => /^refused: (\w+)$/.exec(msg)?.[1] ?? []))
  expect(refused).toEqual(
    new Set([
      'GRAPHQL_VALIDATION_FAILED',
      'TASK_NOT_FOUND',
      'BAD_REQUEST',
      'NOT_FOUND',
      'ORIGIN_NOT_ALLOWED',
    ]),
  )
})

it('writes so many lines of a kind, and says how many it left out', async () => {
  const { url, lines, end } = await loggingServer()
  for (let i = 0; i < 120; i++) await fetch(url.replace('/graphql', `/${i}`))
  const client = await ProtocolClient.open(url.replace('http', 'ws'))
  client.subscribe('1', '{ nothing }')
  await until('the refusal', () => client.results('1').length === 1)
  await end()
  const of = (code: string) => lines().filter((line) => line.code === code && line.msg === `refused: ${code}`)
  expect(of('NOT_FOUND')).toHaveLength(50)
  // Others are told all the same.
  expect(of('GRAPHQL_VALIDATION_FAILED')).toMatchObject([{ door: 'websocket', address: '127.0.0.1' }])
})
