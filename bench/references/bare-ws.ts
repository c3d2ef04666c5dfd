// The floor: node:http and ws. A client names a channel, and gets every string that is published there. A report
// is stored (unless it keeps nothing) and published as it comes, without a check of any kind.
import { createServer, type ServerResponse } from 'node:http'
import { Redis } from 'ioredis'
import { type WebSocket, WebSocketServer } from 'ws'
import { channelOf, messageOf, openingEvent, SHARED_ID, selectedEvent } from './events.ts'
import { FAULT_NAMES, faultyBroadcast, OVERTAKING, overtaking } from './faults.ts'

const { PORT, REDIS_URL, BENCH_KEEPS_NOTHING, BENCH_FAULT = '' } = process.env
const channels: Map<string, Set<WebSocket>> = new Map()
const offsets: Map<string, number> = new Map()
const publisher = REDIS_URL ? new Redis(REDIS_URL) : null
const subscriber = REDIS_URL ? new Redis(REDIS_URL) : null
subscriber?.on('message', broadcast)
// Both are for `--self-test` only.
const broadcastFaulty = FAULT_NAMES.includes(BENCH_FAULT) ? faultyBroadcast(BENCH_FAULT) : null
const inTurn = BENCH_FAULT === OVERTAKING ? overtaking() : null

const server = createServer((request, response) => {
  if (request.method !== 'POST') return void response.end()
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (text) => {
    body += text
  })
  const run = () => void ingest(body).then((answer) => respond(response, answer))
  request.on('end', () => (inTurn ? inTurn(run) : run()))
})

const sockets = new WebSocketServer({ server, perMessageDeflate: false })
sockets.on('connection', (socket) => {
  socket.on('error', () => {})
  socket.once('message', (data) => void join(socket, JSON.parse(String(data)).channel))
})
server.listen(Number(PORT), '127.0.0.1')

async function join(socket: WebSocket, taskId: string) {
  const channel = channelOf(taskId)
  let members = channels.get(channel)
  if (!members) {
    members = new Set()
    channels.set(channel, members)
    await subscriber?.subscribe(channel)
  }
  members.add(socket)
  socket.on('close', () => members.delete(socket))
  socket.send(messageOf(SHARED_ID, openingEvent(taskId)))
}

function broadcast(channel: string, message: string) {
  const members = channels.get(channel)
  if (!members) return
  if (broadcastFaulty) return broadcastFaulty(members, message)
  for (const socket of members) socket.send(message)
}

async function ingest(body: string) {
  const { taskId, reports } = JSON.parse(body).variables.input
  const channel = channelOf(taskId)
  let offset = offsets.get(channel) ?? 0
  const pipeline = publisher?.pipeline()
  for (const { progress } of reports) {
    const message = messageOf(SHARED_ID, selectedEvent(progress, ++offset))
    if (pipeline) {
      if (!BENCH_KEEPS_NOTHING) pipeline.xadd(`log:${channel}`, '*', 'event', message)
      pipeline.publish(channel, message)
    } else broadcast(channel, message)
  }
  offsets.set(channel, offset)
  await pipeline?.exec()
  return { data: { reportMetrics: { accepted: reports.length, duplicates: 0, stopRequested: false } } }
}

function respond(response: ServerResponse, answer: object) {
  const text = JSON.stringify(answer)
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
