import { getIntrospectionQuery } from 'graphql'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { LIMITS } from '../../src/task/limits.ts'
import { MAX_UNREAD_BYTES } from '../../src/transport/connection.ts'
import { startExternal, WATCH } from '../support/graphql.ts'
import { testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

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

  it('ends when its client goes on asking and does not read', async () => {
    const { webSocketUrl, gauges } = await testServer()
    const { socket, ask } = await connected(webSocketUrl)
    socket.pause()
    const query = getIntrospectionQuery()
    let most = 0
    for (let i = 1; gauges().sockets === 1; i++) {
      ask(String(i), query)
      most = Math.max(most, gauges().bufferedBytes)
      await new Promise((resolve) => setImmediate(resolve))
    }
    // It was let ask until the bound was passed, and not much longer.
    expect(most).toBeGreaterThan(MAX_UNREAD_BYTES / 2)
    expect(most).toBeLessThan(2 * MAX_UNREAD_BYTES)
    await until('all of it to be let go', () => gauges().bufferedBytes === 0)
  })
})
