import { EventEmitter } from 'node:events'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { toGraphQLError } from '../../src/schema/errors.ts'
import { countedResponses } from '../../src/transport/counted-response.ts'
import { JsonPost } from '../../src/transport/json-post.ts'
import type { StreamRequests } from '../../src/transport/streams/stream-requests.ts'
import { testCallers, testClients } from '../support/clients.ts'
import { progressReports, REPORT, run, START, startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

type Headers = Readonly<Record<string, string>>

const JSON_IN: Headers = { 'content-type': 'application/json' }

/** A request with no header that was not asked for. */
function send(url: string, headers: Headers, body: string | Buffer, method = 'POST') {
  return new Promise<{ status: number | undefined; headers: object; body: string }>((resolve, reject) => {
    const sent = request(
      url,
      { method, headers: { 'content-length': `${Buffer.byteLength(body)}`, ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const { date, 'transfer-encoding': chunked, 'content-length': length, ...rest } = response.headers
          resolve({ status: response.statusCode, headers: rest, body: String(Buffer.concat(chunks)) })
        })
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

/** The same request by the fast path and, for a query string has it so, by Yoga. */
async function bothWays(url: string, headers: Headers, body: string | Buffer) {
  return { short: await send(url, headers, body), yoga: await send(`${url}?`, headers, body) }
}

const VERSION = '{ server { version } }'
const many = `query A { server { version } } mutation B($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted } }`

const BODIES: readonly [string, unknown][] = [
  ['a query', { query: VERSION }],
  ['a query of one of several names', { query: many, operationName: 'A' }],
  ['variables that are not used', { query: VERSION, variables: { a: 1 } }],
  [
    'null for all that may be left out',
    { query: VERSION, variables: null, operationName: null, extensions: null },
  ],
  ['extensions', { query: VERSION, extensions: { a: 1 } }],
  ['introspection', { query: '{ __schema { queryType { name } } }' }],
  ['a query of nothing there', { query: '{ task(id: "nobody") { id } }' }],
  [
    'a report on nothing there',
    { query: REPORT, variables: { input: { taskId: 'nobody', reports: [{ success: {} }] } } },
  ],
  [
    'a report out of bounds',
    { query: REPORT, variables: { input: { taskId: 'a', reports: [{ progress: { current: -1 } }] } } },
  ],
  [
    'a report of the wrong type',
    { query: REPORT, variables: { input: { taskId: 'a', reports: [{ progress: { current: 'x' } }] } } },
  ],
  [
    'a report with a bad metric',
    {
      query: REPORT,
      variables: { input: { taskId: 'a', reports: [{ progress: { current: 1, metrics: { a: 'b' } } }] } },
    },
  ],
  ['a start that is refused', { query: START, variables: { input: { trainer: 'nobody' } } }],
  ['a cursor that is none', { query: '{ tasks(after: "what?") { edges { cursor } } }' }],
  ['no variable', { query: REPORT }],
  ['no name where there are several', { query: many }],
  ['a name that is not there', { query: many, operationName: 'C' }],
  ['an empty name', { query: many, operationName: '' }],
  ['a name that is none', { query: many, operationName: 7 }],
  ['a syntax error', { query: '{ server {' }],
  ['a document that does not fit', { query: '{ server { nothing } }' }],
  ['a document without an operation', { query: 'fragment F on Query { __typename }' }],
  ['an empty document', { query: '' }],
  ['too many tokens', { query: `{ server { ${'version '.repeat(6000)} } }` }],
  [
    'too complex a query',
    {
      query: '{ tasks(first: 200) { edges { node { events(first: 1000) { edges { node { taskId } } } } } } }',
    },
  ],
  ['no query', {}],
  ['null for a query', { query: null }],
  ['a number for a query', { query: 7 }],
  ['a list of variables', { query: VERSION, variables: [] }],
  ['a text for variables', { query: VERSION, variables: '{}' }],
  ['a list of extensions', { query: VERSION, extensions: [] }],
  ['an unknown parameter', { query: VERSION, id: 1 }],
  ['null for an unknown parameter', { query: VERSION, id: null }],
  ['a list', [{ query: VERSION }]],
  ['a text', 'query'],
  ['null', null],
  ['a number', 1],
]

describe('POST with JSON', () => {
  it.each(BODIES)('with %s is answered as Yoga answers it, whatever is accepted', async (_, body) => {
    const { url } = await testServer()
    for (const accept of [
      null,
      '*/*',
      'application/json',
      'application/graphql-response+json',
      'application/graphql-response+json, application/json;q=0.9',
      'text/html, application/*;q=0.5, application/graphql-response+json',
      'text/event-stream, application/json; charset=utf-8',
      'multipart/mixed, application/json; charset=utf-16, application/graphql-response+json',
      'text/html',
    ]) {
      const headers = accept === null ? JSON_IN : { ...JSON_IN, accept }
      const { short, yoga } = await bothWays(url, headers, JSON.stringify(body))
      expect({ accept, ...short }).toEqual({ accept, ...yoga })
    }
  })

  // Around the length from which a body is sent apart from its headers.
  it.each([65_000, 65_600, 1_000_000])(
    'with an answer of %d characters, of one, two and four bytes',
    async (length) => {
      const { url } = await testServer()
      const id = await startExternal(url)
      const message = 'aж👍'.repeat(1000)
      const reports = Array.from({ length: Math.ceil(length / message.length) }, (_, i) => ({
        progress: { current: i, message },
      }))
      for (let at = 0; at < reports.length; at += 50)
        await run(url, REPORT, { input: { taskId: id, reports: reports.slice(at, at + 50) } })
      const query = `{ task(id: "${id}") { events(first: 1000) { edges { node { __typename ... on ProgressUpdate { message } } } } } }`
      const { short, yoga } = await bothWays(url, JSON_IN, JSON.stringify({ query }))
      expect(short).toEqual(yoga)
      const { edges } = JSON.parse(short.body).data.task.events
      expect(edges.at(-1).node).toEqual({ __typename: 'ProgressUpdate', message })
      expect(edges.length).toBeGreaterThan(reports.length)
    },
  )

  it.each<[string, Headers, string | Buffer]>([
    ['JSON that is none', JSON_IN, '{"query":'],
    ['nothing', JSON_IN, ''],
    ['a byte order mark', JSON_IN, `\ufeff${JSON.stringify({ query: VERSION })}`],
    ['bytes that are not UTF-8', JSON_IN, Buffer.from('7b2271756572792222ff7d', 'hex')],
    [
      'text that is not UTF-8',
      JSON_IN,
      Buffer.from(JSON.stringify({ query: '{ task(id: "é") { id } }' }), 'latin1'),
    ],
    ['a charset', { 'content-type': 'application/json; charset=utf-8' }, JSON.stringify({ query: VERSION })],
    [
      'a charset in capitals',
      { 'content-type': 'application/json;charset=UTF-8' },
      JSON.stringify({ query: VERSION }),
    ],
    [
      'another charset',
      { 'content-type': 'application/json; charset=utf-16' },
      JSON.stringify({ query: VERSION }),
    ],
    [
      'another type of JSON',
      { 'content-type': 'application/graphql+json' },
      JSON.stringify({ query: VERSION }),
    ],
    ['a type in capitals', { 'content-type': 'Application/JSON' }, JSON.stringify({ query: VERSION })],
    ['two types', { 'content-type': 'application/json, text/plain' }, JSON.stringify({ query: VERSION })],
    ['a document as it is', { 'content-type': 'application/graphql' }, VERSION],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'query=%7Bserver%7Bversion%7D%7D'],
    ['plain text', { 'content-type': 'text/plain' }, JSON.stringify({ query: VERSION })],
    ['no type', {}, JSON.stringify({ query: VERSION })],
    ['an encoding', { ...JSON_IN, 'content-encoding': 'gzip' }, JSON.stringify({ query: VERSION })],
    [
      'an allowed origin',
      { ...JSON_IN, origin: 'http://localhost:3000' },
      JSON.stringify({ query: VERSION }),
    ],
    [
      'an allowed origin and an error',
      { ...JSON_IN, origin: 'http://localhost:3000' },
      JSON.stringify({ query: '{ no }' }),
    ],
    [
      'headers that were asked for before',
      { ...JSON_IN, origin: 'http://localhost:3000', 'access-control-request-headers': 'x-a' },
      JSON.stringify({ query: VERSION }),
    ],
    ['another origin', { ...JSON_IN, origin: 'https://evil.example' }, JSON.stringify({ query: VERSION })],
  ])('with %s is answered as Yoga answers it', async (_, headers, body) => {
    const { url } = await testServer()
    const { short, yoga } = await bothWays(url, headers, body)
    expect(short).toEqual(yoga)
  })

  it('takes a body to its last allowed byte, and not one more', async () => {
    const { url } = await testServer({ EPOCHCAST_MAX_BODY_BYTES: '2000' })
    const body = (length: number) => {
      const text = JSON.stringify({ query: VERSION, variables: { x: '' } })
      return text.replace('""', `"${'y'.repeat(length - text.length)}"`)
    }
    const whole = await bothWays(url, JSON_IN, body(2000))
    expect(whole.short.status).toBe(200)
    expect(whole.short).toEqual(whole.yoga)
    const over = await bothWays(url, JSON_IN, body(2001))
    expect(over.short.status).toBe(413)
    expect(over.short).toEqual(over.yoga)
  })

  it('takes a repeated report for what it is, by either way', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    const variables = { input: { taskId, producer: 'p', firstSequence: 1, reports: progressReports(1, 3) } }
    await run(url, REPORT, variables)
    const { short, yoga } = await bothWays(url, JSON_IN, JSON.stringify({ query: REPORT, variables }))
    expect(JSON.parse(short.body)).toMatchObject({ data: { reportMetrics: { accepted: 0, duplicates: 3 } } })
    expect(short).toEqual(yoga)
  })

  it('that comes in pieces, or breaks off, is read to its end or not at all', async () => {
    const { url } = await testServer()
    const taskId = await startExternal(url)
    const body = JSON.stringify({
      query: REPORT,
      variables: { input: { taskId, reports: [{ progress: { current: 1, message: 'é'.repeat(100) } }] } },
    })
    const { port } = new URL(url)
    const head = `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n`
    const socket = connect(Number(port), '127.0.0.1')
    let answer = ''
    socket.on('data', (data) => {
      answer += data
    })
    socket.write(head)
    for (const byte of Buffer.from(body)) socket.write(Buffer.of(byte))
    await until('the answer', () => answer.includes('"accepted":1'))
    socket.destroy()
    const cut = connect(Number(port), '127.0.0.1')
    cut.write(head + body.slice(0, 50))
    cut.resume().end()
    await new Promise((resolve) => cut.once('close', resolve))
    const { task } = await run(url, `{ task(id: "${taskId}") { events(first: 10) { edges { cursor } } } }`)
    // QUEUED, RUNNING and the one report.
    expect(task.events.edges).toHaveLength(3)
  })
})

function clientsAndCallers(clients = testClients()) {
  const streams = { tryServe: () => false } as unknown as StreamRequests
  return { clients, callers: testCallers(clients), streams }
}

describe('a request', () => {
  const served = (headers: Headers, url = '/graphql', method = 'POST') => {
    let by = 'nobody'
    const jsonPost = new JsonPost({
      yoga: (() => {
        by = 'Yoga'
      }) as never,
      operations: {} as never,
      ...clientsAndCallers(),
      maxBodyBytes: 100,
      graphiql: true,
    })
    const on = () => {
      by = 'the fast path'
    }
    jsonPost.serve({ method, url, headers, on, socket: {} } as never, {} as never)
    return by
  }
  const plain = { ...JSON_IN, 'content-length': '100' }

  it.each<[string, Headers]>([
    ['of a script', plain],
    ['of Python', { ...plain, accept: '*/*', 'accept-encoding': 'gzip, deflate' }],
    ['of a front end', { ...plain, accept: 'application/graphql-response+json, application/json' }],
    ['of a page', { ...plain, origin: 'http://localhost' }],
  ])('%s goes the fast path', (_, headers) => {
    expect(served(headers)).toBe('the fast path')
  })

  it.each<[string, Headers, string?, string?]>([
    ['by GET', {}, '/graphql?query=x', 'GET'],
    ['before one of a page', { origin: 'http://localhost' }, '/graphql', 'OPTIONS'],
  ])('%s goes to Yoga', (_, headers, url, method) => {
    expect(served(headers, url, method)).toBe('Yoga')
  })
})

it('a body that goes to Yoga is no Buffer, of which the adapter would list every byte', async () => {
  let given: { body?: object } = {}
  const jsonPost = new JsonPost({
    yoga: ((request: { body?: object }) => {
      given = request
    }) as never,
    operations: {} as never,
    ...clientsAndCallers(),
    maxBodyBytes: 100,
    graphiql: true,
  })
  const request = new EventEmitter()
  const headers = { ...JSON_IN, accept: 'text/event-stream', 'content-length': '2' }
  jsonPost.serve(
    Object.assign(request, { method: 'POST', url: '/graphql', headers, socket: {} }) as never,
    {} as never,
  )
  request.emit('data', Buffer.from('{}'))
  request.emit('end')
  expect(Object.keys(given.body ?? {})).toHaveLength(1)
  const chunks: Buffer[] = []
  for await (const chunk of given.body as AsyncIterable<Buffer>) chunks.push(chunk)
  expect(String(Buffer.concat(chunks))).toBe('{}')
})

it.each(['prepare', 'yoga'])(
  'what %s throws is a failure of its request, masked, and not of the process',
  async (part) => {
    const fail = () => {
      throw new TypeError('secret')
    }
    const unexpected: unknown[] = []
    const translate = (error: unknown) => toGraphQLError(error, (cause) => unexpected.push(cause))
    const clients = testClients()
    const jsonPost = new JsonPost({
      yoga: (part === 'yoga' ? async () => fail() : fail) as never,
      operations: { prepare: fail, translate } as never,
      ...clientsAndCallers(clients),
      maxBodyBytes: 1000,
      graphiql: true,
    })
    const ServerResponse = countedResponses(clients.waiting, clients.refusals)
    const server = createServer({ ServerResponse }, (request, response) => jsonPost.serve(request, response))
    onTestFinished(() => void server.close())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const accept = part === 'yoga' ? 'text/event-stream' : 'application/json'
    const found = await send(
      `http://127.0.0.1:${port}`,
      { ...JSON_IN, accept },
      JSON.stringify({ query: VERSION }),
    )
    expect(found.status).toBe(500)
    expect(JSON.parse(found.body)).toMatchObject({
      errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
    })
    expect(found.body).not.toContain('secret')
    expect(unexpected).toMatchObject([{ message: 'secret' }])
  },
)
