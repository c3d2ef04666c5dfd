import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { OpenResponses } from '../../src/transport/open-responses.ts'
import { Pipelines } from '../../src/transport/pipelines.ts'
import { RawConnection } from '../support/raw-connection.ts'
import { until } from '../support/until.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

/** A server whose requests are responded to by the test. */
async function open() {
  const [pipelines, responses] = [new Pipelines(), new OpenResponses()]
  const all: ServerResponse[] = []
  const run: ServerResponse[] = []
  const closes = new Map<ServerResponse, number>()
  const server = createServer((request, response) => {
    responses.add(response)
    all.push(response)
    response.on('close', () => closes.set(response, (closes.get(response) ?? 0) + 1))
    pipelines.run(request, response, () => void run.push(response))
  })
  let tookOver = 0
  server.on('upgrade', (_, socket: Socket) => {
    socket.on('error', () => {})
    pipelines.takeOver(socket, () => {
      tookOver++
      socket.end('taken over')
    })
  })
  onTestFinished(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, all, run, responses, closes, tookOver: () => tookOver }
}

it.each([1, 2, 20])('of %i requests of a connection that is reset none stays under way', async (count) => {
  const { url, all, run, responses, closes } = await open()
  const raw = new RawConnection(url).write(GET.repeat(count))
  await until('all of them', () => all.length === count)
  expect([run.length, responses.count]).toEqual([1, count])
  raw.socket.resetAndDestroy()
  await until('them to be over', () => responses.count === 0)
  expect([...closes.values()]).toEqual(Array(count).fill(1))
  expect(all.every(({ destroyed }) => destroyed)).toBe(true)
  expect(run.length).toBe(1)
})

it('those that are responded to are closed once, too, whatever becomes of the connection then', async () => {
  const { url, all, run, responses, closes } = await open()
  const raw = new RawConnection(url).write(GET.repeat(5))
  for (let i = 0; i < 3; i++) {
    await until('its turn', () => run.length === i + 1)
    run[i]?.end('x')
  }
  await until('the turn of the fourth', () => run.length === 4)
  raw.socket.resetAndDestroy()
  await until('them to be over', () => responses.count === 0)
  expect(all.map((response) => closes.get(response))).toEqual([1, 1, 1, 1, 1])
})

it('a connection is taken over after what was asked for before has been responded to', async () => {
  const { url, run, tookOver } = await open()
  const raw = new RawConnection(url).write(GET + GET + UPGRADE)
  await until('the first', () => run.length === 1)
  run[0]?.end('first')
  await until('the second', () => run.length === 2)
  expect(tookOver()).toBe(0)
  run[1]?.end('second')
  await until('the end', () => raw.isEnded)
  expect(raw.text).toMatch(/first.*second.*taken over$/s)

  const alone = new RawConnection(url).write(UPGRADE)
  await until('the end', () => alone.isEnded)
  expect(alone.text).toBe('taken over')
})

it('and never where it is gone by then', async () => {
  const { url, run, responses, tookOver } = await open()
  const raw = new RawConnection(url).write(GET + GET + UPGRADE)
  await until('both', () => responses.count === 2)
  raw.socket.resetAndDestroy()
  // What reads nothing more does not notice a reset, but that it cannot write.
  run[0]?.write('x'.repeat(1_000_000))
  await until('them to be over', () => responses.count === 0)
  expect(tookOver()).toBe(0)
})
