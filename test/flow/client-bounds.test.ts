import { once } from 'node:events'
import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { collectSse, post, REPORT, type Result, run, START, startExternal } from '../support/graphql.ts'
import { ProtocolClient } from '../support/protocol-client.ts'
import { clientFrame, postOf, RawConnection, UPGRADE } from '../support/raw-connection.ts'
import { type TestServer, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const VERSION = '{ server { version } }'
const BEAT = 'subscription { heartbeat(intervalMs: 100) { sequence } }'

const isServing = async ({ url }: TestServer) => expect((await run(url, VERSION)).server).toBeTruthy()

/** Statuses and headers of a POST by itself. */
async function respond(url: string, query: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ query }),
  })
  const { errors } = (await response.json()) as { errors?: { extensions: Record<string, unknown> }[] }
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    extensions: errors?.[0]?.extensions,
  }
}

/** On a busy machine, time enough for one more passes between two of them. */
async function untilRefused(ask: () => ReturnType<typeof respond>): ReturnType<typeof respond> {
  for (let tries = 1; ; tries++) {
    const response = await ask()
    if (response.status !== 200 || tries === 20) return response
  }
}

describe('connections', () => {
  it('of refused upgrades are let go, though their clients keep their half open', async () => {
    const { url, gauges } = await testServer()
    const upgrades: [upgrade: string, status: number][] = [
      [UPGRADE.replace('/graphql', '/elsewhere'), 404],
      [UPGRADE.replace('Host', 'Origin: https://evil.example\r\nHost'), 403],
      [UPGRADE.replace('Sec-WebSocket-Version: 13', 'Sec-WebSocket-Version: 9'), 400],
      [UPGRADE.replace('Upgrade: websocket', 'Upgrade: h2c'), 400],
    ]
    const raws = upgrades.map(([upgrade]) => new RawConnection(url).write(upgrade))
    await until('the refusals', () => raws.every(({ isEnded }) => isEnded))
    expect(raws.map(({ statuses }) => statuses)).toEqual(upgrades.map(([, status]) => [status]))
    await until('the connections to be let go', () => gauges().connections === 0)
  })

  it('are bounded for one address and in all, and a refused one is told when to come back', async () => {
    const server = await testServer({ EPOCHCAST_MAX_CONNECTIONS: '10' })
    const { url, gauges } = server
    const open = (localAddress: string) =>
      Array.from({ length: 5 }, () => new RawConnection(url, { localAddress }))
    const ours = open('127.0.0.2')
    await until('its share', () => gauges().connections === 5)
    const refused = new RawConnection(url, { localAddress: '127.0.0.2' })
    await until('the refusal', () => refused.isEnded)
    expect(refused.text).toMatch(/^HTTP\/1\.1 503 .*\r\nretry-after: 1\r\n/s)
    expect(refused.text).toContain(
      'this address has 5 open connections; expected at most 5 (EPOCHCAST_ADDRESS_SHARE of EPOCHCAST_MAX_CONNECTIONS)',
    )
    expect(refused.text).toContain('"code":"TOO_MANY_CONNECTIONS","retryable":true')
    // What it asks all the same is not run.
    refused.post(VERSION).write(UPGRADE)
    await isServing(server)
    open('127.0.0.3')
    await until('all of them', () => gauges().connections === 10)
    const beyond = new RawConnection(url, { localAddress: '127.0.0.4' })
    await until('the refusal', () => beyond.isEnded)
    expect(beyond.text).toContain('the server has 10 open connections; expected at most 10')
    // One that is gone leaves its place.
    ours[0]?.socket.destroy()
    await until('a place', () => gauges().connections === 9)
    await isServing(server)
    expect(refused.statuses).toEqual([503])
  })

  it('of a trusted proxy carry many addresses, each WebSocket of which has a place of its client', async () => {
    const { webSocketUrl, url, gauges } = await testServer({
      EPOCHCAST_MAX_CONNECTIONS: '10',
      EPOCHCAST_TRUSTED_PROXIES: '127.0.0.1',
      EPOCHCAST_MUTATIONS_PER_SECOND: '1',
    })
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address } })
    for (let i = 0; i < 5; i++) await ProtocolClient.open(webSocketUrl, from('203.0.113.1'))
    const refused = new ProtocolClient(
      new WebSocket(webSocketUrl, 'graphql-transport-ws', from('1.1.1.1, 203.0.113.1')),
    )
    await until('the refusal', () => refused.closed)
    expect(gauges().sockets).toBe(5)
    await ProtocolClient.open(webSocketUrl, from('203.0.113.2'))
    // Rates are those of the client, too, over HTTP.
    const start = 'mutation { startTraining(input: { trainer: "external" }) { task { id } } }'
    const ask = (address: string) => respond(url, start, from(address).headers)
    for (let i = 0; i < 4; i++) expect((await ask('203.0.113.1')).status).toBe(200)
    expect((await untilRefused(() => ask('203.0.113.1'))).status).toBe(429)
    expect((await ask('203.0.113.2')).status).toBe(200)
  })

  it('have a bounded time for headers and for bodies', async () => {
    const server = await testServer({ EPOCHCAST_HEADERS_SECONDS: '0.3', EPOCHCAST_REQUEST_SECONDS: '0.6' })
    const silent = new RawConnection(server.url)
    const headers = new RawConnection(server.url).write(
      'POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ',
    )
    const body = new RawConnection(server.url).write(postOf(VERSION).slice(0, -1))
    const chunked = new RawConnection(server.url).write(
      'POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"que',
    )
    await until('all to be cut', () => [silent, headers, body, chunked].every(({ isEnded }) => isEnded))
    for (const raw of [headers, body, chunked]) expect(raw.statuses).toEqual([408])
    await until('them to be let go', () => server.gauges().connections === 0)
    await isServing(server)
  })
})

describe('answers that nobody reads', () => {
  const small = { EPOCHCAST_MAX_WAITING_BYTES: String(2 * 1024 * 1024), EPOCHCAST_ADDRESS_SHARE: '0.5' }

  /** A task whose events are an answer of so many bytes, and the query for it. */
  async function largeAnswer(url: string, bytes: number): Promise<string> {
    const taskId = await startExternal(url)
    const message = 'x'.repeat(4000)
    const perCall = 200
    for (let made = 0; made < bytes; made += perCall * message.length) {
      const reports = Array.from({ length: perCall }, () => ({ progress: { current: 1, message } }))
      await run(url, REPORT, { input: { taskId, reports } })
    }
    return `{ task(id: "${taskId}") { events(first: 1000) { edges { node { ... on ProgressUpdate { message } } } } } }`
  }

  /** Asks on one connection and does not read, until something waits. */
  async function askWithoutReading({ url, gauges }: TestServer, query: string, localAddress: string) {
    const before = gauges().bufferedBytes
    const raw = new RawConnection(url, { localAddress })
    await once(raw.socket, 'connect')
    raw.socket.pause()
    // More than the system takes.
    for (let i = 0; i < 20; i++) raw.post(query)
    await until('answers to wait', () => gauges().bufferedBytes > before)
    return raw
  }

  it('cost an address its share, over HTTP and over WebSocket, and nobody else', async () => {
    const server = await testServer(small)
    const { url, webSocketUrl, gauges } = server
    const options = { localAddress: '127.0.0.2' }
    const socket = await ProtocolClient.open(webSocketUrl, options)
    const raw = await askWithoutReading(server, await largeAnswer(url, 1_600_000), '127.0.0.2')
    // One answer, in the course of which the share was passed.
    expect(gauges().bufferedBytes).toBeLessThan(2_000_000)
    const refused = new RawConnection(url, options).post(VERSION)
    await until('the refusal', () => refused.text.includes('retryAfterMs'))
    expect(refused.statuses).toEqual([503])
    expect(refused.text.toLowerCase()).toContain('\r\nretry-after: 1\r\n')
    expect(refused.text).toMatch(/this address has \d+ bytes that wait for their clients to read them/)
    socket.subscribe('1', VERSION)
    await until('the refusal', () => socket.results('1').length)
    expect(socket.results('1')[0]?.errors?.[0]).toMatchObject({
      extensions: { code: 'OVERLOADED', retryable: true, retryAfterMs: 1000 },
    })
    await isServing(server)
    // They read, and are served again.
    raw.socket.resume()
    await until('all of it to be read', () => gauges().bufferedBytes === 0)
    const again = new RawConnection(url, options).post(VERSION)
    await until('the answer', () => again.statuses[0] === 200)
  })

  it('are ended when nothing of them is taken for too long, with what they had asked for beside', async () => {
    const server = await testServer({ ...small, EPOCHCAST_WRITE_TIMEOUT_SECONDS: '0.5' })
    const raw = await askWithoutReading(server, await largeAnswer(server.url, 1_600_000), '127.0.0.2')
    const others = server.gauges().connections - 1
    await until('it to be ended', () => server.gauges().connections === others)
    raw.socket.resume()
    await until('its end', () => raw.isEnded || raw.isClosed)
    expect(server.gauges().bufferedBytes).toBe(0)
  })

  it('live while they drain, however slowly', async () => {
    const server = await testServer({ EPOCHCAST_WRITE_TIMEOUT_SECONDS: '1' })
    // One answer, of many times what the system buffers.
    const events = await largeAnswer(server.url, 3_200_000)
    let bytes = 0
    const isDone = await new Promise<boolean>((resolve, reject) => {
      const asked = request(server.url, { method: 'POST', headers: { 'content-type': 'application/json' } })
      asked.on('error', reject)
      asked.on('response', (response) => {
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          // A tenth of a second for each 256 KB or so, which is more than the time in all.
          if (bytes % (256 * 1024) > chunk.length) return
          response.pause()
          setTimeout(() => response.resume(), 100)
        })
        response.on('end', () => resolve(response.complete))
        response.on('error', reject)
      })
      asked.end(JSON.stringify({ query: events }))
    })
    expect(isDone).toBe(true)
    expect(bytes).toBeGreaterThan(3_000_000)
  })
})

describe('requests that are sent without waiting for responses', () => {
  it('are answered one after the other, in order', async () => {
    const { url } = await testServer()
    const raw = new RawConnection(url)
    const names = Array.from({ length: 30 }, (_, i) => `v${i}`)
    raw.write(names.map((name) => postOf(`{ ${name}: server { version } }`)).join(''))
    await until('all responses', () => raw.statuses.length === names.length)
    expect([...raw.text.matchAll(/"(v\d+)":/g)].map(([, name]) => name)).toEqual(names)
  })

  it.each([
    ['all at once', 33],
    ['many more', 5000],
  ])(
    'wait behind one that is not answered so many only; the connection is then ended (%s)',
    async (_, more) => {
      const server = await testServer()
      const raw = new RawConnection(server.url)
      raw.post(BEAT, { accept: 'text/event-stream' })
      await until('the stream', () => server.gauges().subscriptions === 1)
      raw.write(Array.from({ length: 32 }, () => postOf(VERSION)).join(''))
      await until('more beats', () => raw.text.split('event: next').length > 3)
      expect(raw.statuses).toEqual([200])
      for (let i = 32; i < more; i++) raw.post(VERSION)
      await until('its end', () => raw.isEnded || raw.isClosed)
      await until(
        'all of it to be let go',
        () => server.gauges().subscriptions + server.gauges().connections === 0,
      )
      await isServing(server)
    },
  )
})

describe('bytes that have not come whole', () => {
  const small = { EPOCHCAST_MAX_BODY_BYTES: '100000', EPOCHCAST_MAX_RECEIVED_BYTES: '400000' }
  const half = (bytes: number) => postOf(`{ server { version } } # ${'x'.repeat(99_000)}`).slice(0, bytes)

  it('of bodies cost an address its share, and are given back', async () => {
    const server = await testServer(small)
    const options = { localAddress: '127.0.0.2' }
    const raws = [1, 2, 3].map(() => new RawConnection(server.url, options).write(half(60_000)))
    await until('all of it', () => server.gauges().receivedBytes > 170_000)
    const [head, rest] = [half(60_000), half(1_000_000).slice(60_000)]
    const refused = new RawConnection(server.url, options).write(head).write(rest)
    await until('the refusal', () => refused.statuses.length)
    expect(refused.statuses).toEqual([503])
    expect(refused.text).toContain('bytes of requests that have not come whole; expected at most 200000')
    expect(refused.text.toLowerCase()).toContain('retry-after: 1')
    // Others have theirs.
    const other = new RawConnection(server.url).write(head)
    await until('the first half', () => server.gauges().receivedBytes > 230_000)
    other.write(rest)
    await until('the answer', () => other.statuses[0] === 200)
    raws[1]?.socket.destroy()
    await until('its share of them', () => server.gauges().receivedBytes < 130_000)
    raws[0]?.write(rest)
    raws[2]?.write(rest)
    await until('their answers', () => raws[0]?.statuses[0] === 200 && raws[2]?.statuses[0] === 200)
    expect(server.gauges().receivedBytes).toBe(0)
  })

  it.each([
    ['half a frame', clientFrame('x'.repeat(60_000), { length: 90_000 })],
    ['a fragment', clientFrame('x'.repeat(60_000), { isFinal: false })],
  ])('of messages cost an address its share (%s), and end the socket that goes beyond', async (_, frame) => {
    const server = await testServer(small)
    const options = { localAddress: '127.0.0.2' }
    const raws = [1, 2, 3].map(() => new RawConnection(server.url, options).write(UPGRADE).write(frame))
    await until('all of it', () => server.gauges().receivedBytes > 170_000)
    const beyond = new RawConnection(server.url, options).write(UPGRADE).write(frame)
    await until('its end', () => beyond.text.includes('\x03\xf5'))
    await until('it to be let go', () => server.gauges().sockets === 3)
    // 1013, in the close frame.
    expect(beyond.text).toContain('\x03\xf5too many bytes of messages')
    const viewer = await ProtocolClient.open(server.webSocketUrl)
    viewer.subscribe('1', VERSION)
    await until('the answer', () => viewer.results('1').length)
    for (const raw of raws) raw.socket.destroy()
    await until('what they held', () => server.gauges().receivedBytes === 0)
  })

  it('of messages end their socket when they take too long', async () => {
    const server = await testServer({
      EPOCHCAST_REQUEST_SECONDS: '0.3',
      EPOCHCAST_CONNECTION_INIT_SECONDS: '60',
    })
    const idle = await ProtocolClient.open(server.webSocketUrl)
    const starts = [
      [clientFrame('{"type":', { length: 100 })],
      [clientFrame('{"type":', { length: 1000 })],
      // Pings among fragments are no end of them.
      [clientFrame('{"type":', { isFinal: false }), clientFrame('', { opcode: 9 })],
      [clientFrame('').subarray(0, 1)],
    ]
    const raws = starts.map((frames) =>
      new RawConnection(server.url).write(UPGRADE).write(Buffer.concat(frames)),
    )
    await until('the words', () =>
      raws.every(({ text }) => text.includes('\x03\xf5a message has not come whole within 0.3 s')),
    )
    await until('their end', () => server.gauges().sockets === 1)
    expect(idle.closed).toBeUndefined()
  })
})

describe('rates', () => {
  it('of messages on a socket refuse operations, and end a socket that goes on', async () => {
    const server = await testServer({ EPOCHCAST_OPERATIONS_PER_SECOND: '5' })
    const client = await ProtocolClient.open(server.webSocketUrl)
    for (let i = 1; i <= 25; i++) client.subscribe(`${i}`, VERSION)
    await until('the last result', () => client.results('25').length)
    // The first message was connection_init.
    expect(client.results('19')[0]?.errors).toBeUndefined()
    expect(client.results('25')[0]?.errors?.[0]).toMatchObject({
      message: expect.stringContaining(
        'expected at most 5 a second and 20 at once (EPOCHCAST_OPERATIONS_PER_SECOND)',
      ),
      extensions: { code: 'RATE_LIMITED', retryable: true, retryAfterMs: expect.any(Number) },
    })
    expect(client.closed).toBeUndefined()
    for (let i = 0; i < 60; i++) client.send({ type: 'ping' })
    await until('its end', () => client.closed)
    expect(client.closed).toBe(1013)
    await isServing(server)
  })

  it.each([
    ['fields', (fields: string) => `mutation { ${fields} }`],
    ['fields within a fragment', (fields: string) => `mutation { ... { ${fields} } }`],
    [
      'fields within a fragment of a name',
      (fields: string) => `mutation { ...F } fragment F on Mutation { ${fields} }`,
    ],
    [
      'fields within fragments of fragments, spread again and again',
      (fields: string) =>
        `mutation { ...F ... on Mutation { ...G ...F } } fragment F on Mutation { ...G } fragment G on Mutation { ${fields} }`,
    ],
  ])('of mutations count %s, and what is beyond a burst is owed', async (_, documentOf) => {
    const { url } = await testServer({ EPOCHCAST_MUTATIONS_PER_SECOND: '2' })
    const taskId = (await run(url, START, { input: { trainer: 'external' } })).startTraining.task.id
    const report = `reportMetrics(input: { taskId: "${taskId}", reports: [] }) { accepted }`
    const document = documentOf(Array.from({ length: 40 }, (_, i) => `a${i}: ${report}`).join(' '))
    // Eight at once, of which one was used, so they pass before long; and then 32 of them are owed.
    await until(
      'all of them to pass',
      async () => Object.keys((await post(url, document)).data ?? {}).length === 40,
    )
    const { errors } = await post(url, `mutation { ${report} }`)
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'RATE_LIMITED' })
    expect(errors?.[0]?.extensions.retryAfterMs).toBeGreaterThan(15_000)
    expect(errors?.[0]?.extensions.retryAfterMs).toBeLessThanOrEqual(16_500)
  })

  it('of mutations count a report once, whichever way it is run', async () => {
    const { url } = await testServer({ EPOCHCAST_MUTATIONS_PER_SECOND: '1' })
    // A result is for graphql-js, as its numbers must be exact.
    const input = { taskId: 'nobody', reports: [{ success: { result: 1 } }] }
    const replies = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(() => post(url, REPORT, { input })))
    const codes = replies.map(({ errors }) => errors?.[0]?.extensions.code)
    // Four may come at once.
    expect(codes.filter((code) => code === 'TASK_NOT_FOUND').length).toBeGreaterThanOrEqual(4)
    expect(codes).toContain('RATE_LIMITED')
  })

  it('of mutations hold for an address over all doors, and tell when to come back', async () => {
    const { url, webSocketUrl } = await testServer({ EPOCHCAST_MUTATIONS_PER_SECOND: '1' })
    const start = 'mutation { startTraining(input: { trainer: "external" }) { task { id } } }'
    const two = `mutation { ${[1, 2].map((i) => `a${i}: startTraining(input: { trainer: "external" }) { task { id } }`).join(' ')} }`
    const taskId = (await run(url, START, { input: { trainer: 'external' } })).startTraining.task.id
    // A field of a mutation is one of them.
    await run(url, two)
    await run(url, REPORT, { input: { taskId, reports: [] } })
    const refusals = [
      await untilRefused(() => respond(url, start)),
      await untilRefused(() => respond(url, start, { accept: 'application/graphql-response+json' })),
      // By way of Yoga.
      await untilRefused(() => respond(`${url}?`, start)),
    ]
    for (const { status, retryAfter, extensions } of refusals) {
      expect({ status, retryAfter }).toEqual({ status: 429, retryAfter: '1' })
      expect(extensions).toMatchObject({ code: 'RATE_LIMITED', retryable: true })
      expect(extensions?.retryAfterMs).toBeGreaterThan(0)
      expect(extensions).not.toHaveProperty('http')
    }
    const calls = await Promise.all(
      [1, 2, 3, 4, 5].map(() => post(url, REPORT, { input: { taskId, reports: [] } })),
    )
    const isRefused = ({ errors }: Result) => errors?.[0]?.extensions.code === 'RATE_LIMITED'
    expect(calls.some(isRefused)).toBe(true)
    const client = await ProtocolClient.open(webSocketUrl)
    const ids = ['1', '2', '3', '4', '5']
    for (const id of ids) client.subscribe(id, start)
    await until('the results', () => ids.every((id) => client.results(id).length > 0))
    expect(ids.some((id) => client.results(id).some(isRefused))).toBe(true)
    // Not of another address, and not of what only reads.
    const other = new RawConnection(url, { localAddress: '127.0.0.2' }).post(start)
    await until('the answer', () => other.statuses.length)
    expect(other.statuses).toEqual([200])
    expect((await respond(url, VERSION)).status).toBe(200)
  })
})

describe('subscriptions', () => {
  it('are shared out: one address has half of them', async () => {
    const server = await testServer({ EPOCHCAST_MAX_SUBSCRIPTIONS: '4' })
    const greedy = await ProtocolClient.open(server.webSocketUrl, { localAddress: '127.0.0.2' })
    for (const id of ['1', '2', '3']) greedy.subscribe(id, BEAT)
    await until('the refusal', () => greedy.results('3').length)
    expect(greedy.results('3')[0]?.errors?.[0]).toMatchObject({
      message: expect.stringContaining('this address has 2 open subscriptions; expected at most 2'),
      extensions: { code: 'TOO_MANY_SUBSCRIPTIONS', retryable: true, retryAfterMs: 1000 },
    })
    const viewer = await ProtocolClient.open(server.webSocketUrl)
    viewer.subscribe('1', BEAT)
    viewer.subscribe('2', BEAT)
    await until('beats', () => viewer.results('1').length > 1 && viewer.results('2').length > 1)
    expect(server.gauges().subscriptions).toBe(4)
    // Of server-sent events, too, by the same count.
    await expect(collectSse(server.url, BEAT)).rejects.toThrow(
      /503|TOO_MANY_SUBSCRIPTIONS|open subscriptions/,
    )
    greedy.complete('1')
    await until('a place', () => server.gauges().subscriptions === 3)
    greedy.subscribe('4', BEAT)
    await until('a beat', () => greedy.results('4')[0]?.data)
  })
})
