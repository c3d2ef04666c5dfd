import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { run } from '../support/graphql.ts'
import { ProtocolClient } from '../support/protocol-client.ts'
import { testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const beats = 'subscription { heartbeat { sequence } }'
const version = '{ server { version } }'
const subscribe = (payload: unknown, id: unknown = '1') => ({ id, type: 'subscribe', payload })

describe('a message', () => {
  it.each<[string, unknown, number]>([
    ['of no type', { id: '1' }, 4400],
    ['of an unknown type', { type: 'hello' }, 4400],
    ['of the old protocol', { type: 'start', id: '1', payload: { query: version } }, 4400],
    ['of the type of a result', { type: 'next', id: '1', payload: {} }, 4400],
    ['of the type of an error', { type: 'error', id: '1', payload: [{ message: 'x' }] }, 4400],
    ['that says yes itself', { type: 'connection_ack' }, 4400],
    ['of a type that is no text', { type: ['subscribe'] }, 4400],
    ['that is a list', [subscribe({ query: version })], 4400],
    ['that is null', null, 4400],
    ['that is a number', 1, 4400],
    ['without an id', { type: 'subscribe', payload: { query: version } }, 4400],
    ['with a number for an id', subscribe({ query: version }, 1), 4400],
    ['with an empty id', subscribe({ query: version }, ''), 4400],
    ['without a payload', { id: '1', type: 'subscribe' }, 4400],
    ['with a list for a payload', subscribe([version]), 4400],
    ['with a number for a query', subscribe({ query: 1 }), 4400],
    ['with a number for the id of a document', subscribe({ documentId: 1 }), 4400],
    ['with a list of variables', subscribe({ query: version, variables: [] }), 4400],
    ['with a text for variables', subscribe({ query: version, variables: '{}' }), 4400],
    ['with a list of extensions', subscribe({ query: version, extensions: [] }), 4400],
    ['with a number for a name', subscribe({ query: version, operationName: 1 }), 4400],
    ['that begins once more', { type: 'connection_init' }, 4429],
    ['with a text for a payload', { type: 'ping', payload: 'x' }, 4400],
  ])('%s ends its socket with %j and %i', async (_, message, code) => {
    const { url, webSocketUrl, gauges } = await testServer()
    const client = await ProtocolClient.open(webSocketUrl)
    client.send(message)
    await until('the end', () => client.closed !== undefined)
    expect(client.closed).toBe(code)
    await until('the socket to be gone', () => gauges().sockets === 0)
    expect(await run(url, version)).toHaveProperty('server')
  })

  it('before connection_init ends its socket with 4401', async () => {
    const { webSocketUrl } = await testServer()
    const socket = new WebSocket(webSocketUrl, 'graphql-transport-ws')
    const closed = new Promise((resolve) => socket.on('close', resolve))
    socket.on('open', () => socket.send(JSON.stringify(subscribe({ query: version }))))
    expect(await closed).toBe(4401)
  })

  it('that is not UTF-8 ends its socket with 1007', async () => {
    const { webSocketUrl } = await testServer()
    const client = await ProtocolClient.open(webSocketUrl)
    client.socket.send(Buffer.from([0x22, 0xff, 0x22]), { binary: false })
    await until('the end', () => client.closed !== undefined)
    expect(client.closed).toBe(1007)
  })

  it.each([3, 200])(
    'with an id of %i characters that is in use ends its socket with 4409',
    async (length) => {
      const { webSocketUrl, gauges } = await testServer()
      const client = await ProtocolClient.open(webSocketUrl)
      const id = 'é'.repeat(length)
      client.subscribe(id, beats)
      await until('a beat', () => client.results(id).length > 0)
      const reason = new Promise((resolve) => client.socket.on('close', (_, text) => resolve(String(text))))
      client.subscribe(id, beats)
      await until('the end', () => client.closed !== undefined)
      expect(client.closed).toBe(4409)
      expect(await reason).toMatch(/^Subscriber for é/)
      await until('its subscriptions to be gone', () => gauges().subscriptions === 0)
    },
  )

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '\u0000', '💥', 'x'.repeat(256)])(
    'with the id %j is like any other',
    async (id) => {
      const { webSocketUrl, gauges } = await testServer()
      const client = await ProtocolClient.open(webSocketUrl)
      client.subscribe(id, beats)
      await until('a beat', () => client.results(id).length > 0)
      expect(client.results(id)[0]?.data.heartbeat.sequence).toBe(1)
      client.complete(id)
      await until('its end', () => gauges().subscriptions === 0)
      expect(client.closed).toBeUndefined()
    },
  )

  it('with an id of 257 characters or of half a megabyte is refused, and the socket goes on', async () => {
    const { webSocketUrl } = await testServer()
    const client = await ProtocolClient.open(webSocketUrl)
    for (const length of [257, 500_000]) {
      const id = 'x'.repeat(length)
      client.subscribe(id, beats)
      const refused = await until('the refusal', () => client.results(id)[0])
      expect(refused.errors).toMatchObject([
        {
          message: `the operation's id has ${length} characters; expected at most 256`,
          extensions: { code: 'BAD_REQUEST', retryable: false },
        },
      ])
    }
    client.subscribe('1', version)
    await until('the answer', () => client.results('1')[0])
  })

  it.each(['ping', 'pong'])('%s of very many levels does not end its socket', async (type) => {
    const { webSocketUrl } = await testServer()
    const client = await ProtocolClient.open(webSocketUrl)
    client.socket.send(`{"type":"${type}","payload":${'{"a":'.repeat(60_000)}1${'}'.repeat(60_000)}}`)
    client.subscribe('1', version)
    await until('the answer', () => client.results('1')[0])
    expect(client.messages.filter((message) => message.type === 'pong')).toEqual(
      // Without what it cannot repeat.
      type === 'ping' ? [{ type: 'pong' }] : [],
    )
    expect(client.closed).toBeUndefined()
  })

  it('of what is not there to be completed, or of payloads that nobody reads, does nothing', async () => {
    const { webSocketUrl } = await testServer()
    const client = new ProtocolClient(new WebSocket(webSocketUrl, 'graphql-transport-ws'))
    await client.isAcknowledged()
    for (const id of ['no', '__proto__', 'x'.repeat(100_000)]) client.complete(id)
    client.send({ type: 'pong', payload: { x: 'y'.repeat(100_000) } })
    client.send({ type: 'ping', payload: { __proto__: { x: 1 } } })
    client.send({ ...subscribe({ query: version, more: { a: 1 } }), more: 1 })
    await until('the answer', () => client.results('1')[0])
    expect(client.closed).toBeUndefined()
  })
})
