import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { PostClient } from '../client/http.ts'
import { WatchedTask } from '../client/watched-task.ts'
import { expectedEvent } from '../client/workload.ts'
import { MeasuredServer } from '../measured-server.ts'
import { type Candidate, DOORS, EPOCHCAST, type Setting, type Standing, WITHOUT_CURVES } from './candidate.ts'
import { HttpReporter } from './reporters.ts'

const CREATING = 16
const PAGE = 1000

const START = /* GraphQL */ `
  mutation { startTraining(input: { trainer: "external" }) { task { id } } }
`
const RUN = /* GraphQL */ `
  mutation ($taskId: ID!) {
    reportMetrics(input: { taskId: $taskId, reports: [{ status: { status: RUNNING } }] }) { accepted }
  }
`
const EVENTS = /* GraphQL */ `
  query ($taskId: ID!, $after: Cursor, $first: Int!) {
    task(id: $taskId) {
      current
      events(first: $first, after: $after) {
        edges { node { __typename ... on ProgressUpdate { current total progress loss metrics message } } }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
`

interface Started {
  readonly startTraining: { readonly task: { readonly id: string } }
}

interface Logged {
  readonly task: {
    readonly current: number
    readonly events: {
      readonly edges: readonly { readonly node: LoggedEvent }[]
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
    }
  }
}

type LoggedEvent =
  | { readonly __typename: 'ProgressUpdate'; readonly current: number; readonly loss: number }
  | { readonly __typename: 'StatusChanged' }

export const epochcast: Candidate = { name: EPOCHCAST, start: (setting) => start(EPOCHCAST, setting) }

export const epochcastWithoutCurves: Candidate = {
  name: WITHOUT_CURVES,
  start: (setting) => start(WITHOUT_CURVES, setting, join(import.meta.dirname, '../without-curves.js')),
}

/** The same server; its viewers come by another door. */
export const doors: Record<string, Candidate> = Object.fromEntries(
  Object.entries(DOORS).map(([name, dialect]) => {
    return [name, { name, start: async (setting) => ({ ...(await start(name, setting)), dialect }) }]
  }),
)

async function start(name: string, setting: Setting, preload?: string): Promise<Standing> {
  const { engine, redisUrl, reportsToItself, usesAllCores, cores } = setting
  const data = engine.startsWith('lmdb') ? mkdtempSync(join(tmpdir(), 'epochcast-bench-')) : null
  const measured = await startServer(setting, {
    name,
    core: usesAllCores ? cores.all : cores.measured,
    workers: setting.workers,
    preload: preload ?? (data ? COUNT_COMMITS : undefined),
    data,
  })
  // As another server of the same installation would be: on the same Redis, out of the measured one's way.
  const other =
    redisUrl && !reportsToItself
      ? await startServer(setting, { name: `${name} for reports`, core: cores.rest, preload })
      : null
  const { port } = other ?? measured
  const reporter = new HttpReporter(port)
  const api = new PostClient(port, '/graphql', CREATING)
  const redis = redisUrl ? new Redis(redisUrl, { lazyConnect: true }) : null
  return {
    server: measured,
    dialect: 'graphql',
    reporter,
    createTasks: (count, messageLength) =>
      Promise.all(Array.from({ length: count }, () => createTask(api, messageLength))),
    countLog: (task) => countLog(api, task),
    curveBytes: async (task) => redis && countCurveBytes(redis, task),
    close: async () => {
      reporter.close()
      api.close()
      redis?.disconnect()
      await Promise.all([measured.kill(), other?.kill()])
      if (data) rmSync(data, { recursive: true })
    },
  }
}

const COUNT_COMMITS = join(import.meta.dirname, '../count-commits.js')

interface ServerStart {
  readonly name: string
  readonly core: string | null
  readonly workers?: number | undefined
  readonly preload?: string | undefined
  /** Its data directory; null where it keeps nothing on disk. */
  readonly data?: string | null
}

function startServer(
  { engine, server, redisUrl, env }: Setting,
  { name, core, workers = 1, preload, data = null }: ServerStart,
) {
  return MeasuredServer.start({
    name,
    entry: server,
    args: ['serve', '--workers', `${workers}`],
    preload,
    core,
    env: {
      ...(redisUrl ? { REDIS_URL: redisUrl } : { EPOCHCAST_DATA: data ?? 'none' }),
      EPOCHCAST_FSYNC: engine === 'lmdb without fsync' ? '0' : '1',
      EPOCHCAST_LOG_LEVEL: 'warn',
      // A scenario may leave its tasks alone for longer than a trainer would.
      EPOCHCAST_STALL_SECONDS: '3600',
      // All trainers and viewers are at one address, and as fast as they can be.
      EPOCHCAST_ADDRESS_SHARE: '1',
      EPOCHCAST_MUTATIONS_PER_SECOND: '1000000',
      ...env,
    },
  })
}

async function createTask(api: PostClient, messageLength?: number) {
  const { startTraining } = await ask<Started>(api, START, {})
  const { id } = startTraining.task
  // RUNNING is an event of its own; from here on one report is one event.
  await ask(api, RUN, { taskId: id })
  return new WatchedTask(id, messageLength)
}

async function countLog(api: PostClient, task: WatchedTask) {
  let after: string | null = null
  let count = 0
  for (;;) {
    const page: Logged = await ask(api, EVENTS, { taskId: task.id, after, first: PAGE })
    const { current, events } = page.task
    for (const { node } of events.edges) {
      if (node.__typename !== 'ProgressUpdate') continue
      // What is older than retention has been dropped.
      if (count === 0) count = node.current - 1
      const expected = expectedEvent(++count, task.messageLength)
      if (node.current !== expected.current || node.loss !== expected.loss) {
        throw new Error(`${count} of the log is event ${node.current}`)
      }
    }
    if (!events.pageInfo.hasNextPage) {
      if (current !== count) throw new Error(`the log ends with event ${count}, its task with ${current}`)
      return count
    }
    after = events.pageInfo.endCursor
  }
}

async function countCurveBytes(redis: Redis, task: WatchedTask) {
  const [key] = await redis.keys(`epochcast:{*:${task.id}}:curves`)
  if (key === undefined) throw new Error(`task ${task.id} has no curves in Redis`)
  const fields = await redis.hkeys(key)
  const lengths = await Promise.all(fields.map((field) => redis.hstrlen(key, field)))
  return lengths.reduce((sum, length) => sum + length, 0)
}

async function ask<Data>(api: PostClient, query: string, variables: object): Promise<Data> {
  const { data, errors } = JSON.parse(await api.post(JSON.stringify({ query, variables })))
  if (errors) throw new Error(JSON.stringify(errors).slice(0, 400))
  return data
}
