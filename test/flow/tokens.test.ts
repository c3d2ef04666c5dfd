import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { get } from 'node:http'
import { createClient } from 'graphql-ws'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { createClient as createEpochcastClient } from '../../clients/typescript/index.ts'
import { describeEngines } from '../support/engines.ts'
import { currentsIn, type Data, post, REPORT, refusal, run, START, TASK, WATCH } from '../support/graphql.ts'
import { ProtocolClient } from '../support/protocol-client.ts'
import { type TestServer, testServer, trainersFile } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { SECRET, SECRET_ENV, token, tokenFor } from '../support/tokens.ts'
import { until } from '../support/until.ts'

/** Tokens that end to the second, and at once. */
const SHARP = {
  ...SECRET_ENV,
  EPOCHCAST_JWT_CLOCK_TOLERANCE_SECONDS: '0',
  EPOCHCAST_TOKEN_GRACE_SECONDS: '0',
} as const

const FINISH = { reports: [{ success: {} }] }

async function startedBy(
  url: string,
  bearer: string,
  input: Record<string, unknown> = {},
): Promise<{ id: string; reportToken: string }> {
  const { startTraining } = await run(url, START, { input: { trainer: 'external', ...input } }, bearer)
  return { id: startTraining.task.id, reportToken: startTraining.reportToken }
}

/** Reports one step after the other until it is told to stop; gives how many there were. */
function reporting(url: string, taskId: string, bearer: string) {
  let isOver = false
  let steps = 0
  const over = (async () => {
    while (!isOver) {
      const input = { taskId, reports: [{ progress: { current: ++steps } }] }
      await run(url, REPORT, { input }, bearer)
    }
    await run(url, REPORT, { input: { taskId, ...FINISH } }, bearer)
    return steps
  })()
  return {
    stop: () => {
      isOver = true
      return over
    },
  }
}

describe('a token that expires while its bearer watches', () => {
  it('closes the socket with 4403, on which a stock client comes back with another, and misses nothing', async () => {
    const { url, webSocketUrl } = await testServer(SHARP)
    const operator = await tokenFor(600)
    const { id, reportToken } = await startedBy(url, operator)
    const trainer = reporting(url, id, reportToken)
    const closes: number[] = []
    const client = createClient({
      url: webSocketUrl,
      webSocketImpl: WebSocket,
      shouldRetry: () => true,
      retryWait: async () => {},
      connectionParams: async () => ({ authorization: `Bearer ${await tokenFor(2, { scope: 'viewer' })}` }),
      on: { closed: (event) => closes.push((event as { code: number }).code) },
    })
    onTestFinished(() => client.dispose())
    const events: Data[] = []
    const variables = {
      taskId: id,
      last: 1000,
      get after() {
        return events.at(-1)?.cursor
      },
    }
    for await (const { data, errors } of client.iterate({ query: WATCH, variables })) {
      expect(errors).toBeUndefined()
      events.push((data as Data).trainingProgress)
      if (closes.length === 2) void trainer.stop()
    }
    expect(closes.slice(0, 2)).toEqual([4403, 4403])
    expect(currentsIn(events)).toEqual(range(1, await trainer.stop()))
  })

  it("is nothing that a user of Epochcast's own client sees", async () => {
    const { url } = await testServer(SHARP)
    const { id, reportToken } = await startedBy(url, await tokenFor(600))
    const trainer = reporting(url, id, reportToken)
    let tokens = 0
    const client = createEpochcastClient({
      url,
      webSocketImpl: WebSocket,
      token: () => {
        if (++tokens === 3) void trainer.stop()
        return tokenFor(2, { scope: 'viewer' })
      },
    })
    onTestFinished(() => client.dispose())
    const events: Data[] = []
    for await (const event of client.follow({ taskId: id, last: 1000 })) events.push(event)
    expect(tokens).toBeGreaterThan(2)
    expect(currentsIn(events)).toEqual(range(1, await trainer.stop()))
  })

  it('can be replaced by a ping, without another connection', async () => {
    const { url, webSocketUrl } = await testServer(SHARP)
    const { id } = await startedBy(url, await tokenFor(600))
    const viewer = (seconds: number, claims = {}) => tokenFor(seconds, { scope: 'viewer', ...claims })
    const bearer = async (text: Promise<string>) => ({ authorization: `Bearer ${await text}` })
    const client = await ProtocolClient.open(webSocketUrl, {}, await bearer(viewer(2)))
    client.subscribe('1', WATCH, { taskId: id })
    await until('the stream', () => client.results('1').length > 0)
    const pong = async (payload: Data) => {
      const before = client.messages.length
      client.send({ type: 'ping', payload })
      await until('the pong', () => client.messages.slice(before).some(({ type }) => type === 'pong'))
      return client.messages.findLast(({ type }) => type === 'pong')?.payload
    }
    expect(await pong(undefined)).toBeUndefined()
    expect(await pong({ n: 1 })).toEqual({ n: 1 })
    for (const [refused, problem] of [
      [await bearer(viewer(600, { sub: 'bob' })), /of another subject/],
      [await bearer(viewer(600, { task_ids: [id] })), /gives less/],
      [await bearer(viewer(-60)), /expired at/],
      [{ authorization: 'Bearer x' }, /this is no token/],
    ] as const) {
      expect((await pong(refused)).error).toMatchObject({
        message: expect.stringMatching(problem),
        extensions: { code: 'UNAUTHENTICATED' },
      })
    }
    expect(client.closed).toBeUndefined()
    // Beyond all dates.
    expect(await pong(await bearer(viewer(1e14)))).toEqual({ expiresAt: null })
    const expiresAt = Date.parse((await pong(await bearer(viewer(4)))).expiresAt)
    expect(expiresAt).toBeGreaterThan(Date.now() + 2000)
    await until('the close', () => client.closed)
    expect(client.closed).toBe(4403)
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt)
  })

  it.each([
    ['of GraphQL', 'text/event-stream', /event: next/],
    ['of GraphQL, to who takes anything', '*/*', /event: next/],
    ['in parts', 'multipart/mixed;subscriptionSpec=1.0, application/json', /"payload":/],
    ['without GraphQL', '*/*', /"StreamOpened"/],
  ])('breaks an event stream off %s, which is not the end of it', async (which, accept, begun) => {
    const { url } = await testServer(SHARP)
    const { id } = await startedBy(url, await tokenFor(600))
    const search = new URLSearchParams({ query: WATCH, variables: JSON.stringify({ taskId: id }) })
    const target =
      which === 'without GraphQL' ? new URL(`/events/gan:training/${id}`, url) : `${url}?${search}`
    const headers = { accept, authorization: `Bearer ${await tokenFor(2)}` }
    const asked = get(target, { headers })
    const [response] = await once(asked, 'response')
    let text = ''
    response.on('data', (chunk: Buffer) => {
      text += chunk
    })
    const [error] = await once(response, 'error')
    expect(error).toMatchObject({ code: 'ECONNRESET' })
    expect(text).toMatch(begun)
    expect(text).not.toMatch(/event: complete|--graphql--/)
  })

  it('ends what was opened with a ticket of it, too', async () => {
    const { url, webSocketUrl } = await testServer(SHARP)
    const headers = { authorization: `Bearer ${await tokenFor(2)}` }
    const response = await fetch(new URL('/ticket', url), { method: 'POST', headers })
    const { ticket } = (await response.json()) as Data
    const client = await ProtocolClient.open(`${webSocketUrl}?${new URLSearchParams({ ticket })}`)
    await until('the close', () => client.closed)
    expect(client.closed).toBe(4403)
  })

  it('begins nothing more, also in its grace', async () => {
    const { webSocketUrl } = await testServer({ ...SHARP, EPOCHCAST_TOKEN_GRACE_SECONDS: '60' })
    const client = await ProtocolClient.open(
      webSocketUrl,
      {},
      { authorization: `Bearer ${await tokenFor(3)}` },
    )
    await until('the refusal', async () => {
      const id = randomUUID()
      client.subscribe(id, '{ server { version } }')
      const result = await until('the result', () => client.results(id)[0])
      return result.errors?.[0]?.extensions.reason === 'expired'
    })
    expect(client.closed).toBeUndefined()
  })
})

it('a socket that sends no token is closed with 4403, and told what is expected', async () => {
  const { webSocketUrl } = await testServer(SECRET_ENV)
  const socket = new WebSocket(webSocketUrl, 'graphql-transport-ws')
  socket.on('open', () => socket.send('{"type":"connection_init"}'))
  const [code, reason] = await once(socket, 'close')
  expect(code).toBe(4403)
  expect(String(reason)).toMatch(/^there is no token; expected/)
})

it.each([
  ['authorization', (bearer: string) => ({ authorization: bearer })],
  ['Authorization', (bearer: string) => ({ Authorization: bearer })],
  ['headers', (bearer: string) => ({ headers: { Authorization: bearer } })],
])('clients may put their token into %s', async (_, params) => {
  const { webSocketUrl } = await testServer(SECRET_ENV)
  const client = await ProtocolClient.open(webSocketUrl, {}, params(`Bearer ${await tokenFor(60)}`))
  expect(client.messages).toEqual([{ type: 'connection_ack' }])
})

it('while a secret is replaced, tokens of both are taken, and of no third', async () => {
  const { url } = await testServer({
    EPOCHCAST_JWT_SECRET: 'the next secret, as long as it has to be',
    EPOCHCAST_JWT_SECRET_PREVIOUS: SECRET,
  })
  const key = (text: string) => ({ key: new TextEncoder().encode(text) })
  const ask = async (bearer: string) => (await post(url, '{ server { version } }', {}, bearer)).errors?.[0]
  expect(await ask(await token())).toBeUndefined()
  expect(await ask(await token({}, key('the next secret, as long as it has to be')))).toBeUndefined()
  expect(await ask(await token({}, key('a third secret, as long as it has to be')))).toMatchObject({
    extensions: { code: 'UNAUTHENTICATED', reason: 'signature' },
  })
})

it('whoever has no token is told so by HTTP, too', async () => {
  const { url } = await testServer(SECRET_ENV)
  const ask = (headers: Record<string, string>, init: RequestInit = {}) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: '{}',
      ...init,
    })
  const missing = await ask({})
  expect(missing.status).toBe(401)
  expect(missing.headers.get('www-authenticate')).toBe('Bearer realm="epochcast"')
  const wrong = await ask({ authorization: 'Bearer x' })
  expect(wrong.status).toBe(401)
  expect(wrong.headers.get('www-authenticate')).toBe('Bearer realm="epochcast", error="invalid_token"')
  for (const authorization of ['Basic YTpi', 'Bearer', 'Bearer a b', 'x'.repeat(5000)])
    expect((await ask({ authorization })).status).toBe(401)
  const tooLong = `Bearer ${'x'.repeat(8193)}`
  expect(await (await ask({ authorization: tooLong })).json()).toMatchObject({
    errors: [{ message: 'the token has 8193 characters; expected at most 8192' }],
  })
  // A browser asks first whether it may send one, and a person has to get the page to type it into.
  const origin = { origin: 'http://localhost:3000' }
  const preflight = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization',
  }
  const asked = await fetch(url, { method: 'OPTIONS', headers: { ...origin, ...preflight } })
  expect(asked.status).toBe(204)
  expect(asked.headers.get('access-control-allow-headers')).toBe('authorization')
  expect((await ask(origin)).headers.get('access-control-allow-origin')).toBe('http://localhost:3000')
  const page = await fetch(url, { headers: { accept: 'text/html' } })
  expect(page.status).toBe(200)
  // With a query in it, it is the page all the same, and nothing is run.
  const withQuery = await fetch(`${url}?query={server{version}}`, { headers: { accept: 'text/html' } })
  expect((await withQuery.text()).slice(0, 30)).toContain('<!doctype html>')
  for (const path of ['/health', '/ready']) expect((await fetch(new URL(path, url))).status).toBe(200)
})

it('a browser shows its token, or a ticket, where there is no page to show it in', async () => {
  const { url } = await testServer(SECRET_ENV)
  const bearer = await tokenFor(600)
  const { id } = await startedBy(url, bearer)
  const [accept, authorization] = ['text/html,*/*', `Bearer ${bearer}`]
  const asked = await fetch(new URL('/ticket', url), { method: 'POST', headers: { authorization } })
  const { ticket } = (await asked.json()) as Data
  const statusOf = async (path: string, headers = {}) => {
    const response = await fetch(new URL(path, url), { headers: { accept, ...headers } })
    await response.body?.cancel()
    return response.status
  }
  const history = `/history/gan:training/${id}`
  for (const path of [history, `/events/gan:training/${id}`, '/metrics'])
    expect([path, await statusOf(path, { authorization })]).toEqual([path, 200])
  expect(await statusOf(`${history}?ticket=${ticket}`)).toBe(200)
  expect(await statusOf(`${history}?ticket=${ticket}`)).toBe(401)
  for (const path of [history, '/metrics']) expect([path, await statusOf(path)]).toEqual([path, 401])
})

describeEngines((open, engine) => {
  it('a ticket opens one connection, on whichever server, and no second one', async () => {
    const env = { ...SECRET_ENV, EPOCHCAST_KEY_PREFIX: `${randomUUID()}:` }
    const servers: TestServer[] = [await open(env)]
    if (engine === 'redis') servers.push(await open(env))
    const [first, second = first] = servers as [TestServer, TestServer?]
    const bearer = await tokenFor(60, { scope: 'viewer' })
    const ticketUrl = new URL('/ticket', first.url)
    const response = await fetch(ticketUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}` },
    })
    expect(response.headers.get('cache-control')).toBe('no-store')
    const { ticket, expiresInSeconds } = (await response.json()) as Data
    expect(expiresInSeconds).toBe(30)
    const params = new URLSearchParams({ ticket })
    const attempts = Array.from({ length: 10 }, async (_, i) => {
      const { webSocketUrl } = i % 2 ? first : second
      const socket = new WebSocket(`${webSocketUrl}?${params}`, 'graphql-transport-ws')
      onTestFinished(() => socket.terminate())
      const opened = once(socket, 'open').then(() => 'open')
      const refused = once(socket, 'unexpected-response').then(([, { statusCode }]) => statusCode)
      socket.on('error', () => {})
      return Promise.race([opened, refused])
    })
    const outcomes = await Promise.all(attempts)
    expect(outcomes.filter((outcome) => outcome === 'open')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 401)).toHaveLength(9)
    // It is no token, and a token is no ticket.
    expect(await refusal(first.url, '{ server { version } }', {}, ticket)).toMatchObject({
      message: expect.stringContaining('this is a ticket'),
    })
    const stream = `${first.url}?${new URLSearchParams({ query: '{ server { version } }', ticket: bearer })}`
    expect((await fetch(stream)).status).toBe(401)
    // Nor is the token that a trainer has for its whole run.
    const { reportToken } = await startedBy(first.url, await tokenFor(60))
    const withReportToken = `${first.url}?${new URLSearchParams({ query: '{ server { version } }', ticket: reportToken })}`
    const refused = await fetch(withReportToken)
    expect([refused.status, await refused.text()]).toEqual([
      401,
      expect.stringContaining('this is no ticket'),
    ])
  })

  it('a start gives a token that reports to its task, and does nothing else', async () => {
    const { url } = await open(SECRET_ENV)
    const operator = await tokenFor(600)
    const { id, reportToken } = await startedBy(url, operator)
    const other = await startedBy(url, operator)
    const report = (taskId: string, bearer: string, reports: unknown[] = [{ progress: { current: 1 } }]) =>
      post(url, REPORT, { input: { taskId, reports } }, bearer)
    expect((await report(id, reportToken)).errors).toBeUndefined()
    const codeOf = async (result: Promise<Data>) => (await result).errors?.[0]?.extensions.code
    expect(await codeOf(report(other.id, reportToken))).toBe('TASK_NOT_FOUND')
    expect(await codeOf(report('nowhere', reportToken))).toBe('TASK_NOT_FOUND')
    expect(await codeOf(post(url, TASK, { id }, reportToken))).toBe('FORBIDDEN')
    expect(await codeOf(post(url, '{ tasks { edges { node { id } } } }', {}, reportToken))).toBe('FORBIDDEN')
    expect(await codeOf(post(url, START, { input: { trainer: 'external' } }, reportToken))).toBe('FORBIDDEN')
    const cancel = 'mutation ($id: ID!) { cancelTraining(input: { taskId: $id }) { task { id } } }'
    expect(await codeOf(post(url, cancel, { id }, reportToken))).toBe('FORBIDDEN')
    const share = 'mutation ($id: ID!) { createViewLink(input: { taskId: $id }) { token } }'
    expect(await codeOf(post(url, share, { id }, reportToken))).toBe('FORBIDDEN')
    expect((await run(url, TASK, { id }, operator)).task).toMatchObject({ id })
    const { task } = await run(url, 'query ($id: ID!) { task(id: $id) { startedBy } }', { id }, operator)
    expect(task).toEqual({ startedBy: 'alice' })
    // Another start under the same key is another task, to which it does not report.
    expect((await report(id, reportToken, [{ success: {} }])).errors).toBeUndefined()
    const again = await startedBy(url, operator, { idempotencyKey: 'night' })
    expect((await report(again.id, again.reportToken, [{ success: {} }])).errors).toBeUndefined()
    await run(
      url,
      'mutation ($id: ID!) { deleteTask(input: { taskId: $id }) { taskId } }',
      { id: again.id },
      operator,
    )
    const later = await startedBy(url, operator, { idempotencyKey: 'night' })
    expect(later.id).toBe(again.id)
    expect(await codeOf(report(later.id, again.reportToken))).toBe('TASK_NOT_FOUND')
    expect((await report(later.id, later.reportToken)).errors).toBeUndefined()
  })
})

it('a launched trainer gets the token of its task', async () => {
  const { url } = await testServer({
    ...SECRET_ENV,
    EPOCHCAST_TRAINERS: trainersFile({ one: 'await report({ progress: { current: 7 } }, { success: {} })' }),
  })
  const operator = await tokenFor(600)
  const { id } = await startedBy(url, operator, { trainer: 'one' })
  const task = await until('the end', async () => {
    const { task } = await run(url, TASK, { id }, operator)
    return ['SUCCESS', 'FAILURE'].includes(task.status) ? task : null
  })
  expect(task).toMatchObject({ status: 'SUCCESS', current: 7 })
})

it('a link shows one task, for a time, to whoever has it', async () => {
  const { url } = await testServer({ ...SECRET_ENV, EPOCHCAST_PUBLIC_URL: 'https://train.example/live/' })
  const operator = await tokenFor(600)
  const [{ id }, other] = [await startedBy(url, operator), await startedBy(url, operator)]
  const share = /* GraphQL */ `
    mutation ($input: CreateViewLinkInput!) { createViewLink(input: $input) { token url expiresAt } }`
  const { createViewLink } = await run(url, share, { input: { taskId: id, expiresInSeconds: 60 } }, operator)
  const { token: bearer, url: link, expiresAt } = createViewLink
  expect(link).toBe(`https://train.example/live/tasks/gan%3Atraining/${id}#token=${bearer}`)
  expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(55_000)
  expect((await run(url, TASK, { id }, bearer)).task).toMatchObject({ id })
  expect((await run(url, TASK, { id: other.id }, bearer)).task).toBeNull()
  const { tasks } = await run(url, '{ tasks { edges { node { id } } } }', {}, bearer)
  expect(tasks.edges).toEqual([{ node: { id } }])
  expect(await refusal(url, share, { input: { taskId: id } }, bearer)).toMatchObject({
    extensions: { code: 'FORBIDDEN' },
  })
  for (const seconds of [59, 31_536_001]) {
    const input = { taskId: id, expiresInSeconds: seconds }
    expect(await refusal(url, share, { input }, operator)).toMatchObject({
      extensions: { code: 'BAD_INPUT' },
    })
  }
})

it("another's start cannot be repeated for what one may not do by oneself", async () => {
  const { url } = await testServer(SECRET_ENV)
  const start = async (claims: Data) =>
    post(url, START, { input: { trainer: 'external', idempotencyKey: 'night' } }, await tokenFor(600, claims))
  const { data } = await start({ sub: 'alice', scope: 'tasks:start' })
  const { id } = data.startTraining.task
  for (const scope of ['tasks:start', 'tasks:start tasks:read', 'tasks:start tasks:report']) {
    const [error] = (await start({ sub: 'eve', scope })).errors ?? []
    expect([scope, error?.extensions.code]).toEqual([scope, 'IDEMPOTENCY_CONFLICT'])
  }
  for (const claims of [
    { sub: 'alice', scope: 'tasks:start' },
    { sub: 'bob', scope: 'trainer' },
  ]) {
    const again = (await start(claims)).data.startTraining
    expect(again).toMatchObject({ task: { id }, reportToken: expect.any(String) })
  }
})

it('a link does not show a task that was started later under the same key', async () => {
  const { url, webSocketUrl } = await testServer(SECRET_ENV)
  const operator = await tokenFor(600)
  const nightly = (bearer: string) => startedBy(url, bearer, { idempotencyKey: 'night' })
  const { id, reportToken } = await nightly(operator)
  const share = 'mutation ($id: ID!) { createViewLink(input: { taskId: $id }) { token } }'
  const link = (await run(url, share, { id }, operator)).createViewLink.token as string
  expect((await run(url, TASK, { id }, link)).task).toMatchObject({ id })
  await run(url, REPORT, { input: { taskId: id, ...FINISH } }, reportToken)
  const drop = 'mutation ($id: ID!) { deleteTask(input: { taskId: $id }) { taskId } }'
  await run(url, drop, { id }, operator)
  const bob = await tokenFor(600, { sub: 'bob' })
  expect((await nightly(bob)).id).toBe(id)
  expect((await run(url, TASK, { id }, link)).task).toBeNull()
  const list = '{ tasks { edges { node { id } } } }'
  expect((await run(url, list, {}, bob)).tasks.edges).toEqual([{ node: { id } }])
  expect((await run(url, list, {}, link)).tasks.edges).toEqual([])
  // Not by a ticket either, which has the rights of its token.
  const headers = { authorization: `Bearer ${link}` }
  const asked = await fetch(new URL('/ticket', url), { method: 'POST', headers })
  const { ticket } = (await asked.json()) as Data
  const history = new URL(`/history/gan:training/${id}?ticket=${ticket}`, url)
  expect((await fetch(history)).status).toBe(404)
  const client = await ProtocolClient.open(webSocketUrl, {}, headers)
  client.subscribe('1', WATCH, { taskId: id })
  const result = await until('the refusal', () => client.results('1')[0])
  expect(result.errors?.[0]?.extensions.code).toBe('TASK_NOT_FOUND')
  client.subscribe('2', 'subscription { taskUpdates { id } }')
  client.subscribe('3', 'subscription { heartbeat(intervalMs: 100) { sequence } }')
  await until('another stream', () => client.results('3').length > 2)
  expect(client.results('2')).toEqual([])
})

it('a caller of some labels starts tasks that have them, sees them alone, and cannot lose them', async () => {
  const { url, webSocketUrl } = await testServer(SECRET_ENV)
  const operator = await tokenFor(600)
  const vision = await tokenFor(600, { sub: 'vera', labels: { team: 'vision' } })
  await startedBy(url, operator, { labels: { team: 'audio' } })
  const { id } = await startedBy(url, vision, { labels: { run: 1 } })
  const labelsOf = async (bearer: string) =>
    (await run(url, '{ tasks { edges { node { labels } } } }', {}, bearer)).tasks.edges.map(
      ({ node }: Data) => node.labels,
    )
  expect(await labelsOf(vision)).toEqual([{ team: 'vision', run: 1 }])
  expect(await labelsOf(operator)).toHaveLength(2)
  const input = { trainer: 'external', labels: { team: 'audio' } }
  expect(await refusal(url, START, { input }, vision)).toMatchObject({
    message: '"vera" may not start trainings: the token is only for tasks with the labels team "vision"',
  })
  const update = 'mutation ($input: UpdateTaskInput!) { updateTask(input: $input) { task { labels } } }'
  const relabel = (labels: unknown, bearer: string) =>
    post(url, update, { input: { taskId: id, labels } }, bearer)
  expect((await relabel({ team: 'audio' }, vision)).errors?.[0]).toMatchObject({
    extensions: { code: 'FORBIDDEN' },
  })
  expect((await relabel(null, vision)).errors?.[0]).toMatchObject({ extensions: { code: 'FORBIDDEN' } })
  expect((await relabel({ team: 'vision', run: 2 }, vision)).errors).toBeUndefined()
  // One that is taken out of its reach is not told once more, as one that leaves a filter is.
  const client = await ProtocolClient.open(webSocketUrl, {}, { authorization: `Bearer ${vision}` })
  client.subscribe('1', 'subscription { taskUpdates { id labels } }')
  await until('the first state', () => client.results('1').length === 1)
  expect((await relabel({ team: 'secret' }, operator)).errors).toBeUndefined()
  const { id: next } = await startedBy(url, vision)
  await until('the next task', () => client.results('1').some(({ data }) => data.taskUpdates.id === next))
  expect(JSON.stringify(client.results('1'))).not.toContain('secret')
})

it('many subjects share one encoding of each event', async () => {
  const server = await testServer(SECRET_ENV)
  const { url, webSocketUrl } = server
  const { id, reportToken } = await startedBy(url, await tokenFor(600))
  const subjects = 50
  const clients = await Promise.all(
    Array.from({ length: subjects }, async (_, i) => {
      const bearer = await tokenFor(600, { sub: `viewer ${i}`, scope: 'viewer' })
      const client = await ProtocolClient.open(webSocketUrl, {}, { authorization: `Bearer ${bearer}` })
      client.subscribe('1', WATCH, { taskId: id })
      return client
    }),
  )
  const opened = (client: ProtocolClient) => JSON.stringify(client.results('1')).includes('StreamOpened')
  await until('all streams', () => clients.every(opened))
  await run(url, REPORT, { input: { taskId: id, reports: [{ progress: { current: 1 } }] } }, reportToken)
  await until('the event', () =>
    clients.every((client) => JSON.stringify(client.results('1')).includes('ProgressUpdate')),
  )
  expect(server.gauges().groups).toBe(1)
})

it('a subject has its share wherever it calls from, and so has an address whoever calls', async () => {
  const { webSocketUrl } = await testServer({
    ...SECRET_ENV,
    EPOCHCAST_MAX_SUBSCRIPTIONS: '6',
    EPOCHCAST_ADDRESS_SHARE: '0.34',
  })
  const refusalFor = async (sub: string, localAddress: string) => {
    const params = { authorization: `Bearer ${await tokenFor(60, { sub, scope: 'viewer' })}` }
    const client = await ProtocolClient.open(webSocketUrl, { localAddress }, params)
    client.subscribe('1', 'subscription { heartbeat(intervalMs: 100) { sequence } }')
    const result = await until('the result', () => client.results('1')[0])
    return result.errors?.[0]?.message
  }
  expect(await refusalFor('alice', '127.0.0.1')).toBeUndefined()
  expect(await refusalFor('alice', '127.0.0.2')).toBeUndefined()
  expect(await refusalFor('alice', '127.0.0.3')).toMatch(/^this subject has 2 open subscriptions/)
  expect(await refusalFor('bob', '127.0.0.1')).toBeUndefined()
  expect(await refusalFor('carol', '127.0.0.1')).toMatch(/^this address has 2 open subscriptions/)
})

it('with authentication a server may be reached by other machines', async () => {
  const { url } = await testServer({ ...SECRET_ENV, HOST: '0.0.0.0' })
  expect((await post(url, '{ server { version } }', {}, await tokenFor(60))).errors).toBeUndefined()
})
