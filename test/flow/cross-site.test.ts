import { request } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { type Data, run, START, startExternal } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'

const version = '{ server { version } }'

function send(url: string, method: string, headers: Record<string, string>, body = '') {
  return new Promise<{ status: number | undefined; headers: Data; text: string }>((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

/** What a browser lets a page send to anybody, without asking first. */
const SIMPLE: readonly [string, Record<string, string>, string][] = [
  [
    'a form',
    { 'content-type': 'application/x-www-form-urlencoded' },
    new URLSearchParams({ query: 'mutation { startTraining(input: {}) { task { id } } }' }).toString(),
  ],
  [
    'a form of parts',
    { 'content-type': 'multipart/form-data; boundary=x' },
    '--x\r\ncontent-disposition: form-data; name="query"\r\n\r\nmutation { startTraining(input: {}) { task { id } } }\r\n--x--\r\n',
  ],
  [
    'plain text',
    { 'content-type': 'text/plain' },
    JSON.stringify({ query: 'mutation { startTraining(input: {}) { task { id } } }' }),
  ],
  ['no type', {}, JSON.stringify({ query: 'mutation { startTraining(input: {}) { task { id } } }' })],
  [
    'a document',
    { 'content-type': 'application/graphql' },
    'mutation { startTraining(input: {}) { task { id } } }',
  ],
  [
    'text that names JSON',
    { 'content-type': 'text/plain; application/json' },
    JSON.stringify({ query: 'mutation { startTraining(input: {}) { task { id } } }' }),
  ],
]

describe.each(SIMPLE)('%s by POST', (_, type, body) => {
  it.each(['', '?', '/', '?query=%7B__typename%7D'])(
    'is refused with 415 and words at /graphql%s',
    async (end) => {
      const { url } = await testServer()
      for (const headers of [
        type,
        { ...type, accept: 'text/event-stream' },
        { ...type, accept: 'text/html' },
      ]) {
        const { status, text } = await send(`${url}${end}`, 'POST', headers, body)
        expect(status).toBe(415)
        expect(JSON.parse(text)).toMatchObject({
          errors: [
            {
              message: expect.stringMatching(/Content-Type header.*; expected application\/json$/),
              extensions: { code: 'BAD_REQUEST', retryable: false },
            },
          ],
        })
      }
      expect(await run(url, '{ tasks { edges { cursor } } }')).toEqual({ tasks: { edges: [] } })
    },
  )
})

it('the form of another page is refused by its origin, whatever its type', async () => {
  const { url } = await testServer()
  for (const origin of ['https://evil.example', 'null', 'foo://127.0.0.1', 'http://localhost.evil.example']) {
    for (const type of ['application/x-www-form-urlencoded', 'application/json']) {
      const { status, text } = await send(url, 'POST', { origin, 'content-type': type }, '{}')
      expect(status).toBe(403)
      expect(JSON.parse(text)).toMatchObject({ errors: [{ extensions: { code: 'ORIGIN_NOT_ALLOWED' } }] })
    }
  }
})

it('an image of another site asks nothing, and a link to the server opens GraphiQL, in no frame', async () => {
  const { url } = await testServer()
  const query = `${url}?${new URLSearchParams({ query: version })}`
  const site = (value: string, dest: string) => ({ 'sec-fetch-site': value, 'sec-fetch-dest': dest })
  const image = { ...site('cross-site', 'image'), 'sec-fetch-mode': 'no-cors', accept: 'image/*' }
  const refused = await send(query, 'GET', image)
  expect(refused.status).toBe(403)
  expect(JSON.parse(refused.text)).toMatchObject({
    errors: [
      {
        message: expect.stringContaining(
          'the Sec-Fetch-Site header is "cross-site", and there is no Origin header',
        ),
        extensions: { code: 'ORIGIN_NOT_ALLOWED' },
      },
    ],
  })
  expect((await send(query, 'GET', { ...image, ...site('same-site', 'image') })).status).toBe(403)
  expect(
    (await send(query, 'GET', { ...image, ...site('same-origin', 'image'), accept: '*/*' })).status,
  ).toBe(200)
  expect((await send(query, 'GET', {})).status).toBe(200)

  const link = { ...site('cross-site', 'document'), 'sec-fetch-mode': 'navigate', accept: 'text/html' }
  const page = await send(query, 'GET', link)
  expect(page).toMatchObject({
    status: 200,
    headers: { 'content-type': expect.stringContaining('text/html') },
  })
  expect(page.headers).toMatchObject({
    'content-security-policy': "frame-ancestors 'none'",
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
  })
  expect((await send(query, 'GET', { ...link, ...site('cross-site', 'iframe') })).status).toBe(403)
})

it('by GET only queries are run, not of a page that may not, and not without a name for it', async () => {
  const { url } = await testServer()
  const mutation = new URLSearchParams({ query: 'mutation { startTraining(input: {}) { task { id } } }' })
  expect((await send(`${url}?${mutation}`, 'GET', {})).status).toBe(405)
  const query = `${url}?${new URLSearchParams({ query: version })}`
  expect((await send(query, 'GET', { origin: 'https://evil.example' })).status).toBe(403)
  const allowed = await send(query, 'GET', { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' })
  expect(allowed.headers).toMatchObject({ 'access-control-allow-origin': 'http://localhost:3000' })
})

it('a page that asks before it sends is told no by name, and an allowed one yes', async () => {
  const { url } = await testServer()
  const ask = (origin: string) =>
    send(url, 'OPTIONS', {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    })
  const refused = await ask('https://evil.example')
  expect(refused.status).toBe(403)
  expect(refused.headers).not.toHaveProperty('access-control-allow-origin')
  const allowed = await ask('http://localhost:3000')
  expect(allowed).toMatchObject({
    status: 204,
    headers: { 'access-control-allow-origin': 'http://localhost:3000' },
  })
})

it('the upgrade to a WebSocket is refused to the same pages, and to other hosts', async () => {
  const { webSocketUrl } = await testServer()
  const open = (headers: Record<string, string>) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(webSocketUrl, 'graphql-transport-ws', { headers })
      socket.on('open', () => {
        socket.terminate()
        resolve('open')
      })
      socket.on('error', ({ message }) => resolve(message))
    })
  expect(await open({})).toBe('open')
  expect(await open({ origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' })).toBe('open')
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'foo://127.0.0.1' },
    { origin: 'http://user@localhost' },
    { 'sec-fetch-site': 'cross-site' },
    { host: 'evil.example' },
    { host: 'evil.example', origin: 'http://evil.example' },
    { host: 'localhost.' },
  ]) {
    expect(await open(headers)).toMatch(/403/)
  }
})

describe('a target', () => {
  /** One request as it is written, and the first response to it. */
  const raw = (url: string, head: string, body = '') =>
    new Promise<string>((resolve) => {
      const { port } = new URL(url)
      const socket = connect(Number(port), '127.0.0.1')
      let text = ''
      socket.on('data', (data) => {
        text += data
      })
      socket.on('close', () => resolve(text))
      socket.on('error', () => resolve(text))
      socket.write(`${head}\r\nhost: localhost\r\nconnection: close\r\n\r\n${body}`)
    })
  const query = `query=${encodeURIComponent(version)}`

  it.each<[string, number, string]>([
    [`GET http://evil.example/graphql?${query}`, 403, 'ORIGIN_NOT_ALLOWED'],
    [`GET https://evil.example/graphql?${query}`, 403, 'ORIGIN_NOT_ALLOWED'],
    [`GET http://user@localhost.evil.example/graphql?${query}`, 403, 'ORIGIN_NOT_ALLOWED'],
    [`GET http://localhost/elsewhere`, 404, 'NOT_FOUND'],
    ['GET http://[/graphql', 400, 'BAD_REQUEST'],
    ['GET ftp://localhost/graphql', 400, 'BAD_REQUEST'],
    ['GET //evil.example/graphql', 404, 'NOT_FOUND'],
    ['GET /graphql/../graphql', 404, 'NOT_FOUND'],
    ['GET /%67raphql', 404, 'NOT_FOUND'],
    ['GET /graphql%00', 404, 'NOT_FOUND'],
    ['OPTIONS *', 404, 'NOT_FOUND'],
    ['GET /graphql?query=%zz', 400, 'BAD_REQUEST'],
    ['GET /graphql?query=%ff%fe', 400, 'BAD_REQUEST'],
    ['GET /graphql?query=%00', 400, 'GRAPHQL_PARSE_FAILED'],
    [`GET /graphql?${query}&${query}`, 400, 'BAD_REQUEST'],
    [`GET /graphql?${query}&variables=[]`, 400, 'BAD_REQUEST'],
    [`GET /graphql?${query}&variables=1`, 400, 'BAD_REQUEST'],
    [`GET /graphql?${query}&variables={`, 400, 'BAD_REQUEST'],
    [`GET /graphql?${query}&extensions="x"`, 400, 'BAD_REQUEST'],
    ['GET /graphql', 400, 'BAD_REQUEST'],
    ['PUT /graphql', 405, 'BAD_REQUEST'],
    ['TRACE /graphql', 405, 'BAD_REQUEST'],
  ])('%s is refused with %i and words', async (line, status, code) => {
    const { url } = await testServer()
    const text = await raw(url, `${line} HTTP/1.1\r\naccept: application/graphql-response+json`)
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    const [, body] = /\r\n\r\n[\s\S]*?(\{[\s\S]*\})/.exec(text) ?? []
    const { errors } = JSON.parse(body ?? 'null') as Data
    expect(errors).toMatchObject([{ extensions: { code, retryable: false } }])
    expect(errors[0].message).not.toBe('')
    expect(text).not.toMatch(/node_modules|\bat .*\.(js|ts):\d/)
    expect(await run(url, version)).toHaveProperty('server')
  })

  it('that names this server is served, and parameters that are nobody’s are passed over', async () => {
    const { url } = await testServer()
    const { host } = new URL(url)
    const many = Array.from({ length: 100 }, (_, i) => `p${i}=${i}`).join('&')
    for (const target of [
      `http://${host}/graphql?${query}`,
      `HTTP://LOCALHOST/graphql?${query}`,
      `/graphql?${many}&${query}`,
    ]) {
      expect(await raw(url, `GET ${target} HTTP/1.1`)).toMatch(/^HTTP\/1.1 200 [\s\S]*"version"/)
    }
    const body = JSON.stringify({ query: version })
    const head = `POST http://${host}/graphql HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`
    expect(await raw(url, head, body)).toMatch(/^HTTP\/1.1 200 [\s\S]*"version"/)
    const upgrade =
      'connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=='
    expect(await raw(url, `GET http://evil.example/graphql HTTP/1.1\r\n${upgrade}`)).toMatch(
      /^HTTP\/1.1 403 /,
    )
  })

  it('that is longer than any, or asks for a tunnel, gets no more than a refusal', async () => {
    const { url } = await testServer()
    expect(await raw(url, `GET /graphql?query=${'x'.repeat(100_000)} HTTP/1.1`)).toMatch(/^HTTP\/1.1 431 /)
    expect(await raw(url, 'CONNECT evil.example:443 HTTP/1.1')).toMatch(/^HTTP\/1.1 405 /)
    expect(await run(url, version)).toHaveProperty('server')
  })
})

it('several operations in one request are refused with words', async () => {
  const { url } = await testServer()
  const json = { 'content-type': 'application/json' }
  for (const end of ['', '?']) {
    for (const body of [[{ query: version }, { query: version }], [], [{ query: version }]]) {
      const { status, text } = await send(`${url}${end}`, 'POST', json, JSON.stringify(body))
      expect(status).toBe(400)
      const { errors } = JSON.parse(text)
      expect(errors).toMatchObject([
        {
          message: expect.stringMatching(/[Bb]atch|list of operations/),
          extensions: { code: 'BAD_REQUEST', retryable: false },
        },
      ])
    }
  }
})

it('a body that is not UTF-8 is refused rather than changed', async () => {
  const { url } = await testServer()
  const taskId = await startExternal(url)
  const json = { 'content-type': 'application/json' }
  const body = Buffer.from(
    JSON.stringify({ query: START, variables: { input: { trainer: 'external', labels: { a: 'X' } } } }),
  )
  body[body.indexOf('X')] = 0xff
  for (const end of ['', '?']) {
    const { status, text } = await new Promise<{ status: number | undefined; text: string }>(
      (resolve, reject) => {
        const sent = request(`${url}${end}`, { method: 'POST', headers: json, agent: false }, (response) => {
          let answer = ''
          response.on('data', (chunk) => {
            answer += chunk
          })
          response.on('end', () => resolve({ status: response.statusCode, text: answer }))
        })
        sent.on('error', reject)
        sent.end(body)
      },
    )
    expect(status).toBe(400)
    expect(JSON.parse(text)).toMatchObject({
      errors: [{ message: 'the request body is not UTF-8', extensions: { code: 'BAD_REQUEST' } }],
    })
  }
  expect((await run(url, '{ tasks { edges { node { id } } } }')).tasks.edges).toEqual([
    { node: { id: taskId } },
  ])
})
