import { type ExecutionResult, getOperationAST } from 'graphql'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ViewLinks } from '../../src/auth/view-links.ts'
import { Dispatch } from '../../src/dispatch/dispatch.ts'
import { registerExternal } from '../../src/dispatch/register-external.ts'
import { Trainers } from '../../src/dispatch/trainers.ts'
import { MemoryStore } from '../../src/event-log/memory.ts'
import { OutputWriter } from '../../src/event-log/output-writer.ts'
import { SharedSubscription } from '../../src/execution/fan-out.ts'
import { compileReportCall } from '../../src/execution/report-call.ts'
import { EngineWait } from '../../src/feed/engine-wait.ts'
import { Feeds } from '../../src/feed/feeds.ts'
import { OutputPages } from '../../src/feed/output-pages.ts'
import { Pacing } from '../../src/feed/pacing.ts'
import { SeriesReader } from '../../src/feed/series-reader.ts'
import { TaskUpdates } from '../../src/feed/task-updates.ts'
import { Ingest } from '../../src/ingest/ingest.ts'
import { OutputIngest } from '../../src/ingest/output-ingest.ts'
import { ExternalLauncher } from '../../src/launcher/external.ts'
import { ANYONE, type Caller, NOBODY, SCOPES, type Scope } from '../../src/repository/access.ts'
import { TaskCatalog } from '../../src/repository/task-catalog.ts'
import { TaskRecords } from '../../src/repository/task-records.ts'
import { schema } from '../../src/schema/index.ts'
import { NO_OUTPUT, skippedNote } from '../../src/task/output.ts'
import { OpenSubscriptions } from '../../src/transport/open-subscriptions.ts'
import { type Operation, Operations } from '../../src/transport/operations.ts'
import { resultsOf } from '../support/results.ts'
import { RIGHTS, type Right } from '../support/rights.ts'
import { append, createTask, succeeded } from '../support/tasks.ts'
import { taskWriter } from '../support/writer.ts'

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

const NOT_FOUND = { extensions: { code: 'TASK_NOT_FOUND', retryable: false } }
/** With every scope, but for other tasks. */
const STRANGERS = [
  callerWith(SCOPES, { taskIds: new Set(['another']) }),
  callerWith(SCOPES, { channelPrefixes: new Set(['llm:batch']) }),
  callerWith(SCOPES, { labels: new Map([['team', new Set(['vision'])]]) }),
]
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
        output: {
          ...{ log: log.output, pages: new OutputPages(log.output), quietMs: 100 },
          ingest: new OutputIngest(log, new OutputWriter(log.output), {
            channelPrefixes,
            linesPerSecond: null,
          }),
        },
        updates: new TaskUpdates(log, catalog, engineWait),
        ingest: new Ingest(writer, channelPrefixes),
        dispatch,
        registerExternal: (caller, run) => registerExternal({ log, channelPrefixes }, caller, run),
        records: new TaskRecords(log, writer, channelPrefixes),
        trainers,
        viewLinks: new ViewLinks(log, null, { channelPrefixes, publicUrl: () => 'https://train.example' }),
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
  const results = opened instanceof SharedSubscription ? resultsOf(opened) : opened
  if (!(Symbol.asyncIterator in results)) return results
  const first = await results.next()
  await results.return()
  return first.value ?? {}
}

/** The result of a call of reportMetrics on the fast path. */
async function reported(taskId: string, caller: Caller): Promise<ExecutionResult> {
  const input = { taskId, reports: [{ progress: { current: 1 } }] }
  const { document, variableValues, contextValue } = prepared(REPORT, { input }, caller)
  const call = compileReportCall(document)?.(variableValues)?.(contextValue)
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

it.each(FIELDS)('%s needs nothing but its own scope', async (_, { query, scope, isOfEnded, needsOutput }) => {
  const key = await createTask(log)
  const lines = [skippedNote(1, new Date(0).toISOString())]
  if (needsOutput)
    await new OutputWriter(log.output).append(key, () => ({ lines, state: NO_OUTPUT, duplicates: 0 }))
  if (isOfEnded) await append(log, key, succeeded())
  const { id } = key
  const { data, errors } = await resultOf(query, id, callerWith(scope === null ? [] : [scope]))
  expect(errors).toBeUndefined()
  expect(Object.values(data ?? {})).toEqual([expect.anything()])
})

it.each(FIELDS_OF_A_TASK)(
  '%s has no such task for a caller of others, whether or not it exists',
  async (_, { query }) => {
    const { id } = await createTask(log)
    for (const caller of STRANGERS) {
      const [there, nowhere] = [await resultOf(query, id, caller), await resultOf(query, 'nowhere', caller)]
      // That the task is there makes no difference, not in a letter.
      const text = JSON.stringify(there).replaceAll(id, 'nowhere')
      expect(text).toBe(JSON.stringify(nowhere))
      if (query.includes('{ task(')) expect(there.data).toEqual({ task: null })
      else expect(there.errors).toEqual([expect.objectContaining(NOT_FOUND)])
    }
  },
)

it('startTraining refuses a caller of another prefix', async () => {
  const caller = callerWith(SCOPES, { channelPrefixes: new Set(['llm:batch']) })
  const { errors } = await resultOf((RIGHTS['Mutation.startTraining'] as Right).query, '', caller)
  expect(errors).toEqual([expect.objectContaining(FORBIDDEN)])
  expect(errors?.[0]?.message).toContain('not for channelPrefix "gan:training"')
})

it.each(FIELDS)('%s needs a token that is known, and not expired', async (_, { query }) => {
  const { id } = await createTask(log)
  for (const [caller, reason] of [
    [NOBODY, 'missing'],
    [callerWith(SCOPES, { expiresAt: 0 }), 'expired'],
  ] as const) {
    const { errors } = await resultOf(query, id, caller)
    expect(errors?.map(({ extensions }) => extensions)).toEqual([
      { code: 'UNAUTHENTICATED', retryable: false, reason },
    ])
  }
})

it('startTraining does not tell a caller without the right which trainers there are', async () => {
  const query = 'mutation { startTraining(input: { trainer: "nobody" }) { task { id } } }'
  const { errors } = await resultOf(query, '', callerWithout('tasks:start'))
  expect(errors).toEqual([expect.objectContaining(FORBIDDEN)])
})

it('startTraining repeats only a task that its caller may read', async () => {
  const { id } = await createTask(log)
  const query = `mutation { startTraining(input: { retryOf: "${id}" }) { task { params } } }`
  expect((await resultOf(query, '', callerWith(['tasks:start']))).errors).toEqual([
    expect.objectContaining(FORBIDDEN),
  ])
  for (const caller of STRANGERS) {
    expect((await resultOf(query, '', caller)).errors?.[0]?.message).toContain(`no task "${id}"`)
  }
})

it('lists leave out the tasks of others', async () => {
  const [mine] = [await createTask(log), await createTask(log)]
  const caller = callerWith(['tasks:read'], { taskIds: new Set([mine.id]) })
  for (const args of [
    '',
    '(orderBy: UPDATED_DESC)',
    '(filter: { statuses: [QUEUED] })',
    '(filter: { text: "external" })',
  ]) {
    const { data } = await resultOf(`{ tasks${args} { edges { node { id } } } }`, '', caller)
    expect(data).toEqual({ tasks: { edges: [{ node: { id: mine.id } }] } })
  }
})

it('the fast path of reports refuses the callers that graphql-js refuses, in the same words', async () => {
  const { id } = await createTask(log)
  const { query } = RIGHTS['Mutation.reportMetrics'] as Right
  for (const caller of [
    callerWithout('tasks:report'),
    callerWith(['tasks:report'], { taskCreatedAt: 1 }),
    callerWith(['tasks:report'], { expiresAt: 0 }),
    ...STRANGERS,
    NOBODY,
  ]) {
    const [fast, slow] = [await reported(id, caller), await resultOf(query, id, caller)]
    expect(fast.errors).toHaveLength(1)
    expect(fast.errors?.map(({ message, path }) => ({ message, path }))).toEqual(
      slow.errors?.map(({ message, path }) => ({ message, path })),
    )
  }
  expect((await log.snapshot({ channelPrefix: 'gan:training', id }))?.top.offset).toBe(1)
  expect(await reported(id, callerWith(['tasks:report']))).toEqual({
    data: { reportMetrics: { accepted: 1 } },
  })
})
