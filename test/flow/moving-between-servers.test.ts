import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { isReady } from '../support/engines.ts'
import { currentsOf, progressReports, report, startExternal, WATCH } from '../support/graphql.ts'
import { ProtocolClient } from '../support/protocol-client.ts'
import { testRedis } from '../support/redis.ts'
import { serverProcess } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const KEY_PREFIX = 'moving:'

/**
 * A way to Redis on which nothing that is published arrives until it is let through: what a busy server or a slow
 * network does for a moment.
 */
async function holdingProxy(
  redisPort: number,
): Promise<{ url: string; hold: () => void; release: () => void }> {
  const sockets = new Set<Socket>()
  const held: (() => void)[] = []
  let isHolding = false
  const server = createServer((from) => {
    const to = connect(redisPort, '127.0.0.1')
    let subscribes = false
    for (const socket of [from, to]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    from.on('data', (data) => {
      subscribes ||= /\r\nsubscribe\r\n/i.test(String(data))
      to.write(data)
    })
    to.on('data', (data) => {
      const isHeld = isHolding && subscribes && String(data).includes('ProgressUpdate')
      if (isHeld) held.push(() => from.write(data))
      else from.write(data)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold: () => {
      isHolding = true
    },
    release: () => {
      isHolding = false
      for (const write of held.splice(0)) write()
    },
  }
}

it('a viewer that has seen more than its new server has heard of goes on there, and holds up nobody', async () => {
  const redis = await testRedis()
  const proxy = await holdingProxy(redis.port)
  const env = { EPOCHCAST_KEY_PREFIX: KEY_PREFIX }
  // A process of its own: a server that went round in microtasks would take this test's deadlines with it.
  const [a, b] = await Promise.all([
    serverProcess({ ...env, REDIS_URL: redis.url }),
    serverProcess({ ...env, REDIS_URL: proxy.url }),
  ])
  for (const server of [a, b]) await until('the server to be ready', () => isReady(server))

  const taskId = await startExternal(a.url)
  const socketUrl = b.url.replace('http', 'ws')
  const [first, second] = [await ProtocolClient.open(socketUrl), await ProtocolClient.open(socketUrl)]
  const { cursor } = await report(a.url, taskId, ...progressReports(1, 1))
  first.subscribe('1', WATCH, { taskId, after: cursor })
  await until('the first viewer to be there', () => first.results('1').length === 1)

  proxy.hold()
  const { cursor: ahead } = await report(a.url, taskId, ...progressReports(2, 2))
  second.subscribe('1', WATCH, { taskId, after: ahead })
  await until('the second viewer to be there', () => second.results('1').length === 1)
  const health = await fetch(b.url.replace('/graphql', '/health'), { signal: AbortSignal.timeout(5000) })
  expect(health.status).toBe(200)
  proxy.release()

  await report(a.url, taskId, ...progressReports(3, 9), { success: {} })
  await until('both streams to end', () => first.isComplete('1') && second.isComplete('1'))
  expect(currentsOf(first.results('1'))).toEqual(range(2, 9))
  expect(currentsOf(second.results('1'))).toEqual(range(3, 9))
})
