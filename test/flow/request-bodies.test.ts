import { request } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { describeEngines } from '../support/engines.ts'
import { type Data, progressReports, REPORT, run, startExternal, TASK } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'

const JSON_IN = { 'content-type': 'application/json' }

/** Sends all of it before it reads anything, as Python does. */
async function send(
  url: string,
  headers: Record<string, string>,
  body: string | Buffer,
  isChunked = false,
): Promise<{ status: number | undefined; headers: Data; error: Data }> {
  return new Promise((resolve, reject) => {
    const length: Record<string, string> = isChunked
      ? { 'transfer-encoding': 'chunked' }
      : { 'content-length': `${Buffer.byteLength(body)}` }
    const sent = request(url, {
      method: 'POST',
      headers: { ...JSON_IN, ...length, ...headers },
      agent: false,
    })
    sent.on('error', reject)
    sent.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const { errors, data } = JSON.parse(String(Buffer.concat(chunks)))
        resolve({ status: response.statusCode, headers: response.headers, error: errors?.[0] ?? data })
      })
    })
    sent.end(body)
  })
}

describeEngines((openServer) => {
  it('a report in gzip is taken like any other', async () => {
    const { url } = await openServer()
    const taskId = await startExternal(url)
    const body = (from: number) =>
      gzipSync(
        JSON.stringify({
          query: REPORT,
          variables: { input: { taskId, reports: progressReports(from, from + 2) } },
        }),
      )
    for (const [i, encoding] of ['gzip', 'GZIP', 'x-gzip'].entries()) {
      const { status, error } = await send(url, { 'content-encoding': encoding }, body(1 + 3 * i), i > 0)
      expect({ status, error }).toMatchObject({ status: 200, error: { reportMetrics: { accepted: 3 } } })
    }
    expect((await run(url, TASK, { id: taskId })).task.current).toBe(9)
  })
})

it('a body that is too large is told its size and the bound, though all of it is sent first', async () => {
  const { url } = await testServer()
  const bound = 'expected at most 1048576 (EPOCHCAST_MAX_BODY_BYTES)'
  const big = JSON.stringify({ query: '{ server { version } }', variables: { x: 'y'.repeat(10_000_000) } })
  for (const [isChunked, found] of [
    [false, big.length],
    [true, 'more than 1048576'],
  ] as const) {
    const { status, error } = await send(url, {}, big, isChunked)
    expect({ status, error }).toMatchObject({
      status: 413,
      error: {
        message: `the request body has ${found} bytes; ${bound}`,
        extensions: { code: 'BODY_TOO_LARGE', retryable: false },
      },
    })
  }
})

it('a client that writes 10 MB in one go and only then reads finds the 413', async () => {
  const { url } = await testServer()
  const length = 10_000_000
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.pause()
  socket.write(
    `POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n`,
  )
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.write(Buffer.alloc(length, 0x20), () => resolve())
  })
  let answer = ''
  for await (const chunk of socket) answer += chunk
  expect(answer).toMatch(/^HTTP\/1\.1 413 /)
  expect(answer).toContain(`the request body has ${length} bytes`)
})

it('a body that is small in gzip only is cut, one that is no gzip and other encodings are refused', async () => {
  const { url } = await testServer()
  const bomb = gzipSync(Buffer.alloc(200_000_000, 0x20))
  expect(bomb.length).toBeLessThan(1_000_000)
  const before = process.memoryUsage().rss
  const cut = await send(url, { 'content-encoding': 'gzip' }, bomb)
  expect(cut).toMatchObject({ status: 413, error: { extensions: { code: 'BODY_TOO_LARGE' } } })
  expect(cut.error.message).toContain('inflated more than 1048576 bytes')
  expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000)

  const body = JSON.stringify({ query: '{ server { version } }' })
  const plain = await send(url, { 'content-encoding': 'gzip' }, body)
  expect(plain).toMatchObject({ status: 400, error: { extensions: { code: 'BAD_REQUEST' } } })
  expect(plain.error.message).toContain('is not gzip')
  for (const encoding of ['br', 'deflate', 'zstd', 'gzip, gzip']) {
    const refused = await send(url, { 'content-encoding': encoding }, body)
    expect(refused).toMatchObject({
      status: 415,
      headers: { 'accept-encoding': 'gzip' },
      error: {
        message: `the Content-Encoding header is "${encoding}"; expected gzip, or none`,
        extensions: { code: 'BAD_REQUEST' },
      },
    })
  }
  expect(await send(url, { 'content-encoding': 'identity' }, body)).toMatchObject({ status: 200 })
})

it.each([
  [
    '{"query":"q","variables":{"input":{"taskId":"secret","reports":[{"success":{}},{"progress":{"loss": NaN}}]}}}',
    'variables.input.reports[1].progress.loss is a bare NaN, which JSON does not have; send the strings "NaN", "Infinity" and "-Infinity" instead',
  ],
  ['{"query":"NaN \\" NaN","variables":{"a":[1,-Infinity]}}', 'variables.a[1] is a bare -Infinity'],
  ['[Infinity]', '[0] is a bare Infinity'],
  ['NaN', 'the request body is a bare NaN'],
  [
    '{"query":"q","variables":{"a":[{"b":True}]}}',
    'variables.a[0].b is a bare True, which JSON does not have; send true instead',
  ],
  ['{"query":"q","variables":None}', 'variables is a bare None, which JSON does not have; send null instead'],
  ['{"query":"None False, secret","variables":{"NoneType":"True"},}', 'the request body is not JSON'],
  ['', 'the request body is empty; expected an object with query'],
  ['\ufeff', 'the request body is empty; expected an object with query'],
  ['\ufeff{"secret', 'the request body is not JSON'],
  ['{"query":"secret"', /^the request body is not JSON \(.*\); expected an object with query/],
  ['{"secret: NaN}', 'the request body is not JSON'],
  [`{"a":"${'\\"'.repeat(300_000)}`, 'the request body is not JSON'],
  ['query=secret', 'the request body is not JSON'],
])('JSON that is none is refused without repeating it: %#', async (body, message) => {
  const { url } = await testServer()
  for (const way of [url, `${url}?`, `${url}/`]) {
    const { status, error } = await send(way, {}, body)
    expect({ status, error }).toMatchObject({ status: 400, error: { extensions: { code: 'BAD_REQUEST' } } })
    expect(error.message).toMatch(message)
    expect(JSON.stringify(error)).not.toContain('secret')
  }
})

it('a byte order mark in front of a body is passed over', async () => {
  const { url } = await testServer()
  for (const way of [url, `${url}?`]) {
    for (const version of ['version', `version a: __typename`]) {
      const body = `\ufeff${JSON.stringify({ query: `{ server { ${version} } }`, variables: { n: 1e30 } })}`
      expect(await send(way, {}, body)).toMatchObject({
        status: 200,
        error: { server: { version: expect.any(String) } },
      })
    }
  }
})
