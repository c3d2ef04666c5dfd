// In a thread of its own, so that what an attack costs its sender is not taken for what it costs others: a trainer that
// reports every few milliseconds over one connection, and a viewer that gets each report. On 'take' it answers how
// long each took since the last time.
import { Agent, request } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'
import { WebSocket } from 'ws'

const EVERY_MS = 10
const { url, taskId } = workerData

const agent = new Agent({ keepAlive: true, maxSockets: 1 })
const query =
  'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted stopRequested } }'
const sentAt = new Map()
let postMs = []
let viewerMs = []
let failures = []

const viewer = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', { perMessageDeflate: false })
viewer.on('open', () => viewer.send('{"type":"connection_init"}'))
viewer.on('error', (error) => failures.push(`viewer: ${error.message}`))
viewer.on('close', (code) => failures.push(`viewer: closed with ${code}`))
viewer.on('message', (data) => {
  const { type, payload } = JSON.parse(String(data))
  if (type === 'connection_ack') {
    const watch =
      'subscription ($taskId: ID!) { trainingProgress(taskId: $taskId) { __typename ... on ProgressUpdate { current } } }'
    viewer.send(
      JSON.stringify({ id: '1', type: 'subscribe', payload: { query: watch, variables: { taskId } } }),
    )
  }
  if (type !== 'next') return
  const event = payload.data.trainingProgress
  if (event.__typename === 'StreamOpened') report(1)
  if (event.__typename !== 'ProgressUpdate') return
  viewerMs.push(performance.now() - sentAt.get(event.current))
  sentAt.delete(event.current)
})

function report(current) {
  const variables = { input: { taskId, reports: [{ progress: { current } }] } }
  const body = JSON.stringify({ query, variables })
  const startedAt = performance.now()
  sentAt.set(current, startedAt)
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const next = () => setTimeout(report, EVERY_MS, current + 1)
  const post = request(url, { method: 'POST', agent, headers }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    response.on('end', () => {
      postMs.push(performance.now() - startedAt)
      if (!text.includes('"accepted":1')) failures.push(`POST: ${text.slice(0, 200)}`)
      next()
    })
  })
  post.on('error', (error) => {
    failures.push(`POST: ${error.message}`)
    next()
  })
  post.end(body)
}

parentPort.on('message', () => {
  parentPort.postMessage({ postMs, viewerMs, failures })
  postMs = []
  viewerMs = []
  failures = []
})
