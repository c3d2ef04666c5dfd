import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { HeartbeatDocument } from '../../clients/typescript/index.ts'
import { testClient } from '../clients/support/server.ts'
import { testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

it('a socket has a bounded, configurable time to send connection_init', async () => {
  const { webSocketUrl } = await testServer({ EPOCHCAST_CONNECTION_INIT_SECONDS: '0.3' })
  const socket = new WebSocket(webSocketUrl, 'graphql-transport-ws')
  onTestFinished(() => socket.terminate())
  let closed: unknown
  socket.on('close', (code, reason) => {
    closed = { code, reason: String(reason) }
  })
  await until('it to be closed', () => closed)
  expect(closed).toEqual({ code: 4408, reason: 'Connection initialisation timeout' })
})

it('by default a page whose token takes longer than a library has it connects', async () => {
  const { webSocketUrl } = await testServer()
  const socket = new WebSocket(webSocketUrl, 'graphql-transport-ws')
  onTestFinished(() => socket.terminate())
  let first: unknown
  socket.on('open', () => setTimeout(() => socket.send('{"type":"connection_init"}'), 3500))
  socket.on('message', (data) => {
    first = JSON.parse(String(data))
  })
  await until('the acknowledgement', () => first)
  expect(first).toEqual({ type: 'connection_ack' })
})

it('the own client has its token before it opens the socket, however long that takes', async () => {
  const { url } = await testServer({ EPOCHCAST_CONNECTION_INIT_SECONDS: '0.2' })
  const client = testClient(url, {
    token: async () => {
      await sleep(600)
      return 'secret'
    },
    retry: { attempts: 1 },
  })
  const beats = client.subscribe(HeartbeatDocument, {})
  expect((await beats.next()).value?.heartbeat.sequence).toBe(1)
  await beats.return?.()
})

it('the own client says that its token could not be had', async () => {
  const { url } = await testServer()
  const token = () => Promise.reject(new Error('no session'))
  const client = testClient(url, { token, retry: { attempts: 1 } })
  await expect(client.subscribe(HeartbeatDocument, {}).next()).rejects.toThrow(/no session/)
})

it('an idle HTTP connection is kept for longer than load balancers keep theirs, or as long as is set', async () => {
  const get = (url: string, agent: Agent) =>
    new Promise<string | undefined>((resolve, reject) => {
      request(new URL('/health', url), { agent }, (response) => {
        response.resume().on('end', () => resolve(String(response.headers['keep-alive'])))
      })
        .on('error', reject)
        .end()
    })
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  expect(await get((await testServer()).url, agent)).toBe('timeout=65')
  const { url } = await testServer({ EPOCHCAST_HTTP_KEEP_ALIVE_SECONDS: '200' })
  expect(await get(url, agent)).toBe('timeout=200')
})

it('pages of allowed origins may send credentials, and no cache gives their responses to others', async () => {
  const { url } = await testServer()
  const origin = 'http://localhost:3000'
  const cors = {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    vary: expect.stringContaining('Origin'),
  }
  const body = JSON.stringify({ query: '{ server { version } }' })
  const headers = { origin, 'content-type': 'application/json' }
  const asked = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' }
  for (const response of [
    await fetch(url, { method: 'POST', headers, body }),
    await fetch(`${url}?`, { method: 'POST', headers, body }),
    await fetch(url, { method: 'OPTIONS', headers: { origin, ...asked } }),
    await fetch(`${url}?query={__typename}`, { headers: { origin } }),
  ]) {
    expect(Object.fromEntries(response.headers)).toMatchObject(cors)
    await response.text()
  }
})
