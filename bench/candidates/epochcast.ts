import { PostClient } from '../client/http.ts'
import { WatchedTask } from '../client/watched-task.ts'
import { expectedEvent } from '../client/workload.ts'
import { MeasuredServer } from '../measured-server.ts'
import { type Candidate, EPOCHCAST, type Setting } from './candidate.ts'
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

export const epochcast: Candidate = {
  name: EPOCHCAST,
  async start(setting) {
    const { redisUrl, reportsToItself, usesAllCores, cores, workers } = setting
    const core = usesAllCores ? cores.all : cores.measured
    const measured = await startServer(setting, EPOCHCAST, core, workers)
    // As another server of the same installation would be: on the same Redis, out of the measured one's way.
    const other =
      redisUrl && !reportsToItself ? await startServer(setting, `${EPOCHCAST} for reports`, cores.rest) : null
    const { port } = other ?? measured
    const reporter = new HttpReporter(port)
    const api = new PostClient(port, '/graphql', CREATING)
    return {
      server: measured,
      dialect: 'graphql',
      reporter,
      createTasks: (count, messageLength) =>
        Promise.all(Array.from({ length: count }, () => createTask(api, messageLength))),
      countLog: (task) => countLog(api, task),
      close: async () => {
        reporter.close()
        api.close()
        await Promise.all([measured.kill(), other?.kill()])
      },
    }
  },
}

function startServer(
  { server, redisUrl, env }: Setting,
  name: string,
  core: string | null,
  workers: number = 1,
) {
  return MeasuredServer.start({
    name,
    entry: server,
    args: ['serve', '--workers', `${workers}`],
    core,
    env: {
      ...(redisUrl ? { REDIS_URL: redisUrl } : {}),
      EPOCHCAST_LOG_LEVEL: 'warn',
      // A scenario may leave its tasks alone for longer than a trainer would.
      EPOCHCAST_STALL_SECONDS: '3600',
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

async function ask<Data>(api: PostClient, query: string, variables: object): Promise<Data> {
  const { data, errors } = JSON.parse(await api.post(JSON.stringify({ query, variables })))
  if (errors) throw new Error(JSON.stringify(errors).slice(0, 400))
  return data
}
