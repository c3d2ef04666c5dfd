import { expect, it } from 'vitest'
import { startExternal } from '../support/graphql.ts'
import { postOf, RawConnection } from '../support/raw-connection.ts'
import { testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const VERSION = '{ server { version } }'

/** What a client finds in each response that came: status, code and message. */
function refusals({ text }: RawConnection) {
  const responses = text.split(/(?=HTTP\/1\.1 )/).filter((response) => !response.startsWith('HTTP/1.1 100'))
  return responses.map((response) => {
    const [head = '', body = ''] = response.split('\r\n\r\n')
    expect(head.toLowerCase()).toContain('content-type: application/json; charset=utf-8')
    expect(head.toLowerCase()).toContain('connection: close')
    expect(head.toLowerCase()).toContain(`content-length: ${body.length}`)
    const [{ message, extensions }] = JSON.parse(body).errors
    return { status: Number(head.slice(9, 12)), code: extensions.code, message }
  })
}

const HOST = 'Host: 127.0.0.1'

const UNPARSED: readonly [what: string, bytes: string, status: number, code: string, message: RegExp][] = [
  [
    'bytes that are not HTTP',
    '\u0016\u0003\u0001\u0002\u0000\r\n\r\n',
    400,
    'BAD_REQUEST',
    /not an HTTP request \(.+\)/,
  ],
  [
    'a method that there is not',
    `BREW /graphql HTTP/1.1\r\n${HOST}\r\n\r\n`,
    400,
    'BAD_REQUEST',
    /Invalid method/,
  ],
  ['a version that there is not', `GET / HTTP/9.9\r\n${HOST}\r\n\r\n`, 400, 'BAD_REQUEST', /version/],
  ['no Host header', 'GET /graphql HTTP/1.1\r\n\r\n', 400, 'BAD_REQUEST', /no Host header/],
  [
    'two lengths',
    `POST /graphql HTTP/1.1\r\n${HOST}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`,
    400,
    'BAD_REQUEST',
    /Content-Length/,
  ],
  [
    'a length and chunks',
    `POST /graphql HTTP/1.1\r\n${HOST}\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n`,
    400,
    'BAD_REQUEST',
    /Content-Length|Transfer-Encoding/,
  ],
  [
    'a control character in a header',
    `GET / HTTP/1.1\r\n${HOST}\r\nX: a\u0000b\r\n\r\n`,
    400,
    'BAD_REQUEST',
    /header/i,
  ],
  [
    'chunks that are none',
    `POST /graphql HTTP/1.1\r\n${HOST}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n`,
    400,
    'BAD_REQUEST',
    /chunk/,
  ],
  [
    'headers of 20 KB',
    `GET / HTTP/1.1\r\n${HOST}\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
    431,
    'HEADERS_TOO_LARGE',
    /16 KiB/,
  ],
  [
    'a path of 20 KB',
    `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n${HOST}\r\n\r\n`,
    431,
    'HEADERS_TOO_LARGE',
    /16 KiB/,
  ],
  [
    'chunk extensions of 20 KB',
    `POST /graphql HTTP/1.1\r\n${HOST}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\n{\r\n`,
    413,
    'BODY_TOO_LARGE',
    /extensions/,
  ],
  [
    'an expectation',
    `POST /graphql HTTP/1.1\r\n${HOST}\r\nExpect: tea\r\nContent-Length: 2\r\n\r\n{}`,
    417,
    'BAD_REQUEST',
    /"tea"; expected 100-continue/,
  ],
  [
    'a tunnel',
    `CONNECT evil.example:443 HTTP/1.1\r\n${HOST}\r\n\r\n`,
    405,
    'BAD_REQUEST',
    /CONNECT "evil.example:443"/,
  ],
]

it('what is no request that is served is refused in words, and its connection let go', async () => {
  const server = await testServer()
  const refused = async ([what, bytes, status, code, message]: (typeof UNPARSED)[number]) => {
    const raw = new RawConnection(server.url).write(Buffer.from(bytes, 'latin1'))
    await until(what, () => raw.isEnded)
    expect(refusals(raw), what).toEqual([{ status, code, message: expect.stringMatching(message) }])
    // Its client keeps its half open, and goes on.
    raw.write('GET / HTTP/1.1\r\n\r\n\u0000')
  }
  await Promise.all(UNPARSED.map(refused))
  await until('them to be let go', () => server.gauges().connections === 0)
})

it('what takes too long is told so, headers and bodies', async () => {
  const server = await testServer({ EPOCHCAST_HEADERS_SECONDS: '0.3', EPOCHCAST_REQUEST_SECONDS: '0.6' })
  const headers = new RawConnection(server.url).write(`POST /graphql HTTP/1.1\r\n${HOST}\r\nX-Slow: `)
  const body = new RawConnection(server.url).write(postOf(VERSION).slice(0, -1))
  const upload = `POST /graphql HTTP/1.1\r\n${HOST}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
  const chunked = new RawConnection(server.url).write(`${upload}5\r\n{"que`)
  const all = [headers, body, chunked]
  await until('all to be ended', () => all.every(({ isEnded }) => isEnded))
  for (const raw of all)
    expect(refusals(raw)).toEqual([
      {
        status: 408,
        code: 'REQUEST_TIMEOUT',
        message:
          'the request did not come whole in time; expected its headers within 300 ms (EPOCHCAST_HEADERS_SECONDS) and all of it within 600 ms (EPOCHCAST_REQUEST_SECONDS)',
      },
    ])
  await until('them to be let go', () => server.gauges().connections === 0)
})

it('an edge: headers of nearly 16 KiB are taken, and so is 100-continue', async () => {
  const { url } = await testServer()
  const raw = new RawConnection(url).write(
    `GET /health HTTP/1.1\r\n${HOST}\r\nX: ${'x'.repeat(16_000)}\r\n\r\n`,
  )
  await until('the response', () => raw.text.includes('alive'))
  raw.post(VERSION, { Expect: '100-continue' })
  await until('the response', () => raw.text.includes('version'))
  expect(raw.statuses).toEqual([200, 100, 200])
})

it('nothing is written into a response that is under way, or before one that is awaited', async () => {
  const { url } = await testServer()
  const taskId = await startExternal(url)
  const subscription = `subscription { trainingProgress(taskId: "${taskId}") { __typename } }`
  const stream = new RawConnection(url).post(subscription, { Accept: 'text/event-stream' })
  await until('the stream', () => stream.text.includes('StreamOpened'))
  stream.write('this is no request\r\n\r\n')
  await until('its end', () => stream.isEnded || stream.isClosed)
  expect(stream.statuses).toEqual([200])
  expect(stream.text).not.toContain('BAD_REQUEST')

  // The client would take a refusal for the response to its first request.
  const pipelined = new RawConnection(url).write(`${postOf(VERSION)}this is no request\r\n\r\n`)
  await until('its end', () => pipelined.isEnded || pipelined.isClosed)
  expect(pipelined.statuses[0] ?? 200).toBe(200)
})

it('an upgrade has its turn after the response that is awaited, and so has a refused tunnel', async () => {
  const { url } = await testServer()
  const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
  const upgrade = `GET /ws/heartbeat HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n`
  const socket = new RawConnection(url).write(postOf(VERSION) + upgrade)
  await until('both', () => socket.statuses.length === 2)
  expect(socket.statuses).toEqual([200, 101])
  await until('a message', () => socket.text.includes('"type":'))

  const tunnel = new RawConnection(url).write(`${postOf(VERSION)}CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n`)
  await until('both', () => tunnel.statuses.length === 2)
  expect(tunnel.statuses).toEqual([200, 405])
})

it('an expectation is refused in its turn, after the response that is awaited', async () => {
  const { url, gauges } = await testServer()
  const expecting = postOf(VERSION, { Expect: 'tea' })
  const raw = new RawConnection(url).write(postOf(VERSION) + expecting)
  await until('both', () => raw.statuses.length === 2)
  expect(raw.statuses).toEqual([200, 417])

  // Behind a stream its turn never comes, and nothing is left of it.
  const taskId = await startExternal(url)
  const subscription = `subscription { trainingProgress(taskId: "${taskId}") { __typename } }`
  const stream = new RawConnection(url).post(subscription, { Accept: 'text/event-stream' }).write(expecting)
  await until('the stream', () => stream.text.includes('StreamOpened'))
  stream.socket.destroy()
  raw.socket.destroy()
  // One is that of fetch.
  await until('them to be gone', () => gauges().connections <= 1 && gauges().subscriptions === 0)
  expect(gauges()).toMatchObject({ bufferedBytes: 0, receivedBytes: 0 })
})
