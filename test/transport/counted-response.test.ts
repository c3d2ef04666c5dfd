import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { type CountedResponse, countedResponses } from '../../src/transport/counted-response.ts'
import { RefusalCounts } from '../../src/transport/refusal-counts.ts'
import { WaitingBytes } from '../../src/transport/waiting-bytes.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { until } from '../support/until.ts'

/** A server whose requests are responded to by the test. */
async function open() {
  const waiting = new WaitingBytes({ total: 1e6, each: 1e6, writeTimeoutMs: 1e6 })
  const responses: ServerResponse[] = []
  const server = createServer(
    { ServerResponse: countedResponses(waiting, new RefusalCounts()) },
    (_, response) => {
      ;(response as CountedResponse).holder = 'a'
      responses.push(response)
    },
  )
  onTestFinished(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { waiting, responses, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

it('a response that waits behind another is counted, and no longer once its connection is closed', async () => {
  const { waiting, responses, url } = await open()
  const raw = new RawConnection(url).write(GET + GET)
  await until('both', () => responses.length === 2)
  responses[1]?.end('x'.repeat(1000))
  expect(waiting.bytes).toBeGreaterThan(1000)
  raw.socket.destroy()
  await until('it to be forgotten', () => waiting.bytes === 0)
  expect(waiting.size).toBe(0)
})

it('a response to a connection that is closed already is not counted', async () => {
  const { waiting, responses, url } = await open()
  const raw = new RawConnection(url).write(GET + GET)
  await until('both', () => responses.length === 2)
  raw.socket.destroy()
  await until('the server to know', () => responses[1]?.req.socket.destroyed)
  responses[1]?.end('x'.repeat(1000))
  expect([waiting.bytes, waiting.size]).toEqual([0, 0])
})

it('a response is counted until it is read, and leaves no listener on its connection', async () => {
  const { waiting, responses, url } = await open()
  const raw = new RawConnection(url)
  raw.socket.pause()
  for (let i = 0; i < 12; i++) {
    raw.write(GET)
    await until('the request', () => responses.length === i + 1)
    responses[i]?.end('x'.repeat(400_000))
    raw.socket.resume()
    await until('it to be read', () => waiting.bytes === 0 && responses[i]?.writableFinished)
  }
  expect(responses[0]?.req.socket.listenerCount('close')).toBeLessThan(10)
})
