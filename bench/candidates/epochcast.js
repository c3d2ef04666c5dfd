// @ts-check
import { PostClient } from '../client/http.js'
import { WatchedTask } from '../client/watched-task.js'
import { expectedEvent } from '../client/workload.js'
import { ServerProcess } from '../processes.js'
import { EPOCHCAST } from './candidate.js'
import { HttpReporter } from './reporters.js'

/** @typedef {import('./candidate.js').Candidate} Candidate */
/** @typedef {import('./candidate.js').Setting} Setting */
/** @typedef {import('./candidate.js').Standing} Standing */

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

/** @type {Candidate} */
export const epochcast = {
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
        await Promise.all([measured.stop(), other?.stop()])
      },
    }
  },
}

/**
 * @param {Setting} setting
 * @param {string} name
 * @param {string | null} core
 * @param {number} [workers]
 */
function startServer({ server, redisUrl, env }, name, core, workers = 1) {
  return ServerProcess.start({
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

/**
 * @param {PostClient} api
 * @param {number} [messageLength]
 */
async function createTask(api, messageLength) {
  const { id } = (await ask(api, START, {})).startTraining.task
  // RUNNING is an event of its own; from here on one report is one event.
  await ask(api, RUN, { taskId: id })
  return new WatchedTask(id, messageLength)
}

/**
 * @param {PostClient} api
 * @param {WatchedTask} task
 */
async function countLog(api, task) {
  let after = null
  let count = 0
  for (;;) {
    /** @type {{ current: number, events: any }} */
    const { current, events } = (await ask(api, EVENTS, { taskId: task.id, after, first: PAGE })).task
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

/**
 * @param {PostClient} api
 * @param {string} query
 * @param {object} variables
 */
async function ask(api, query, variables) {
  const { data, errors } = JSON.parse(await api.post(JSON.stringify({ query, variables })))
  if (errors) throw new Error(JSON.stringify(errors).slice(0, 400))
  return data
}
