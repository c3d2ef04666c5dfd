import { type ExecutionResult, getOperationAST } from 'graphql'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Dispatch } from '../../src/dispatch/dispatch.ts'
import { Trainers } from '../../src/dispatch/trainers.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { SharedSubscription } from '../../src/execution/fan-out.ts'
import { compileReportCall } from '../../src/execution/report-call.ts'
import { EngineWait } from '../../src/feed/engine-wait.ts'
import { Feeds } from '../../src/feed/feeds.ts'
import { Pacing } from '../../src/feed/pacing.ts'
import { SeriesReader } from '../../src/feed/series-reader.ts'
import { TaskUpdates } from '../../src/feed/task-updates.ts'
import { Ingest } from '../../src/ingest/ingest.ts'
import { ExternalLauncher } from '../../src/launcher/external.ts'
import { ANYONE, type Caller, SCOPES, type Scope } from '../../src/repository/access.ts'
import { TaskCatalog } from '../../src/repository/task-catalog.ts'
import { TaskRecords } from '../../src/repository/task-records.ts'
import { schema } from '../../src/schema/index.ts'
import { EventStreamResults } from '../../src/transport/event-stream.ts'
import { OpenSubscriptions } from '../../src/transport/open-subscriptions.ts'
import { type Operation, Operations } from '../../src/transport/operations.ts'
import { append, createTask, succeeded } from '../support/tasks.ts'
import { taskWriter } from '../support/writer.ts'

interface Right {
  /** Null: anybody may. */
  readonly scope: Scope | null
  /** One operation with nothing but this field; of the task `$id`, where it names one. */
  readonly query: string
  /** The task has to have ended. */
  readonly isOfEnded?: boolean
}

/** What each root field of the schema needs. */
const RIGHTS: Readonly<Record<string, Right>> = {
  'Query.server': { scope: null, query: '{ server { version trainers { name } engine { connected } } }' },
  'Query.task': { scope: 'tasks:read', query: 'query ($id: ID!) { task(id: $id) { id } }' },
  'Query.tasks': { scope: 'tasks:read', query: '{ tasks { edges { node { id } } } }' },
  'Mutation.startTraining': {
    scope: 'tasks:start',
    query: 'mutation { startTraining(input: { trainer: "external" }) { task { id } } }',
  },
  'Mutation.cancelTraining': {
    scope: 'tasks:cancel',
    query: 'mutation ($id: ID!) { cancelTraining(input: { taskId: $id }) { task { id } } }',
  },
  'Mutation.updateTask': {
    scope: 'tasks:write',
    query: 'mutation ($id: ID!) { updateTask(input: { taskId: $id, name: "x" }) { task { name } } }',
  },
  'Mutation.deleteTask': {
    scope: 'tasks:write',
    query: 'mutation ($id: ID!) { deleteTask(input: { taskId: $id }) { taskId } }',
    isOfEnded: true,
  },
  'Mutation.reportMetrics': {
    scope: 'tasks:report',
    query: `mutation ($id: ID!) {
      reportMetrics(input: { taskId: $id, reports: [{ progress: { current: 1 } }] }) { accepted }
    }`,
  },
  'Subscription.trainingProgress': {
    scope: 'tasks:read',
    query: 'subscription ($id: ID!) { trainingProgress(taskId: $id) { cursor } }',
  },
  'Subscription.taskProgress': {
    scope: 'tasks:read',
    query: 'subscription ($id: ID!) { taskProgress(taskId: $id) { status } }',
  },
  'Subscription.taskUpdates': { scope: 'tasks:read', query: 'subscription { taskUpdates { id } }' },
  'Subscription.heartbeat': { scope: null, query: 'subscription { heartbeat { sequence } }' },
}

const FIELDS = Object.entries(RIGHTS)
const FIELDS_OF_A_TASK = FIELDS.filter(([, { query }]) => query.includes('$id'))
const GUARDED_FIELDS = FIELDS.filter(([, { scope }]) => scope !== null)

const REPORT = 'mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted } }'

const callerWith = (scopes: readonly Scope[], of: Partial<Caller> = {}): Caller => ({
  ...ANYONE,
  subject: 'mallory',
  scopes: new Set(scopes),
  ...of,
})
const callerWithout = (scope: Scope | null) => callerWith(SCOPES.filter((other) => other !== scope))

const FORBIDDEN = { extensions: { code: 'FORBIDDEN', retryable: false } }

let log: MemoryStore
let feeds: Feeds
let catalog: TaskCatalog
let dispatch: Dispatch
let openSubscriptions: OpenSubscriptions
let operations: Operations
let unexpected: unknown[]
beforeEach(() => {
  unexpected = []
  const onError = (error: unknown) => unexpected.push(error)
  const channelPrefixes = ['gan:training']
  log = new MemoryStore({ retainEvents: 1000, retainSeconds: 3600, maxBytes: 10_000_000 })
  feeds = new Feeds(log, {
    ringEvents: 8,
    checkMs: 5000,
    pages: { maxBytes: 1_000_000 },
    ringBytes: 1_000_000,
    onError,
  })
  const writer = taskWriter(log)
  const engineWait = new EngineWait(log, 0)
  catalog = new TaskCatalog(log, onError)
  const trainers = Trainers.load(null, channelPrefixes)
  dispatch = new Dispatch(log, writer, trainers, { channelPrefixes, serverId: 'this', onError })
  dispatch.use(new ExternalLauncher())
  openSubscriptions = new OpenSubscriptions(100)
  operations = new Operations({
    introspection: true,
    addressShare: 0.5,
    trustedDocuments: null,
    schema,
    context: {
      caller: callerWith([]),
      audience: 'everybody',
      services: {
        version: '1',
        channelPrefixes,
        maxStreamMs: 60_000,
        maxStateStreamMs: null,
        log,
        tasks: log,
        catalog,
        engine: log,
        engineWait,
        feeds,
        pacing: new Pacing(),
        series: new SeriesReader(log),
        updates: new TaskUpdates(log, catalog, engineWait),
        ingest: new Ingest(writer, channelPrefixes),
        dispatch,
        records: new TaskRecords(log, writer, channelPrefixes),
        trainers,
      },
    },
    openSubscriptions,
    onUnexpected: onError,
  })
})
afterEach(async () => {
  await dispatch.close()
  await feeds.close()
  await catalog.close()
  await log.close()
  expect(unexpected).toEqual([])
  // None that was refused is counted, nor one that has left.
  expect(openSubscriptions.count).toBe(0)
})

function prepared(query: string, variables: Record<string, unknown>, caller: Caller): Operation {
  const operation = operations.prepare({ query, variables }, caller)
  if (!('document' in operation)) throw new Error(JSON.stringify(operation))
  return operation
}

/** The result of an operation as its client gets it; of a subscription, the first one. */
async function resultOf(query: string, id: string, caller: Caller): Promise<ExecutionResult> {
  const operation = prepared(query, query.includes('$id') ? { id } : {}, caller)
  if (getOperationAST(operation.document)?.operation !== 'subscription') return operations.execute(operation)
  const opened = await operations.subscribe(operation)
  const results = opened instanceof SharedSubscription ? new EventStreamResults(opened, 65_536) : opened
  if (!(Symbol.asyncIterator in results)) return results
  const first = await results.next()
  await results.return()
  return first.value ?? {}
}

/** The result of a call of reportMetrics on the fast path. */
async function reported(taskId: string, caller: Caller): Promise<ExecutionResult> {
  const input = { taskId, reports: [{ progress: { current: 1 } }] }
  const { document, variableValues, contextValue } = prepared(REPORT, { input }, caller)
  const call = compileReportCall(document)?.(variableValues, contextValue)
  if (!call) throw new Error('the call was left to graphql-js')
  const { data, errors } = await call
  return errors ? { errors: errors.map((error) => operations.translate(error)) } : { data: data ?? null }
}

it('every root field of the schema says what right it needs', () => {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]
  const fields = roots.flatMap((type) =>
    Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`),
  )
  expect(Object.keys(RIGHTS).sort()).toEqual(fields.sort())
})

it.each(GUARDED_FIELDS)('%s refuses a caller that has every scope but its own', async (_, right) => {
  const { id } = await createTask(log)
  const { data, errors } = await resultOf(right.query, id, callerWithout(right.scope))
  expect(Object.values(data ?? {}).filter((value) => value !== null)).toEqual([])
  expect(errors).toEqual([expect.objectContaining(FORBIDDEN)])
  expect(errors?.[0]?.message).toContain(`"mallory" may not`)
  expect(errors?.[0]?.message).toContain(`lacks the scope ${right.scope}`)
})

it.each(FIELDS)('%s needs nothing but its own scope', async (_, { query, scope, isOfEnded }) => {
  const key = await createTask(log)
  if (isOfEnded) await append(log, key, succeeded())
  const { id } = key
  const { data, errors } = await resultOf(query, id, callerWith(scope === null ? [] : [scope]))
  expect(errors).toBeUndefined()
  expect(Object.values(data ?? {})).toEqual([expect.anything()])
})

it.each(FIELDS_OF_A_TASK)(
  '%s refuses a caller of another task, whether or not the task exists',
  async (_, { query }) => {
    const { id } = await createTask(log)
    const caller = callerWith(SCOPES, { taskIds: new Set(['another']) })
    for (const asked of [id, 'nowhere']) {
      const { errors } = await resultOf(query, asked, caller)
      expect(errors).toEqual([expect.objectContaining(FORBIDDEN)])
      expect(errors?.[0]?.message).toContain(`not for task "${asked}"`)
    }
  },
)

it('startTraining refuses a caller of another prefix', async () => {
  const caller = callerWith(SCOPES, { channelPrefixes: new Set(['llm:batch']) })
  const { errors } = await resultOf((RIGHTS['Mutation.startTraining'] as Right).query, '', caller)
  expect(errors).toEqual([expect.objectContaining(FORBIDDEN)])
  expect(errors?.[0]?.message).toContain('not for channelPrefix "gan:training"')
})

it.each(FIELDS_OF_A_TASK)(
  '%s does not tell a caller of another prefix whether there is such a task',
  async (_, { query }) => {
    const { id } = await createTask(log)
    const caller = callerWith(SCOPES, { channelPrefixes: new Set(['llm:batch']) })
    const [there, nowhere] = [await resultOf(query, id, caller), await resultOf(query, 'nowhere', caller)]
    expect(there.errors?.map(({ message }) => message.replace(id, 'nowhere'))).toEqual(
      nowhere.errors?.map(({ message }) => message),
    )
    expect(Object.values(there.data ?? {}).filter((value) => value !== null)).toEqual([])
  },
)

it('startTraining does not tell a caller without the right which trainers there are', async () => {
  const query = 'mutation { startTraining(input: { trainer: "nobody" }) { task { id } } }'
  const { errors } = await resultOf(query, '', callerWithout('tasks:start'))
  expect(errors).toEqual([expect.objectContaining(FORBIDDEN)])
})

it('startTraining repeats only a task that its caller may read', async () => {
  const { id } = await createTask(log)
  const query = `mutation { startTraining(input: { retryOf: "${id}" }) { task { params } } }`
  for (const caller of [
    callerWith(['tasks:start']),
    callerWith(SCOPES, { taskIds: new Set(['another']) }),
    callerWith(['tasks:start', 'tasks:read'], { expiresAt: 0 }),
  ]) {
    expect((await resultOf(query, '', caller)).errors).toEqual([expect.objectContaining(FORBIDDEN)])
  }
  const caller = callerWith(SCOPES, { channelPrefixes: new Set(['llm:batch']) })
  expect((await resultOf(query, '', caller)).errors?.[0]?.message).toContain(`no task "${id}"`)
})

it('lists leave out the tasks of others', async () => {
  const [mine] = [await createTask(log), await createTask(log)]
  const caller = callerWith(['tasks:read'], { taskIds: new Set([mine.id]) })
  const { data } = await resultOf('{ tasks { edges { node { id } } } }', '', caller)
  expect(data).toEqual({ tasks: { edges: [{ node: { id: mine.id } }] } })
})

it('the fast path of reports refuses the callers that graphql-js refuses, in the same words', async () => {
  const { id } = await createTask(log)
  const { query } = RIGHTS['Mutation.reportMetrics'] as Right
  for (const caller of [
    callerWithout('tasks:report'),
    callerWith(['tasks:report'], { taskIds: new Set(['another']) }),
    callerWith(['tasks:report'], { expiresAt: 0 }),
  ]) {
    const [fast, slow] = [await reported(id, caller), await resultOf(query, id, caller)]
    expect(fast.errors).toEqual([expect.objectContaining(FORBIDDEN)])
    expect(fast.errors?.map(({ message, path }) => ({ message, path }))).toEqual(
      slow.errors?.map(({ message, path }) => ({ message, path })),
    )
  }
  expect((await log.snapshot({ channelPrefix: 'gan:training', id }))?.top.offset).toBe(1)
  expect(await reported(id, callerWith(['tasks:report']))).toEqual({
    data: { reportMetrics: { accepted: 1 } },
  })
})
