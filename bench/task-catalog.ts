// What finding tasks costs in the process: the first page of each kind of filter, and what the catalog takes.
// Usage: npm run bench:task-catalog [-- --tasks 100000]
import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { MemoryStore } from '../src/event-log/memory.ts'
import { findTasks, type TaskOrder } from '../src/repository/find-tasks.ts'
import { TaskCatalog } from '../src/repository/task-catalog.ts'
import { type TaskFilter, taskQuery } from '../src/repository/task-filter.ts'
import type { TaskEvent } from '../src/task/event.ts'
import { queued } from '../src/task/lifecycle.ts'
import { reduceAll } from '../src/task/reducer.ts'
import { initialState, type TaskSpec } from '../src/task/task.ts'

const { values } = parseArgs({ options: { tasks: { type: 'string', default: '100000' } } })
const TASKS = Math.min(1_000_000, Number(values.tasks))
const PAGE = 50
const ROUNDS = 21
const START = Date.now() - TASKS * 1000
const RARE = new Set([0.1, 0.5, 0.9].map((part) => Math.floor(TASKS * part)))

const FILTERS: readonly (readonly [what: string, filter: TaskFilter])[] = [
  ['no filter', {}],
  ['status of nearly all', { statuses: ['SUCCESS'] }],
  ['status of three', { statuses: ['STALLED'] }],
  ['channelPrefix', { channelPrefix: 'gan:training' }],
  ['machineId', { machineId: 'motor_siemens_007' }],
  ['trainer of half of all', { trainer: 'tvae' }],
  ['label of a third', { labels: { team: 'speech' } }],
  ['label of three', { labels: { sweep: { seed: 33_333 } } }],
  ['two conditions, each of half, both of three', { trainer: 'tvae', labels: { half: 'b' } }],
  ['text in every name', { text: 'resnet50' }],
  ['text in three names', { text: 'unicorn' }],
  ['text in none', { text: 'nowhere at all' }],
  ['text in none, three letters', { text: 'zqx' }],
  ['text in many ids', { text: 'be' }],
  ['text in some ids', { text: 'beef' }],
  ['text in hardly any id', { text: 'deadbeef' }],
  ['two words in many ids', { text: 'a1b c3d' }],
  ['four characters in many ids, and three names', { text: '-4 a1 unicorn' }],
  ['the oldest three, by date', { createdBefore: new Date(START + 2500).toISOString() }],
  ['a date and a text', { createdAfter: new Date(START + TASKS * 800).toISOString(), text: 'unicorn' }],
]

function taskAt(i: number): TaskSpec {
  const isRare = RARE.has(i)
  const labels = {
    team: i % 3 ? 'vision' : 'speech',
    owner: `person-${i % 40}`,
    half: isRare || i % 2 ? 'b' : 'a',
    sweep: { seed: isRare ? 33_333 : i % 17, lr: 1 / (1 + (i % 9)) },
  }
  return {
    channelPrefix: 'gan:training',
    id: randomUUID(),
    name: isRare ? `Unicorn of ${i}` : `resnet50 fold ${i % 5}, run ${i}`,
    trainer: isRare || i % 2 === 0 ? 'tvae' : 'external',
    machineId: `motor_siemens_${String(i % 300).padStart(3, '0')}`,
    labels,
    retryOf: null,
    params: {},
    createdAt: START + i * 1000,
    holder: null,
    startId: '',
    inputDigest: null,
  }
}

function eventsOf(i: number, spec: TaskSpec): TaskEvent[] {
  const at = { timestamp: new Date(spec.createdAt + 500).toISOString(), recordedAt: spec.createdAt + 500 }
  const end: TaskEvent = RARE.has(i)
    ? { type: 'StatusChanged', status: 'STALLED', message: null, attempt: 1, stopRequested: false, ...at }
    : { type: 'TrainingSucceeded', result: null, ...at }
  return [...queued(spec.createdAt), end]
}

async function firstPage(filter: TaskFilter, order: TaskOrder) {
  const times: number[] = []
  let found = 0
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now()
    const page = await findTasks(catalog, taskQuery(filter), { order, after: null, limit: PAGE })
    times.push(performance.now() - start)
    found = page.tasks.length
  }
  const [first = 0] = times
  times.sort((a, b) => a - b)
  return { found, first, median: times[ROUNDS >> 1] as number, worst: times.at(-1) as number }
}

async function opening(filter: TaskFilter) {
  const times: number[] = []
  let found = 0
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now()
    found = 0
    for await (const _ of catalog.walk.unfinishedOrEnded(taskQuery(filter), Date.now() - 3_600_000)) found++
    times.push(performance.now() - start)
  }
  return { found, median: times.sort((a, b) => a - b)[ROUNDS >> 1] as number }
}

const heapMiB = () => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / 2 ** 20
}

const store = new MemoryStore({ retainEvents: 10, retainSeconds: 1e9, maxBytes: 1e11 })
for (let i = 0; i < TASKS; i++) {
  const spec = taskAt(i)
  const events = eventsOf(i, spec)
  await store.create(spec, events, reduceAll(initialState(spec), events))
}
const before = heapMiB()
const catalog = new TaskCatalog(store, console.error)
const start = performance.now()
catalog.start()
await catalog.caughtUp()
console.log(`${TASKS} tasks loaded in ${(performance.now() - start).toFixed(0)} ms`)
console.log(
  `${(heapMiB() - before).toFixed(0)} MiB of heap${globalThis.gc ? '' : ' (run with --expose-gc to be exact)'}`,
)
console.log(`${''.padEnd(46)}found  created: first median worst   updated: first median worst   opening`)
for (const [what, filter] of FILTERS) {
  const created = await firstPage(filter, 'CREATED_DESC')
  const updated = await firstPage(filter, 'UPDATED_DESC')
  const open = await opening(filter)
  const cells = [
    created.first,
    created.median,
    created.worst,
    updated.first,
    updated.median,
    updated.worst,
    open.median,
  ]
  console.log(
    `${what.padEnd(46)}${String(created.found).padStart(5)}${cells.map((ms) => ms.toFixed(2).padStart(10)).join('')}`,
  )
}
await catalog.close()
