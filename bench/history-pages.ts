// What a page of a thousand events costs in the process, written by templates, beside the same page completed by graphql-js.
// Usage: npm run bench:history-pages [-- --rounds 100]
import { parseArgs } from 'node:util'
import { type ExecutionArgs, execute, parse } from 'graphql'
import { MemoryStore } from '../src/event-log/memory.ts'
import { AnswerRoom } from '../src/execution/answer-room.ts'
import { PreparedAnswer } from '../src/execution/prepared-answer.ts'
import { stringify } from '../src/execution/raw-json.ts'
import { ANYONE } from '../src/repository/access.ts'
import type { Context } from '../src/schema/context.ts'
import { schema } from '../src/schema/index.ts'
import { queued } from '../src/task/lifecycle.ts'
import { planReports } from '../src/task/plan-reports.ts'
import { reduceAll } from '../src/task/reducer.ts'
import type { Report } from '../src/task/report.ts'
import { initialState, type TaskSpec } from '../src/task/task.ts'
import { median } from './stats.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '100' } } })
const ROUNDS = Math.max(1, Math.min(10_000, Number(values.rounds)))
const WARM_UP = 30
const EVENTS = 1000

const ALL_FIELDS = `edges { cursor node { __typename timestamp ... on ProgressUpdate {
  current total progress status epoch step loss metrics message
} } } pageInfo { endCursor hasNextPage }`

const PAGES: readonly (readonly [what: string, selection: string, message: string])[] = [
  ['ten fields of each, three metrics', ALL_FIELDS, 'step'],
  [
    'the message of each, 4,000 characters',
    'edges { node { ... on ProgressUpdate { message } } }',
    'x'.repeat(4000),
  ],
]

async function storeWith(message: string): Promise<MemoryStore> {
  const store = new MemoryStore({ retainEvents: 2 * EVENTS, retainSeconds: 3600, maxBytes: 1e9 })
  const spec: TaskSpec = {
    ...{ channelPrefix: 'bench', id: 'task', name: null, trainer: 'external', machineId: null, labels: {} },
    ...{ retryOf: null, params: {}, createdAt: Date.now(), holder: null, startId: '', inputDigest: null },
  }
  const first = queued(spec.createdAt)
  await store.create(spec, first, reduceAll(initialState(spec), first))
  const reports = Array.from({ length: EVENTS }, (_, i): Report => {
    const metrics = { loss: 1 / (i + 1), accuracy: Math.sin(i), lr: 1e-4 * Math.cos(i) }
    return { progress: { current: i, total: EVENTS, metrics, message } }
  })
  const snapshot = await store.snapshot(spec)
  if (!snapshot) throw new Error('the task is not there')
  const batch = { reports, member: null, producer: null, firstSequence: null, attempt: null }
  const { events, state } = planReports(snapshot.state, batch, Date.now())
  await store.append(spec, { expected: snapshot.top, events, state, isFinal: false })
  return store
}

/** The text of an answer. */
async function answerTo(operation: ExecutionArgs, store: MemoryStore, isWritten: boolean): Promise<string> {
  const answer = new PreparedAnswer(new AnswerRoom(1).begin('bench'))
  if (!isWritten) answer.listWriter = () => null
  const services = { channelPrefixes: ['bench'], log: store }
  const contextValue = { caller: ANYONE, services, answer } as unknown as Context
  return stringify(answer.complete(await execute({ ...operation, contextValue })))
}

for (const [what, selection, message] of PAGES) {
  const store = await storeWith(message)
  const document = parse(`{ task(id: "task") { events(first: ${EVENTS}) { ${selection} } } }`)
  const operation = { schema, document }
  if ((await answerTo(operation, store, true)) !== (await answerTo(operation, store, false)))
    throw new Error('what is written is not what graphql-js makes of it')
  const ms = { written: [] as number[], completed: [] as number[] }
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const kind of round % 2 === 0
      ? (['written', 'completed'] as const)
      : (['completed', 'written'] as const)) {
      const before = process.cpuUsage()
      await answerTo(operation, store, kind === 'written')
      const { user, system } = process.cpuUsage(before)
      if (round >= 0) ms[kind].push((user + system) / 1000)
    }
  }
  const [written, completed] = [median(ms.written), median(ms.completed)]
  const ratio = (written / completed).toFixed(2)
  console.log(`${what}: ${written.toFixed(1)} ms written, ${completed.toFixed(1)} ms completed, ${ratio} ×`)
  await store.close()
}
