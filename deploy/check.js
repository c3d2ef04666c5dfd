// Checks a deployment from outside: `node deploy/check.js --help`.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import {
  createClient,
  ReportMetricsDocument,
  ServerDocument,
  StartTrainingDocument,
  TrainingProgressDocument,
} from 'epochcast/client'
import { print } from 'graphql'
import { WebSocket } from 'ws'

const { values: options } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://localhost:8080/graphql' },
    disrupt: { type: 'string' },
    help: { type: 'boolean' },
  },
})
if (options.help) {
  console.log(`node deploy/check.js [--url <endpoint>] [--disrupt <command>]

Reports a training of 400 steps and watches it through 8 WebSockets and one stream of server-sent events:
the first 50 steps one by one, each only when all viewers have the one before. With --disrupt, the command
(which should kill one server) is run at step 100. Exits with 0 where every viewer over WebSocket saw
every step once and in order, and every step that was waited for came within 1 s.`)
  process.exit(0)
}

const STEPS = 400
const VIEWERS = 8
const ONE_BY_ONE = 50
const DISRUPT_AT = 100
const MAX_LATENCY_MS = 1000
const DEADLINE_MS = 10_000

const newClient = () => createClient({ url: options.url, webSocketImpl: WebSocket })
const clients = [newClient()]
const [reporter] = clients

const { server } = await reporter.execute(ServerDocument, {})
console.log(`HTTP: version ${server.version}, engine ${server.engine.name}`)

const { startTraining } = await reporter.execute(StartTrainingDocument, { input: { trainer: 'external' } })
const taskId = startTraining.task.id

let cut = 0
const watching = Array.from({ length: VIEWERS }, () => {
  const client = newClient()
  clients.push(client)
  const viewer = { steps: [], done: undefined }
  const onConnection = ({ kind }) => {
    if (kind === 'resumed') cut++
  }
  viewer.done = (async () => {
    for await (const event of client.follow({ taskId, last: STEPS }, { onConnection })) {
      assert.notEqual(event.__typename, 'EventsSkipped')
      if (event.__typename === 'ProgressUpdate') viewer.steps.push(event.current)
    }
  })()
  return viewer
})
const stream = { steps: [], done: undefined }
stream.done = followServerSentEvents(stream).catch((error) => {
  // It was on the server that was killed; EventSource would come back, plain fetch does not.
  if (!options.disrupt) throw error
  console.log(`server-sent events: cut after step ${stream.steps.at(-1)}`)
})

let slowest = 0
for (let step = 1; step <= STEPS; step++) {
  if (step === DISRUPT_AT && options.disrupt) {
    const { status } = spawnSync(options.disrupt, { shell: true, stdio: 'inherit' })
    console.log(`disrupted: ${options.disrupt} (exit code ${status})`)
  }
  await report(step, { progress: { current: step, total: STEPS, loss: 1 / step } })
  if (step > ONE_BY_ONE) continue
  const reportedAt = performance.now()
  await until(() => [...watching, stream].every(({ steps }) => steps.at(-1) === step), `step ${step}`)
  // The first step also waits for the connections.
  if (step > 1) slowest = Math.max(slowest, performance.now() - reportedAt)
}
await report(STEPS + 1, { success: {} })
await Promise.all([...watching, stream].map(({ done }) => done))

const expected = Array.from({ length: STEPS }, (_, i) => i + 1)
for (const { steps } of watching) assert.deepEqual(steps, expected)
assert.ok(slowest <= MAX_LATENCY_MS, `a step took ${slowest} ms`)
console.log(
  `live: ${VIEWERS} WebSockets and server-sent events had each step at most ${slowest.toFixed(1)} ms after its report`,
)
console.log(
  `complete: each of ${VIEWERS} WebSocket viewers saw ${STEPS} steps once, in order; ${cut} resumed on another connection`,
)
if (!options.disrupt) {
  assert.deepEqual(stream.steps, expected)
  assert.equal(cut, 0)
}
for (const client of clients) await client.dispose()

async function report(firstSequence, ...reports) {
  const input = { taskId, producer: 'check', firstSequence, reports }
  await reporter.execute(ReportMetricsDocument, { input }, { attempts: 10 })
}

async function followServerSentEvents({ steps }) {
  const response = await fetch(options.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: print(TrainingProgressDocument), variables: { taskId, last: STEPS } }),
  })
  assert.equal(response.status, 200)
  let text = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const messages = text.split('\n\n')
    text = messages.pop()
    for (const message of messages) {
      const [, json] = /^data: ?(\{.*)$/m.exec(message) ?? []
      const event = json && JSON.parse(json).data?.trainingProgress
      if (event?.__typename === 'ProgressUpdate') steps.push(event.current)
    }
  }
}

async function until(condition, what) {
  const end = performance.now() + DEADLINE_MS
  while (!condition()) {
    assert.ok(performance.now() < end, `waited ${DEADLINE_MS} ms in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
