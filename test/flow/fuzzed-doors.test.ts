import { connect } from 'node:net'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { anyJson } from '../support/any-json.ts'
import { type Asked, ask, DOOR_NAMES } from '../support/doors.ts'
import { type Result, run } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'

/*
 * Whatever comes in: no response of 500 or more, no INTERNAL_SERVER_ERROR, no stack trace, and the server goes on.
 * A failing run names its seed (EPOCHCAST_TEST_SEED).
 */

const version = '{ server { version } }'

const name = fc.constantFrom(
  ...[
    'server',
    'version',
    'task',
    'tasks',
    'a',
    'Query',
    'Task',
    'startTraining',
    'heartbeat',
    '__schema',
    '__proto__',
  ],
)
const punctuation = fc.constantFrom(
  '{',
  '}',
  '(',
  ')',
  '[',
  ']',
  ':',
  '...',
  '@',
  '$',
  '!',
  '=',
  '|',
  '&',
  ' ',
  '\n',
  ',',
)
const word = fc.constantFrom(
  'query',
  'mutation',
  'subscription',
  'fragment',
  'on',
  'true',
  'null',
  'input',
  'extend',
  'type',
)
const value = fc.oneof(
  fc.integer().map(String),
  fc.double().map(String),
  fc.string({ maxLength: 8 }).map((text) => JSON.stringify(text)),
  fc.constantFrom('"""', '"', '#', '\u0000', '\ud800', '\ufeff', '1e999', '-0', '"\\u{110000}"'),
)
/** Texts that look like documents for some way. */
const tokens = fc
  .array(fc.oneof({ weight: 3, arbitrary: name }, { weight: 4, arbitrary: punctuation }, word, value), {
    maxLength: 40,
  })
  .map((parts) => parts.join(' '))

/** Documents that are well-formed, and mostly do not fit the schema. */
const { selections } = fc.letrec<{ selection: string; selections: string }>((tie) => ({
  selection: fc.oneof(
    { depthSize: 'small' },
    name,
    fc.tuple(name, name).map(([alias, field]) => `${alias}: ${field}`),
    fc.constant('...F'),
    fc
      .tuple(name, value, tie('selections'))
      .map(([field, given, below]) => `${field}(id: ${given}) ${below}`),
    tie('selections').map((below) => `... on Query @include(if: true) ${below}`),
  ),
  selections: fc
    .array(tie('selection'), { minLength: 1, maxLength: 4 })
    .map((list) => `{ ${list.join(' ')} }`),
}))
const wellFormed = fc
  .tuple(fc.constantFrom('query', 'mutation', 'subscription'), selections, selections)
  .map(([kind, of, fragment]) => `${kind} ${of} fragment F on Query ${fragment}`)

const document = fc.oneof(tokens, wellFormed, fc.string({ unit: 'binary', maxLength: 60 }))

const asked: fc.Arbitrary<Asked> = fc.record(
  {
    query: document,
    operationName: fc.oneof(name, fc.string({ maxLength: 300 })),
    variables: fc.dictionary(name, anyJson(4), { maxKeys: 4 }),
    extensions: fc.oneof(
      fc.dictionary(name, anyJson(), { maxKeys: 2 }),
      anyJson().map((sha256Hash) => ({ persistedQuery: { sha256Hash } })),
      fc.constant({ persistedQuery: null }),
    ),
    documentId: fc.string({ maxLength: 80 }),
  },
  { requiredKeys: ['query'] },
)

function expectNoFailure({ errors = [] }: Result, of: unknown): void {
  for (const { message, extensions } of errors) {
    expect({ of, code: extensions?.code }).not.toMatchObject({ code: 'INTERNAL_SERVER_ERROR' })
    expect(extensions?.code).toBeTypeOf('string')
    expect(message).not.toMatch(/node_modules|\.ts:\d|Maximum call stack/)
  }
}

it('operations of any content are run or refused by every door', async () => {
  const server = await testServer({ EPOCHCAST_MAX_STREAM_SECONDS: '1' })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...DOOR_NAMES), asked, async (door, operation) => {
      expectNoFailure(await ask(door, server, operation), operation)
    }),
    { numRuns: 60 },
  )
  expect(await run(server.url, version)).toHaveProperty('server')
})

const request = fc.record({
  method: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('GET', 'POST') },
    fc.constantFrom('PUT', 'OPTIONS', 'HEAD', 'TRACE', 'DELETE', 'PATCH'),
  ),
  target: fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(
        '/graphql',
        '/graphql?',
        '/graphql/',
        '*',
        '//x/graphql',
        'http://localhost/graphql',
      ),
    },
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    fc.array(fc.tuple(name, document)).map((params) => `/graphql?${new URLSearchParams(params)}`),
    fc
      .array(fc.tuple(fc.constantFrom('query', 'variables', 'extensions', 'operationName'), fc.json()))
      .map((params) => `/graphql?${new URLSearchParams(params)}`),
    fc.string({ maxLength: 30 }).map((text) => `/graphql?query=${text.replace(/[^!-~]/g, '%')}`),
  ),
  headers: fc.dictionary(
    fc.constantFrom(
      'accept',
      'content-type',
      'origin',
      'sec-fetch-site',
      'content-encoding',
      'access-control-request-headers',
    ),
    fc.constantFrom(
      ...['application/json', 'text/event-stream', '*/*', 'application/graphql-response+json', 'gzip'],
      ...[
        'multipart/form-data; boundary=x',
        'multipart/mixed',
        'http://localhost',
        'null',
        'cross-site',
        '',
        ';',
        ',,',
      ],
    ),
  ),
  body: fc.oneof(
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    anyJson().map((value) => Buffer.from(JSON.stringify(value))),
    asked.map((operation) => Buffer.from(JSON.stringify(operation))),
  ),
})

it('requests of any form are answered, with no failure of the server', async () => {
  const { url } = await testServer({
    EPOCHCAST_MAX_STREAM_SECONDS: '1',
    EPOCHCAST_MAX_STATE_STREAM_SECONDS: '1',
  })
  const { port, host } = new URL(url)
  const answer = ({
    method,
    target,
    headers,
    body,
  }: typeof request extends fc.Arbitrary<infer R> ? R : never) =>
    new Promise<string>((resolve, reject) => {
      const lines = Object.entries(headers).map(([key, text]) => `${key}: ${text}\r\n`)
      const length = method === 'GET' || method === 'HEAD' ? '' : `content-length: ${body.length}\r\n`
      const socket = connect(Number(port), '127.0.0.1')
      let text = ''
      socket.on('data', (data) => {
        text += data
        // An event stream keeps its connection, whatever the request says of it.
        if (text.endsWith('\r\n0\r\n\r\n')) socket.destroy()
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(text))
      socket.write(
        `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n${length}${lines.join('')}\r\n`,
      )
      if (length) socket.write(body)
    })
  await fc.assert(
    fc.asyncProperty(request, async (sent) => {
      const text = await answer(sent)
      expect(text).toMatch(/^HTTP\/1\.1 [234]\d\d /)
      expect(text).not.toMatch(/INTERNAL_SERVER_ERROR|node_modules|Maximum call stack/)
    }),
    { numRuns: 60 },
  )
  expect(await run(url, version)).toHaveProperty('server')
})

const message = fc.oneof(
  anyJson(),
  fc.record(
    {
      type: fc.oneof(
        fc.constantFrom('subscribe', 'complete', 'ping', 'pong', 'next', 'error', 'connection_ack'),
        fc.string(),
      ),
      id: fc.oneof(fc.constantFrom('1', '2', '__proto__', ''), anyJson(1)),
      payload: fc.oneof(asked, anyJson(2)),
    },
    { requiredKeys: ['type'] },
  ),
)

it('messages of any content are answered or end their socket as the client’s fault', async () => {
  const { url, webSocketUrl, gauges } = await testServer()
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 6 }), async (messages) => {
      const socket = new WebSocket(webSocketUrl, 'graphql-transport-ws')
      const ended = new Promise<number>((resolve, reject) => socket.on('close', resolve).on('error', reject))
      const received: string[] = []
      socket.on('open', () => socket.send('{"type":"connection_init"}'))
      socket.on('message', (data) => {
        // The acknowledgement is the first.
        if (received.push(String(data)) > 1) return
        for (const sent of messages) socket.send(JSON.stringify(sent))
        // Not taken before all that was sent before it.
        socket.send('{"type":"connection_init"}')
      })
      const code = await ended
      expect([4400, 4409, 4429]).toContain(code)
      expect(received.join('\n')).not.toMatch(/INTERNAL_SERVER_ERROR|node_modules|Maximum call stack/)
    }),
    { numRuns: 60 },
  )
  await expect.poll(() => gauges().sockets).toBe(0)
  await expect.poll(() => gauges().subscriptions).toBe(0)
  expect(await run(url, version)).toHaveProperty('server')
})
