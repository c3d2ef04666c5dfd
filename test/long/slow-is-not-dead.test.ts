import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { createClient } from '../../clients/typescript/index.ts'
import { report, startExternal, WATCH } from '../support/graphql.ts'
import { ProtocolClient } from '../support/protocol-client.ts'
import { testServer } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

/** About 4 KB an event: far more than fits into the buffers of the system. */
const EVENTS = 3000
const metrics = Object.fromEntries(range(1, 180).map((i) => [`metric_${i}`, Math.sqrt(i)]))

async function manyEvents(url: string): Promise<string> {
  const taskId = await startExternal(url)
  for (let from = 1; from <= EVENTS; from += 100) {
    await report(
      url,
      taskId,
      ...range(from, from + 99).map((current) => ({ progress: { current, metrics } })),
    )
  }
  await report(url, taskId, { success: {} })
  return taskId
}

const SLOW_PAGE = `
const { parentPort, workerData: { url, payload, perEventMs } } = require('node:worker_threads')
const { WebSocket } = require('ws')
const socket = new WebSocket(url, 'graphql-transport-ws')
let count = 0
const end = (ended) => parentPort.postMessage({ count, ended })
socket.on('open', () => socket.send('{"type":"connection_init"}'))
socket.on('close', end)
socket.on('message', (data) => {
  const { type } = JSON.parse(data)
  if (type === 'connection_ack') socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }))
  if (type === 'complete') end(type)
  if (type !== 'next') return
  count++
  const until = performance.now() + perEventMs
  while (performance.now() < until);
})
`

// What a socket's silence means does not depend on the engine.
describe('a page that is slow', () => {
  const env = { EPOCHCAST_KEEP_ALIVE_SECONDS: '1' }

  it('a page that needs a while for each event reads all of them, however long its pongs take', async () => {
    const { url, webSocketUrl } = await testServer({ EPOCHCAST_KEEP_ALIVE_SECONDS: '3' })
    const taskId = await manyEvents(url)
    const payload = { query: WATCH, variables: { taskId, last: EVENTS } }
    // A thread of its own: it must not hold up the server.
    const page = new Worker(SLOW_PAGE, {
      eval: true,
      workerData: { url: webSocketUrl, payload, perEventMs: 5 },
    })
    onTestFinished(async () => {
      await page.terminate()
    })
    const [{ count, ended }] = await once(page, 'message')
    expect({ ended, isAll: count > EVENTS }).toEqual({ ended: 'complete', isAll: true })
  }, 90_000)

  it('one that stands still is ended, whatever waits for it', async () => {
    const { url, webSocketUrl, gauges } = await testServer(env)
    const taskId = await manyEvents(url)
    const client = await ProtocolClient.open(webSocketUrl)
    client.subscribe('1', WATCH, { taskId, last: EVENTS })
    await until('the first events', () => client.results('1').length > 0)
    client.socket.pause()
    await sleep(1500)
    expect(gauges().sockets).toBe(1)
    await until('it to be ended', () => gauges().sockets === 0)
  }, 60_000)

  it('nor does the own client take a slow page for a dead server', async () => {
    const { url } = await testServer(env)
    const taskId = await manyEvents(url)
    const client = createClient({ url, webSocketImpl: WebSocket })
    onTestFinished(() => client.dispose())
    const lost: unknown[] = []
    let count = 0
    for await (const _ of client.follow(
      { taskId, last: EVENTS },
      { onConnection: (change) => lost.push(change) },
    )) {
      if (++count % 10 === 0) await sleep(5)
    }
    expect(count).toBeGreaterThan(EVENTS)
    expect(lost).toEqual([])
  }, 60_000)
})
