// How long after its start a server can find tasks: many finished ones in the store, then the first sorted list.
// Usage: npm run bench:catalog-start [-- --tasks 100000 --engine lmdb|redis --rounds 3]
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { listingOf } from '../src/event-log/listing.ts'
import { LmdbStore } from '../src/event-log/lmdb/lmdb.ts'
import { openRedisConnections } from '../src/event-log/redis/connections.ts'
import { RedisStore } from '../src/event-log/redis/redis.ts'
import type { Store } from '../src/event-log/store.ts'
import type { TaskEvent } from '../src/task/event.ts'
import { queued } from '../src/task/lifecycle.ts'
import { reduceAll } from '../src/task/reducer.ts'
import { initialState, type TaskSpec } from '../src/task/task.ts'
import { createFolder, removeFolder } from '../test/processes/lifetime.ts'
import { RedisProcess } from '../test/processes/redis-process.ts'
import { MeasuredServer } from './measured-server.ts'

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '100000' },
    engine: { type: 'string', default: 'lmdb' },
    rounds: { type: 'string', default: '3' },
  },
})
const TASKS = Math.min(1_000_000, Number(values.tasks))
const ROUNDS = Number(values.rounds)
const ENTRY = join(import.meta.dirname, '..', 'src', 'main.js')
const START = Date.now() - TASKS * 1000
const IN_FLIGHT = 500
const GIVE_UP_MS = 600_000
const METRICS = Array.from({ length: 12 }, (_, i) => `train/metric_${i}`)
const LIST =
  '{ tasks(first: 20, orderBy: UPDATED_DESC, filter: { labels: { team: "speech" } }) { edges { node { id } } } }'

interface Filled {
  readonly env: Record<string, string>
  readonly close: () => Promise<unknown>
}

const keep = { retainEvents: 10_000, retainSeconds: 1e9, onError: console.error }
const engines: Readonly<Record<string, () => Promise<Filled>>> = {
  lmdb: async () => {
    const path = createFolder()
    await fill(new LmdbStore({ ...keep, path, maxBytes: 2 ** 36, share: 1, fsync: false }))
    const env = { EPOCHCAST_DATA: path, EPOCHCAST_DATA_BYTES: `${2 ** 36}` }
    return { env, close: async () => removeFolder(path) }
  },
  redis: async () => {
    const redis = await RedisProcess.start()
    const connections = openRedisConnections(redis.url, {
      commandTimeoutMs: 60_000,
      onLost: () => {},
      onReady: () => {},
    })
    const store = new RedisStore(connections, { ...keep, keyPrefix: '', commandTimeoutMs: 60_000 })
    if (!(await store.whenConnected(10_000))) throw new Error('Redis did not answer')
    await fill(store)
    return { env: { REDIS_URL: redis.url }, close: () => redis.close() }
  },
}

const INTERRUPTED = 130
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(INTERRUPTED))
const { env, close } = (await engines[values.engine]?.()) ?? failed()
try {
  for (let round = 0; round < ROUNDS; round++) await measure(env)
} finally {
  await close()
}

function failed(): never {
  throw new Error(`--engine is ${values.engine}; expected ${Object.keys(engines).join(' or ')}`)
}

async function fill(store: Store): Promise<void> {
  const start = performance.now()
  for (let i = 0; i < TASKS; i += IN_FLIGHT) {
    const count = Math.min(IN_FLIGHT, TASKS - i)
    await Promise.all(Array.from({ length: count }, (_, k) => run(store, i + k)))
  }
  await store.close()
  console.log(`${values.engine}: ${TASKS} tasks in ${((performance.now() - start) / 1000).toFixed(1)} s`)
}

/** A task from its start to its end, as its writer appends it. */
async function run(store: Store, i: number): Promise<void> {
  const spec = specOf(i)
  const first = queued(spec.createdAt)
  const created = await store.create(spec, first, reduceAll(initialState(spec), first))
  if (created.kind !== 'created') throw new Error(`task ${i} was not created: ${created.kind}`)
  const events = eventsOf(spec.createdAt + 500)
  const state = reduceAll(created.snapshot.state, events)
  const { top, serial, bytes } = created.snapshot
  const after = { ...top, offset: top.offset + events.length }
  const listing = listingOf({ state, top: after, serial, revision: 0, bytes })
  await store.append(spec, { expected: top, events, state, isFinal: true, listing })
}

function specOf(i: number): TaskSpec {
  return {
    channelPrefix: 'gan:training',
    id: `task-${i}`,
    name: `resnet50 fold ${i % 5}, run ${i}`,
    trainer: 'external',
    machineId: `motor_siemens_${String(i % 300).padStart(3, '0')}`,
    labels: { team: i % 3 ? 'vision' : 'speech', owner: `person-${i % 40}`, seed: i % 17 },
    retryOf: null,
    params: { epochs: 50, lr: 0.001, batch_size: 64, optimizer: 'adamw', warmup: 100, seed: i },
    createdAt: START + i * 1000,
    holder: null,
    startId: `${i}`,
    inputDigest: null,
  }
}

function eventsOf(recordedAt: number): TaskEvent[] {
  const at = { timestamp: new Date(recordedAt).toISOString(), recordedAt }
  const metrics = Object.fromEntries(METRICS.map((name, i) => [name, 1 / (i + 3)]))
  return [
    {
      ...at,
      type: 'EpochEnded',
      epoch: 50,
      phase: 'TRAIN',
      step: 5000,
      progress: 100,
      metrics,
      member: null,
    },
    { ...at, type: 'TrainingSucceeded', result: { checkpoint: 's3://models/best.pt' } },
  ]
}

async function measure(env: Record<string, string>): Promise<void> {
  const start = performance.now()
  const server = await MeasuredServer.start({
    name: values.engine,
    entry: ENTRY,
    args: ['serve'],
    core: null,
    env: { ...env, EPOCHCAST_LOG_LEVEL: 'error' },
  })
  const upMs = performance.now() - start
  let listedMs = 0
  const hold = await server.longestHold(async () => {
    let found = 0
    while (found === 0 && performance.now() - start < GIVE_UP_MS) found = await list(server.url)
    if (found !== 20) throw new Error(`${found} tasks were found; expected 20`)
    listedMs = performance.now() - start - upMs
  })
  const cpuMs = (await server.cpu()) / 1000
  await server.end()
  const [up, listed, cpu, held] = [upMs, listedMs, cpuMs, hold].map((ms) => ms.toFixed(0))
  console.log(
    `up in ${up} ms, first sorted list ${listed} ms later, ${cpu} ms of CPU, event loop held ${held} ms at most`,
  )
}

/** How many a server finds; 0 while it still reads. */
async function list(url: string): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: LIST }),
  })
  const { data } = (await response.json()) as { data: { tasks: { edges: unknown[] } | null } | null }
  return data?.tasks?.edges.length ?? 0
}
