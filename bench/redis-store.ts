// What the Redis engine costs: the list of tasks as it grows, memory per task, commands per reported batch.
// Usage: npm run bench:redis-store [-- --tasks 100000]
import { parseArgs } from 'node:util'
import { openRedisConnections } from '../src/event-log/redis/connections.ts'
import { RedisStore } from '../src/event-log/redis/redis.ts'
import { TaskWriter } from '../src/event-log/task-writer.ts'
import { Ingest } from '../src/ingest/ingest.ts'
import { ANYONE } from '../src/repository/access.ts'
import { queued } from '../src/task/lifecycle.ts'
import { reduceAll } from '../src/task/reducer.ts'
import { initialState, type TaskSpec } from '../src/task/task.ts'
import { RedisProcess } from '../test/processes/redis-process.ts'

const { values } = parseArgs({ options: { tasks: { type: 'string', default: '100000' } } })
const TASKS = Math.min(1_000_000, Number(values.tasks))
const INTERRUPTED = 130
const PAGE = 50
const ROUNDS = 21

type Row = readonly [what: string, value: string]

/** Medians, in ms. */
interface ListTimes {
  readonly first: number
  readonly middle: number
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(INTERRUPTED))
const redis = await RedisProcess.start()
const connections = openRedisConnections(redis.url, {
  commandTimeoutMs: 10_000,
  onLost: () => {},
  onReady: () => {},
})
const log = new RedisStore(connections, {
  keyPrefix: '',
  retainEvents: 10_000,
  retainSeconds: 3600,
  commandTimeoutMs: 10_000,
  onError: console.error,
})
const command = connections.commands

try {
  if (!(await log.whenConnected(10_000))) throw new Error('Redis did not answer')
  const rows: Row[] = []
  await createTasks(1, 1000)
  const small = await listTimes()
  await createTasks(1001, TASKS)
  const large = await listTimes()
  rows.push(['first page of 50, 1,000 tasks', ms(small.first)])
  rows.push([`first page of 50, ${TASKS} tasks`, `${ms(large.first)} (${ratio(large.first, small.first)})`])
  rows.push([
    `page in the middle, ${TASKS} tasks`,
    `${ms(large.middle)} (${ratio(large.middle, small.middle)})`,
  ])

  for (const size of [1, 100, 1000]) rows.push(...(await measureIngest(size)))
  for (const [what, value] of rows) console.log(`${what.padEnd(52)} ${value}`)
} finally {
  await log.close()
  await redis.close()
}

async function createTasks(from: number, to: number): Promise<void> {
  const inFlight = 200
  for (let i = from; i <= to; i += inFlight) {
    const ids = Array.from({ length: Math.min(inFlight, to - i + 1) }, (_, k) => `task-${i + k}`)
    await Promise.all(ids.map(createTask))
  }
}

async function createTask(id: string): Promise<TaskSpec> {
  const spec: TaskSpec = {
    channelPrefix: 'gan:training',
    id,
    trainer: 'external',
    machineId: 'motor_siemens_001',
    labels: null,
    retryOf: null,
    params: { epochs: 50 },
    createdAt: Date.now(),
    holder: null,
    startId: id,
    inputDigest: null,
  }
  const events = queued(spec.createdAt)
  await log.create(spec, events, reduceAll(initialState(spec), events))
  return spec
}

async function listTimes(): Promise<ListTimes> {
  const newest = (await log.list('all', null, 1)).snapshots[0]?.serial ?? 0
  return {
    first: await median(() => log.list('all', null, PAGE)),
    middle: await median(() => log.list('all', Math.floor(newest / 2), PAGE)),
  }
}

/** 1,000 events in batches of a size: commands and scripts per batch, and the memory that they take. */
async function measureIngest(size: number): Promise<Row[]> {
  const spec = await createTask(`ingest-${size}`)
  const ingest = new Ingest(
    new TaskWriter(log, {
      restoreWithinMs: 0,
      curveBytes: 8 * 1024 * 1024,
      retainEvents: 10_000,
      onError: console.error,
    }),
    [spec.channelPrefix],
  )
  const send = (first: number) =>
    ingest.report(ANYONE, spec.id, spec.channelPrefix, {
      member: null,
      producer: 'bench',
      firstSequence: first,
      attempt: null,
      reports: Array.from({ length: size }, (_, i) => ({
        progress: {
          current: first + i,
          total: 1001,
          loss: Math.random(),
          metrics: { accuracy: Math.random(), lr: 0.001 },
        },
      })),
    })
  await send(1)
  await command.config('RESETSTAT')
  const batches = 1000 / size
  for (let batch = 1; batch <= batches; batch++) await send(batch * size + 1)
  const stats = await command.info('commandstats')
  // Those that a client sent; what a script calls is counted beside them.
  const sent = /cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]
  const read = /cmdstat_hmget:calls=(\d+)/.exec(stats)?.[1]
  const sizes = await Promise.all(
    ['state', 'log'].map((part) =>
      command.call('MEMORY', 'USAGE', `epochcast:{gan:training:${spec.id}}:${part}`, 'SAMPLES', '0'),
    ),
  )
  const bytes = sizes.reduce((sum: number, part) => sum + Number(part), 0)
  const entries = await command.xlen(`epochcast:{gan:training:${spec.id}}:log`)
  return [
    [
      `${size} reports a call: round trips a call`,
      `${(Number(sent) / batches).toFixed(2)} (script runs ${sent} for ${batches} calls; HMGET, of the scripts, ${read})`,
    ],
    [
      `${size} reports a call: memory of ${entries} events`,
      `${(bytes / 1024).toFixed(0)} KiB, ${(bytes / entries).toFixed(0)} bytes an event`,
    ],
  ]
}

async function median(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now()
    await run()
    times.push(performance.now() - start)
  }
  return times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] as number
}

function ms(time: number): string {
  return `${time.toFixed(2)} ms`
}

function ratio(a: number, b: number): string {
  return `${(a / b).toFixed(2)} × that of 1,000 tasks`
}
