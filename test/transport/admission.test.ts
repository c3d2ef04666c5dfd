import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { admitInTurns, CONNECTIONS_PER_ROUND } from '../../src/transport/admission.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

/** A server that notes how many connections it took up in each round of the event loop. */
async function openServer() {
  const rounds: number[] = []
  let inRound = 0
  const server = createServer((request, response) => {
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    request.on('end', () => response.end(`${request.url} ${bytes}`))
  })
  // Before the admission, which takes it for one of those who take up.
  server.on('connection', () => {
    if (inRound++ === 0) {
      setImmediate(() => {
        rounds.push(inRound)
        inRound = 0
      })
    }
  })
  admitInTurns(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, rounds }
}

function request(port: number, head: string, body = ''): { socket: Socket; answer: () => string } {
  const socket = connect(port, '127.0.0.1', () => socket.write(head + body))
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  let text = ''
  socket.on('data', (data) => {
    text += data
  })
  return { socket, answer: () => text }
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: here\r\n\r\n`

it('takes up so many connections in a round, and serves each of them', async () => {
  const { port, rounds } = await openServer()
  const requests = range(1, 200).map((i) => request(port, get(`/${i}`)))
  await until('all answers', () => requests.every(({ answer }, i) => answer().endsWith(`/${i + 1} 0`)))
  expect(Math.max(...rounds)).toBeLessThanOrEqual(CONNECTIONS_PER_ROUND)
  expect(rounds.reduce((sum, count) => sum + count)).toBe(200)
})

it('loses nothing of what a connection says before its turn', async () => {
  const { port } = await openServer()
  const body = 'x'.repeat(300_000)
  const head = `POST /large HTTP/1.1\r\nHost: here\r\nContent-Length: ${body.length}\r\n\r\n`
  const requests = range(1, 40).map(() => request(port, head, body))
  await until('all answers', () => requests.every(({ answer }) => answer().includes('/large 300000')))
})

it('passes over a connection that has gone before its turn', async () => {
  const { port } = await openServer()
  const requests = range(1, 100).map((i) => request(port, get(`/${i}`)))
  const left = requests.filter((_, i) => i % 2 === 1)
  for (const { socket } of left) socket.destroy()
  const stayed = requests.filter((_, i) => i % 2 === 0)
  await until('the others', () => stayed.every(({ answer }) => answer() !== ''))
  const after = request(port, get('/after'))
  await until('one who comes later', () => after.answer().includes('/after'))
})
