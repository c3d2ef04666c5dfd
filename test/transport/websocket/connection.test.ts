import { EventEmitter } from 'node:events'
import { getIntrospectionQuery } from 'graphql'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { ANYONE } from '../../../src/repository/access.ts'
import { LIMITS } from '../../../src/task/limits.ts'
import { FairTurns } from '../../../src/transport/fair-turns.ts'
import { Connection, MAX_UNREAD_BYTES_TO_ASK } from '../../../src/transport/websocket/connection.ts'
import { testCallers, testClients } from '../../support/clients.ts'
import { startExternal, WATCH } from '../../support/graphql.ts'
import { testServer } from '../../support/server.ts'
import { until } from '../../support/until.ts'

async function connected(url: string) {
  const socket = new WebSocket(url, 'graphql-transport-ws')
  onTestFinished(() => socket.terminate())
  const messages: { type: string; id?: string; payload?: never }[] = []
  socket.on('message', (data) => messages.push(JSON.parse(String(data))))
  socket.on('error', () => {})
  socket.on('open', () => socket.send('{"type":"connection_init"}'))
  await until('the acknowledgement', () => messages.length === 1)
  return {
    socket,
    messages,
    ask: (id: string, query: string, variables = {}) =>
      socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query, variables } })),
  }
}

/** A connection without a socket, whose time for connection_init is over and whose messages take a turn each. */
function connectionByHand(take: (message: unknown) => Promise<void>) {
  const clients = Object.assign(testClients(), { turns: new FairTurns(1, Number.POSITIVE_INFINITY) })
  const protocol = {
    opened: (socket: { onMessage(take: (message: unknown) => Promise<void>): void }) => {
      socket.onMessage(take)
      return async () => {}
    },
  }
  const closes: number[] = []
  const peer = Object.assign(new EventEmitter(), {
    OPEN: 1,
    readyState: 1,
    extensions: '',
    isPaused: false,
    pause: () => {
      peer.isPaused = true
    },
    resume: () => {
      peer.isPaused = false
    },
    close: (code: number) => {
      closes.push(code)
      peer.readyState = 2
    },
    closes,
    isCut: false,
    terminate: () => {
      peer.isCut = true
    },
  })
  const logger = { error: expect.unreachable, debug: () => {} }
  const socket = Object.assign(new EventEmitter(), { writableLength: 0 })
  const options = {
    protocol: protocol as never,
    logger: logger as never,
    clients,
    callers: testCallers(clients),
    translate: expect.unreachable as never,
    maxMessageBytes: 1_000_000,
    maxBufferedBytes: 4096,
    connectionInitMs: 0,
  }
  const upgraded = { peer: peer as never, socket: socket as never, slice: 0, caller: ANYONE }
  return { clients, peer, connection: new Connection(upgraded, options) }
}

describe('a connection', () => {
  it('takes an id of up to the bound, and refuses a longer one without ending others', async () => {
    const { url, webSocketUrl } = await testServer()
    const taskId = await startExternal(url)
    const { messages, ask } = await connected(webSocketUrl)
    const longest = 'i'.repeat(LIMITS.operationIdLength)
    ask(longest, WATCH, { taskId })
    ask(`${longest}i`, WATCH, { taskId })
    await until('both answers', () => messages.length === 3)
    expect(messages.find(({ id }) => id === longest)).toMatchObject({ type: 'next' })
    expect(messages.find(({ id }) => id === `${longest}i`)).toMatchObject({
      type: 'error',
      payload: [{ message: expect.stringContaining('257'), extensions: { code: 'BAD_REQUEST' } }],
    })
  })

  it.each([
    ['{"id":"1","payload":{"a":[0,{"loss":NaN}]}}', 'payload.a[1].loss is a bare NaN; send the string "NaN"'],
    ['{"loss":-inf}', 'loss is a bare -inf; send the string "-Infinity"'],
    ['Infinity', 'the message is a bare Infinity; send the string "Infinity"'],
    [
      `{"payload":{"${'é'.repeat(100)}":{"secret-${'😀'.repeat(9)}":-Infinity}}}`,
      // 123 bytes, and no half of a character.
      `…${'é'.repeat(13)}.secret-${'😀'.repeat(9)} is a bare -Infinity; send the string "-Infinity"`,
    ],
    ['{"id":', 'the message is not JSON (it ends too early); expected one of graphql-transport-ws'],
    ['secret', 'the message is not JSON; expected one of graphql-transport-ws'],
  ])('is closed with what is wrong where a message is no JSON: %#', async (message, reason) => {
    const { webSocketUrl } = await testServer()
    const { socket } = await connected(webSocketUrl)
    const closed = new Promise((resolve) =>
      socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
    )
    socket.send(message)
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123)
    expect(await closed).toEqual({ code: 4400, reason })
  })

  it('refuses a client that goes on asking and does not read, and in the end it ends', async () => {
    // Not by a bound on operations, nor by a ping that is not answered.
    const { webSocketUrl, gauges } = await testServer({
      EPOCHCAST_MAX_SUBSCRIPTIONS_PER_SOCKET: '1000',
      EPOCHCAST_KEEP_ALIVE_SECONDS: '3600',
      EPOCHCAST_OPERATIONS_PER_SECOND: '100',
    })
    const { socket, ask } = await connected(webSocketUrl)
    socket.pause()
    const query = getIntrospectionQuery()
    let most = 0
    for (let i = 1; gauges().sockets === 1; i += 10) {
      for (let j = 0; j < 10; j++) ask(String(i + j), query)
      most = Math.max(most, gauges().bufferedBytes)
      await new Promise((resolve) => setImmediate(resolve))
    }
    // It was let ask until the bound was passed, and from then on got refusals, which are small.
    expect(most).toBeGreaterThan(MAX_UNREAD_BYTES_TO_ASK)
    expect(most).toBeLessThan(4 * MAX_UNREAD_BYTES_TO_ASK)
    await until('all of it to be let go', () => gauges().bufferedBytes === 0)
  })

  it('that has ended begins nothing more of what waited for its turn', async () => {
    const taken: unknown[] = []
    const { clients, peer } = connectionByHand(async (message) => {
      taken.push(message)
    })
    for (const i of [1, 2, 3]) peer.emit('message', Buffer.from(String(i)))
    peer.readyState = 3
    peer.emit('close', 1006, Buffer.alloc(0))
    // One after them, in the same line.
    await new Promise<void>((resolve) => clients.turns.take('server', resolve))
    expect(taken).toEqual([1])
  })

  it.each([
    ['goes on behind a small message that waits for its turn', [4096], false],
    ['ends behind a second one', [1, 1], true],
    ['ends behind one that is not small', [4097], true],
  ])('reading it %s', async (_, waiting, isPaused) => {
    const { clients, peer } = connectionByHand(async () => {})
    // The first one has its turn at once.
    for (const bytes of [1, ...waiting]) peer.emit('message', Buffer.alloc(bytes, '1'))
    expect(peer.isPaused).toBe(isPaused)
    await new Promise<void>((resolve) => clients.turns.take('server', resolve))
    expect(peer.isPaused).toBe(false)
  })

  it('that is closed while messages wait for their turn is read on, up to the close frame of its client', async () => {
    const { clients, peer, connection } = connectionByHand(async () => {})
    for (const message of ['1', '2', '3']) peer.emit('message', Buffer.from(message))
    expect(peer.isPaused).toBe(true)
    connection.close(4400, 'Invalid message received')
    await new Promise<void>((resolve) => clients.turns.take('server', resolve))
    expect(peer.isPaused).toBe(false)
  })

  it('that is refused while a message waits for its turn is not read again after it', async () => {
    const { clients, peer, connection } = connectionByHand(async () => {})
    for (const message of ['1', '2']) peer.emit('message', Buffer.from(message))
    // A frame of a megabyte that has begun to come, of one whose share is used up.
    clients.received.add('server', 2 ** 40)
    connection.meter(
      Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x0f, 0, 0, 1, 2, 3, 4, ...new Array(64).fill(0)]),
    )
    expect(peer.isPaused).toBe(true)
    expect(peer.closes).toEqual([1013])
    await new Promise<void>((resolve) => clients.turns.take('server', resolve))
    expect(peer.isPaused).toBe(true)
    await until('it to be cut', () => peer.isCut)
  })

  it.each([
    ['that waits for its turn is not too late for its time', ['1', '{"type":"connection_init"}'], []],
    ['that does not come is not made up for by other messages', ['1', '2', '3'], [4408]],
  ])('a connection_init %s', async (_, messages, closes) => {
    const { clients, connection, peer } = connectionByHand(async (message) => {
      if (typeof message === 'object') await connection.authenticate({})
    })
    for (const message of messages) peer.emit('message', Buffer.from(message))
    for (let i = 0; i < 3; i++) connection.checkTimes(performance.now(), Date.now())
    await new Promise<void>((resolve) => clients.turns.take('server', resolve))
    expect(peer.closes).toEqual(closes)
  })

  it('reads no more from a client than it can take in turns, and takes all of it in order', async () => {
    const { webSocketUrl } = await testServer()
    const { messages, ask } = await connected(webSocketUrl)
    const ids = Array.from({ length: 1000 }, (_, i) => String(i))
    for (const id of ids) ask(id, '{ server { version } }')
    await until('all answers', () => messages.filter(({ type }) => type === 'complete').length === ids.length)
    expect(messages.filter(({ type }) => type === 'next').map(({ id }) => id)).toEqual(ids)
  })
})
