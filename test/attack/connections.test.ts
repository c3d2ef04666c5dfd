import { setTimeout as sleep } from 'node:timers/promises'
import { deflateRawSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { REPORT, run, startExternal } from '../support/graphql.ts'
import { clientFrame, postOf, RawConnection, UPGRADE } from '../support/raw-connection.ts'
import { until } from '../support/until.ts'
import { ATTACKER, withstands } from './support/attacked-server.ts'

/** How long each attack goes on. */
const MS = 2000
const INIT = clientFrame('{"type":"connection_init"}')

const open = (url: string, count: number): RawConnection[] =>
  Array.from({ length: count }, () => new RawConnection(url, { localAddress: ATTACKER }))

/** So many at a time that nothing waits in this process for long. */
async function each<T>(items: readonly T[], run: (item: T, i: number) => void, perRound = 50): Promise<void> {
  for (const [i, item] of items.entries()) {
    run(item, i)
    if (i % perRound === perRound - 1) await sleep(5)
  }
}

/** WebSockets on which operations may be sent. */
async function openSockets(url: string, count: number): Promise<RawConnection[]> {
  const raws = open(url, count)
  for (const raw of raws) raw.write(UPGRADE).write(INIT)
  await until('the acknowledgements', () => raws.every(({ text }) => text.includes('connection_ack')), 30_000)
  return raws
}

const subscribe = (id: string, query: string): Buffer =>
  clientFrame(JSON.stringify({ id, type: 'subscribe', payload: { query } }))

/** A query whose answer has so many times 800 KB. */
async function largeQuery(url: string, times: number): Promise<string> {
  const taskId = await startExternal(url)
  const message = 'x'.repeat(4000)
  const reports = Array.from({ length: 200 }, () => ({ progress: { current: 1, message } }))
  for (let i = 0; i < times; i++) await run(url, REPORT, { input: { taskId, reports } })
  return `{ task(id: "${taskId}") { events(first: 1000) { edges { node { ... on ProgressUpdate { message } } } } } }`
}

it('30 clients that ask over HTTP and do not read', () => {
  let query = ''
  return withstands({
    name: 'answers nobody reads, HTTP',
    maxGrowthMiB: 400,
    prepare: async ({ url }) => {
      query = await largeQuery(url, 1)
    },
    run: async ({ url }) => {
      const raws = open(url, 30)
      for (const raw of raws) raw.socket.pause()
      const end = performance.now() + MS
      while (performance.now() < end) {
        for (const raw of raws) if (raw.socket.writableLength < 10_000) raw.post(query)
        await sleep(20)
      }
    },
  })
})

// 256 queries of one address may be under way, whose answers are made side by side. In a small heap, as V8 lets garbage
// lie in a large one; it ends the process where what is held does not fit.
it.each([
  [30, 1],
  [100, 5],
])('%d clients that ask over WebSocket for %d times 800 KB and do not read', (count, times) => {
  let query = ''
  return withstands({
    name: `answers nobody reads, WebSocket, ${times} × 800 KB`,
    maxGrowthMiB: 600,
    env: { NODE_OPTIONS: '--max-old-space-size=400' },
    prepare: async ({ url }) => {
      query = await largeQuery(url, times)
    },
    run: async ({ url }) => {
      const raws = await openSockets(url, count)
      for (const raw of raws) raw.socket.pause()
      const end = performance.now() + 2 * MS
      for (let i = 0; performance.now() < end; i++) {
        for (const raw of raws) if (raw.socket.writableLength < 10_000) raw.write(subscribe(`${i}`, query))
        await sleep(20)
      }
    },
  })
})

it.each(['br', 'identity'])('200 clients that ask for GraphiQL (%s) and do not read', (encoding) =>
  withstands({
    name: `GraphiQL nobody reads, ${encoding}`,
    // Its 9 MB are made once, and compressed once: without bounds, identity alone would be 1,800 MB.
    maxGrowthMiB: 128 + 64,
    run: async ({ url }) => {
      const headers = `Host: 127.0.0.1\r\nAccept: text/html\r\nAccept-Encoding: ${encoding}`
      const raws = open(url, 200)
      for (const raw of raws) raw.socket.pause()
      const end = performance.now() + 2 * MS
      while (performance.now() < end) {
        for (const raw of raws)
          if (raw.socket.writableLength < 10_000) raw.write(`GET /graphql HTTP/1.1\r\n${headers}\r\n\r\n`)
        await sleep(50)
      }
    },
  }),
)

it.each([
  ['bodies without their last byte', (text: string) => postOf(text).slice(0, -1)],
  [
    'chunked bodies without an end',
    (text: string) =>
      `POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n`,
  ],
  [
    'WebSocket messages without their last byte',
    (text: string) => Buffer.concat([Buffer.from(UPGRADE), clientFrame(text, { length: text.length + 1 })]),
  ],
  [
    'WebSocket messages without a last fragment',
    (text: string) => Buffer.concat([Buffer.from(UPGRADE), clientFrame(text, { isFinal: false })]),
  ],
])('1,500 times 400 KB: %s', (name, bytesOf) =>
  withstands({
    name,
    maxGrowthMiB: 450,
    run: async ({ url }) => {
      const bytes = Buffer.from(bytesOf(`{ server { version } } # ${'x'.repeat(400_000)}`))
      // As fast as a network is, not as fast as memory.
      await each(open(url, 1500), (raw) => raw.write(bytes), 4)
      await sleep(MS)
    },
  }),
)

it('1,000 refused upgrades whose clients keep their half open', () =>
  withstands(
    {
      name: 'refused upgrades, half open',
      maxGrowthMiB: 100,
      run: async ({ url }) => {
        await each(open(url, 1000), (raw) => raw.write(UPGRADE.replace('/graphql', '/elsewhere')))
        await sleep(MS)
      },
    },
    (server) => until('their descriptors', () => server.descriptors < 100),
  ))

it('10,000 sockets that never send connection_init', () =>
  withstands(
    {
      name: '10,000 sockets without connection_init',
      maxGrowthMiB: 400,
      env: { EPOCHCAST_CONNECTION_INIT_SECONDS: '2' },
      run: async ({ url }) => {
        await each(open(url, 10_000), (raw) => raw.write(UPGRADE))
        await sleep(MS)
      },
    },
    // Their clients confirm no close either.
    (server) => until('their descriptors', () => server.descriptors < 100, 30_000),
  ))

it('slow headers, slow bodies and slow handshakes', () =>
  withstands({
    name: 'slowloris: headers, bodies, handshakes',
    maxGrowthMiB: 150,
    env: { EPOCHCAST_HEADERS_SECONDS: '1', EPOCHCAST_REQUEST_SECONDS: '2' },
    run: async ({ url }) => {
      const starts = [
        postOf('{ server { version } }').slice(0, 60),
        postOf(`{ server { version } } # ${'x'.repeat(1000)}`).slice(0, 200),
        UPGRADE.slice(0, 80),
      ]
      const raws = open(url, 1500)
      await each(raws, (raw, i) => raw.write(starts[i % 3] as string))
      const end = performance.now() + MS
      while (performance.now() < end) {
        await each(raws, (raw) => raw.isEnded || raw.isClosed || raw.write('x'), 200)
        await sleep(100)
      }
      await until('all of them to be ended', () => raws.every(({ isEnded, isClosed }) => isEnded || isClosed))
    },
  }))

it('5,120 heartbeats at 100 ms, and as many subscriptions as there are', () =>
  withstands({
    name: '157 sockets: heartbeats and subscriptions',
    maxGrowthMiB: 400,
    run: async ({ url }) => {
      const raws = await openSockets(url, 157)
      const heartbeat = 'subscription { heartbeat(intervalMs: 100) { sequence timestamp engine { name } } }'
      const updates = 'subscription { taskUpdates { id status current } }'
      await each(
        raws,
        (raw, i) => {
          const query = i < 40 ? heartbeat : updates
          raw.write(Buffer.concat(Array.from({ length: 128 }, (_, id) => subscribe(`${id}`, query))))
        },
        5,
      )
      await sleep(2 * MS)
    },
  }))

it('floods of messages and of requests', () =>
  withstands({
    name: 'floods of messages and requests',
    maxGrowthMiB: 300,
    run: async ({ url }) => {
      const sockets = await openSockets(url, 20)
      const requests = open(url, 20)
      const operations = Buffer.concat(
        Array.from({ length: 50 }, (_, i) => subscribe(`${i}`, '{ server { version } }')),
      )
      const posts = Array.from({ length: 10 }, () => postOf('{ server { version } }')).join('')
      const end = performance.now() + MS
      while (performance.now() < end) {
        for (const raw of sockets)
          if (raw.socket.writableLength < 100_000 && !raw.isEnded) raw.write(operations)
        for (const raw of requests) if (raw.socket.writableLength < 100_000 && !raw.isEnded) raw.write(posts)
        await sleep(20)
      }
    },
  }))

it('frames and messages that are none, and bodies far too large', () =>
  withstands({
    name: 'malformed frames, messages, 100 MB bodies',
    maxGrowthMiB: 200,
    run: async ({ url }) => {
      const malformed = [
        Buffer.from('not a frame at all'),
        Buffer.from([0x81, 0x05, 1, 2, 3, 4, 5]),
        clientFrame('x', { opcode: 3 }),
        clientFrame('x', { opcode: 0 }),
        clientFrame('x', { isCompressed: true }),
        clientFrame('', { length: 2 ** 40 }),
        clientFrame('', { opcode: 9, length: 5000 }),
        clientFrame('\u0000\u0001'),
        clientFrame('[]'),
        clientFrame('{"type":"next"}'),
        clientFrame('{"type":"subscribe","id":"1","payload":{"query":"{ a }"}}'),
        clientFrame(`{"type":"ping","payload":${'['.repeat(200_000)}`),
        Buffer.concat(Array.from({ length: 5000 }, () => clientFrame('', { isFinal: false }))),
      ]
      const sockets = open(url, 20 * malformed.length)
      await each(sockets, (raw, i) => raw.write(UPGRADE).write(malformed[i % malformed.length] as Buffer))
      const head = 'POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n'
      const bodies = open(url, 2)
      for (const raw of bodies) raw.write(`${head}Content-Length: 104857600\r\n\r\n`)
      const piece = Buffer.alloc(65_536, 'x')
      const answered = () => bodies.filter(({ statuses }) => statuses[0] === 413).length
      for (const deadline = performance.now() + 20_000; answered() < bodies.length; await sleep(2)) {
        expect(performance.now()).toBeLessThan(deadline)
        for (const raw of bodies) if (!raw.isEnded && raw.socket.writableLength < 1e6) raw.write(piece)
      }
      await until('the sockets to be ended', () =>
        sockets.every(({ isEnded, isClosed }) => isEnded || isClosed),
      )
    },
  }))

it('a megabyte of opening brackets, time and again', () =>
  withstands({
    name: 'opening brackets, 60 × 1 MB',
    maxGrowthMiB: 200,
    run: async ({ url }) => {
      const brackets = '['.repeat(1_000_000)
      const head = 'POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n'
      const body = `${head}Content-Length: ${brackets.length}\r\n\r\n${brackets}`
      const frame = clientFrame(brackets)
      const posts = open(url, 30)
      const sockets = open(url, 30)
      await each(posts, (raw) => raw.write(body), 2)
      await each(sockets, (raw) => raw.write(UPGRADE).write(frame), 2)
      await until('the refusals', () =>
        [
          ...posts.map(({ statuses }) => statuses[0] === 400),
          ...sockets.map(({ text }) => text.includes('lists and objects')),
        ].every(Boolean),
      )
    },
  }))

it('compression bombs', () =>
  withstands({
    name: 'compression bombs, permessage-deflate',
    maxGrowthMiB: 400,
    env: { EPOCHCAST_COMPRESSION: '1' },
    run: async ({ url }) => {
      const upgrade = UPGRADE.replace('\r\n\r\n', '\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n')
      // 200 MB in 200 KB, and 1 MB in 1 KB that is not the end of its message.
      const whole = deflated(200_000_000)
      const part = deflated(1_000_000)
      const raws = open(url, 400)
      await each(
        raws,
        (raw, i) => {
          raw.write(upgrade)
          if (i % 2 === 0) raw.write(frameOf(whole, true))
          else raw.write(frameOf(part, false))
        },
        10,
      )
      await sleep(MS)
      const bombs = raws.filter((_, i) => i % 2 === 0)
      // 1009: too large, once inflated; 1013: the others have used up the share of their address.
      await until(
        'their end',
        () => bombs.every(({ text }) => text.includes('\x03\xf1') || text.includes('\x03\xf5')),
        20_000,
      )
      expect(bombs.some(({ text }) => text.includes('\x03\xf1'))).toBe(true)
    },
  }))

/** As permessage-deflate has it: without its last empty block. */
const deflated = (bytes: number): Buffer =>
  deflateRawSync(Buffer.alloc(bytes), { finishFlush: 2 }).subarray(0, -4)

/** A compressed frame, masked with zeros. */
function frameOf(payload: Buffer, isFinal: boolean): Buffer {
  const header = clientFrame('', { length: payload.length + 126, isFinal, isCompressed: true })
  header.writeBigUInt64BE(BigInt(payload.length), 2)
  return Buffer.concat([header, payload])
}
