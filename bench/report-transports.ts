// What a report costs over HTTP (a POST for each batch) and over one graphql-ws socket: CPU of the trainer and of the server.
// Usage: npm run bench:report-transports [-- --calls 2000]
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { REPORT_RUN } from '../clients/typescript/reporter/target.ts'
import { MeasuredServer } from './measured-server.ts'
import { median } from './stats.ts'

const { values } = parseArgs({ options: { calls: { type: 'string', default: '2000' } } })
const CALLS = Math.min(100_000, Number(values.calls))
const BATCHES = [1, 10, 100]
const ROUNDS = 5

type Send = (variables: object) => Promise<unknown>
interface Way {
  readonly name: string
  open(url: string): { send: Send; close(): unknown }
}

const http: Way = {
  name: 'HTTP, fetch',
  open: (url) => ({
    send: async (variables) => {
      const body = JSON.stringify({ query: REPORT_RUN, operationName: 'ReportRun', variables })
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      return response.json()
    },
    close: () => {},
  }),
}

const nodeHttp: Way = {
  name: 'HTTP, node:http',
  open: (url) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    return {
      send: (variables) =>
        new Promise((resolve, reject) => {
          const body = JSON.stringify({ query: REPORT_RUN, operationName: 'ReportRun', variables })
          const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
          const call = request(url, { method: 'POST', agent, headers }, (response) => {
            let text = ''
            response.setEncoding('utf8').on('data', (chunk: string) => {
              text += chunk
            })
            response.on('end', () => resolve(JSON.parse(text)))
          })
          call.on('error', reject).end(body)
        }),
      close: () => agent.destroy(),
    }
  },
}

const socket: Way = {
  name: 'graphql-ws',
  open: (url) => {
    const client = createClient({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, lazy: false })
    return {
      send: (variables) =>
        new Promise((resolve, reject) => {
          let result: unknown
          client.subscribe(
            {
              query: REPORT_RUN,
              operationName: 'ReportRun',
              variables: variables as Record<string, unknown>,
            },
            { next: (value) => (result = value), error: reject, complete: () => resolve(result) },
          )
        }),
      close: () => client.dispose(),
    }
  },
}

async function call(url: string, query: string, variables: object): Promise<{ [key: string]: unknown }> {
  const body = JSON.stringify({ query, variables })
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return (await response.json()) as { [key: string]: unknown }
}

const START = 'mutation ($input: StartTrainingInput!) { startTraining(input: $input) { task { id } } }'

/** Microseconds of CPU a report, of the trainer and of the server. */
async function measure(server: MeasuredServer, way: Way, batch: number): Promise<readonly [number, number]> {
  const { data } = (await call(server.url, START, { input: { trainer: 'external' } })) as {
    data: { startTraining: { task: { id: string } } }
  }
  const taskId = data.startTraining.task.id
  const { send, close } = way.open(server.url)
  const metrics = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`metric_${i}`, i / 7]))
  const report = async (calls: number, first: number) => {
    for (let i = 0; i < calls; i++) {
      const from = first + i * batch
      const reports = Array.from({ length: batch }, (_, j) => ({ progress: { current: from + j, metrics } }))
      const input = { taskId, producer: 'bench', firstSequence: from, reports }
      const answer = JSON.stringify(await send({ input }))
      if (!answer.includes('"stopRequested":false')) throw new Error(answer)
    }
  }
  const warmUp = 200
  await report(warmUp, 1)
  const [own, servers] = [process.cpuUsage(), await server.cpu()]
  await report(CALLS, 1 + warmUp * batch)
  const { user, system } = process.cpuUsage(own)
  const count = CALLS * batch
  const result = [(user + system) / count, ((await server.cpu()) - servers) / count] as const
  await close()
  return result
}

const entry = join(import.meta.dirname, '../src/main.js')
const env = {
  EPOCHCAST_DATA: 'none',
  EPOCHCAST_MUTATIONS_PER_SECOND: '1000000',
  EPOCHCAST_OPERATIONS_PER_SECOND: '1000000',
}
const server = await MeasuredServer.start({ name: 'epochcast', entry, args: ['serve'], core: null, env })
try {
  console.log('| reports a call | way | trainer, µs a report | server, µs a report |\n|---:|---|---:|---:|')
  for (const batch of BATCHES) {
    const found = new Map<Way, (readonly [number, number])[]>([
      [http, []],
      [nodeHttp, []],
      [socket, []],
    ])
    // They take turns, so that both have the same machine.
    for (let round = 0; round < ROUNDS; round++)
      for (const [way, results] of found) results.push(await measure(server, way, batch))
    for (const [{ name }, results] of found) {
      const [own, servers] = [0, 1].map((i) => median(results.map((one) => one[i as 0 | 1])).toFixed(1))
      console.log(`| ${batch} | ${name} | ${own} | ${servers} |`)
    }
  }
} finally {
  await server.end()
}
