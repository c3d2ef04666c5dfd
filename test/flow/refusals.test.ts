import { request } from 'node:http'
import { expect, it } from 'vitest'
import { type Data, startExternal, WATCH } from '../support/graphql.ts'
import { ProtocolClient } from '../support/protocol-client.ts'
import { testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const JSON_IN = { 'content-type': 'application/json' }
const body = JSON.stringify({ query: '{ server { version } }' })
const subscription = JSON.stringify({ query: 'subscription { heartbeat { sequence } }' })
const mutation = 'mutation { cancelTraining(input: { taskId: "a" }) { task { id } } }'

it.each<[string, string, RequestInit, number, string, string]>([
  ['a path', '/nowhere', {}, 404, 'NOT_FOUND', 'there is nothing at "/nowhere"; GraphQL is at /graphql'],
  [
    'a path, posted to',
    '/api',
    { method: 'POST', headers: JSON_IN, body },
    404,
    'NOT_FOUND',
    'there is nothing at "/api"',
  ],
  [
    'a type of content',
    '/graphql',
    { method: 'POST', headers: { 'content-type': 'text/plain' }, body },
    415,
    'BAD_REQUEST',
    'the Content-Type header is "text/plain"; expected application/json',
  ],
  [
    'a subscription as JSON',
    '/graphql',
    { method: 'POST', headers: { ...JSON_IN, accept: 'application/json' }, body: subscription },
    406,
    'BAD_REQUEST',
    'the Accept header is "application/json"; expected text/event-stream for a subscription',
  ],
  [
    'an accepted type',
    '/graphql',
    { method: 'POST', headers: { ...JSON_IN, accept: 'image/png' }, body },
    406,
    'BAD_REQUEST',
    'the Accept header is "image/png"',
  ],
  ['a method', '/graphql', { method: 'DELETE' }, 405, 'BAD_REQUEST', 'GET and POST'],
  ['a mutation by GET', `/graphql?query=${encodeURIComponent(mutation)}`, {}, 405, 'BAD_REQUEST', ''],
])('a refusal of %s has words and a code', async (_, path, init, status, code, message) => {
  const { url } = await testServer()
  const response = await fetch(new URL(path, url), init)
  expect(response.status).toBe(status)
  expect(response.headers.get('content-type')).toMatch(/^application\/(graphql-response\+)?json/)
  const { errors } = (await response.json()) as Data
  expect(errors).toMatchObject([{ message: expect.stringContaining(message), extensions: { code } }])
})

it.each<[string, string, Record<string, string>, number, string]>([
  ['an unknown path', '/elsewhere', {}, 404, 'NOT_FOUND'],
  ['another origin', '/graphql', { origin: 'https://evil.example' }, 403, 'ORIGIN_NOT_ALLOWED'],
  ['a version that nobody speaks', '/graphql', { 'sec-websocket-version': '1' }, 400, 'BAD_REQUEST'],
])('an upgrade at %s is refused in JSON', async (_, path, headers, status, code) => {
  const { url } = await testServer()
  const upgrade = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  }
  const found = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const sent = request(new URL(path, url), { headers: { ...upgrade, ...headers } }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode, body: text }))
    })
    sent.on('error', reject)
    sent.end()
  })
  expect(found.status).toBe(status)
  expect(JSON.parse(found.body)).toMatchObject({ errors: [{ extensions: { code } }] })
})

it('a slash at the end makes no difference, over HTTP or over WebSocket', async () => {
  const { url, webSocketUrl } = await testServer()
  const taskId = await startExternal(`${url}/`)
  const client = await ProtocolClient.open(`${webSocketUrl}/`)
  client.subscribe('1', WATCH, { taskId })
  const first = await until('the opening', () => client.results('1')[0])
  expect(first.data.trainingProgress.__typename).toBe('StreamOpened')
})

it('a condition with a variable at the root of a subscription is told that it may not stand there', async () => {
  const { url, webSocketUrl } = await testServer()
  const queries = [
    'subscription ($w: Boolean!) { heartbeat @include(if: $w) { sequence } }',
    'subscription ($w: Boolean!) { ... @skip(if: $w) { heartbeat { sequence } } }',
    'subscription ($w: Boolean!) { ...F } fragment F on Subscription { heartbeat @include(if: $w) { sequence } }',
  ]
  const client = await ProtocolClient.open(webSocketUrl)
  for (const [i, query] of queries.entries()) {
    const why = [
      {
        message: expect.stringMatching(
          /^@(include|skip) with a variable may not stand at the root of a subscription/,
        ),
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      },
    ]
    client.subscribe(String(i), query, { w: true })
    const refused = await until('the refusal', () => client.results(String(i))[0])
    expect(refused.errors).toMatchObject(why)
    const headers = { ...JSON_IN, accept: 'text/event-stream' }
    const sse = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query, variables: { w: true } }),
    })
    const [, data] = /data: (\{.*\})/.exec(await sse.text()) ?? []
    expect(JSON.parse(data ?? 'null')).toMatchObject({ errors: why })
  }
  client.subscribe(
    'below',
    'subscription ($w: Boolean!) { heartbeat { sequence timestamp @include(if: $w) } }',
    {
      w: false,
    },
  )
  const beat = await until('a beat', () => client.results('below')[0])
  expect(beat.data.heartbeat).toEqual({ sequence: 1 })
  client.subscribe('two', 'subscription { heartbeat { sequence } other: heartbeat { sequence } }')
  expect((await until('the refusal', () => client.results('two')[0])).errors).toMatchObject([
    { message: expect.stringContaining('must select only one top level field') },
  ])
})
