import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from 'graphql-ws'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { ReportMetricsDocument } from '../../clients/typescript/index.ts'
import { progressReports, startExternal, testClient } from '../clients/support/server.ts'
import { freePort } from '../processes/free-port.ts'
import { createFolder, endWithUs, removeFolder } from '../processes/lifetime.ts'
import { findNginx } from '../provide.js'
import { type Data, WATCH } from '../support/graphql.ts'
import { testRedis } from '../support/redis.ts'
import { serverProcess } from '../support/server.ts'
import { range } from '../support/tasks.ts'
import { until } from '../support/until.ts'

/** nginx as `deploy/` configures it, before these servers. */
async function proxy(
  ports: readonly number[],
): Promise<{ url: string; serves: (port: number) => Promise<boolean> }> {
  const program = findNginx()
  if (!program) throw new Error('there is no nginx; install it, or set NGINX_PATH')
  const folder = createFolder()
  const log = join(folder, 'access.log')
  const port = await freePort()
  let config = readFileSync(join(import.meta.dirname, '../../deploy/nginx.conf'), 'utf8')
  ports.forEach((each, i) => {
    config = config.replace(`server-${i + 1}:4000`, `127.0.0.1:${each}`)
  })
  config = config
    .replace('listen 80;', `listen 127.0.0.1:${port};`)
    .replace('/run/nginx.pid', join(folder, 'nginx.pid'))
    .replace('access_log /dev/stdout;', `log_format upstream $upstream_addr; access_log ${log} upstream;`)
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, config)
  const nginx = endWithUs(spawn(program, ['-c', file, '-g', 'daemon off;'], { stdio: 'ignore' }))
  onTestFinished(async () => {
    nginx.kill('SIGTERM')
    await once(nginx, 'exit')
    removeFolder(folder)
  })
  const url = `http://127.0.0.1:${port}/graphql`
  const isUp = () =>
    fetch(url.replace('/graphql', '/ready')).then(
      ({ ok }) => ok,
      () => false,
    )
  await until('nginx to be up', isUp)
  const serves = async (server: number) => {
    const before = readFileSync(log, 'utf8').length
    await isUp()
    return readFileSync(log, 'utf8').slice(before).split('\n').includes(`127.0.0.1:${server}`)
  }
  return { url, serves }
}

const VIEWERS = 40
const STEPS = 2000

/** Follows a task with the stock client, which resumes with the last cursor. */
function stockViewer(url: string, taskId: string) {
  let after: string | null = null
  let connections = 0
  const steps: number[] = []
  const client = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    shouldRetry: () => true,
    retryAttempts: 50,
    retryWait: (tries) => new Promise((resolve) => setTimeout(resolve, Math.random() * 100 * tries)),
    on: { connected: () => connections++ },
  })
  onTestFinished(() => client.dispose())
  const variables = {
    taskId,
    last: STEPS,
    get after() {
      return after
    },
  }
  const done = new Promise<number[]>((resolve, reject) =>
    client.subscribe<Data>(
      { query: WATCH, variables },
      {
        next: ({ data, errors }) => {
          if (errors) return reject(new Error(JSON.stringify(errors)))
          const { __typename, cursor, current } = data.trainingProgress
          after = cursor
          if (__typename === 'EventsSkipped') reject(new Error('events were skipped'))
          if (__typename === 'ProgressUpdate') steps.push(current)
        },
        error: reject,
        complete: () => resolve(steps),
      },
    ),
  )
  return { done, connections: () => connections }
}

it('both servers are restarted one after the other, twice, under load: nobody misses or repeats anything', async () => {
  const redis = await testRedis()
  const env = {
    REDIS_URL: redis.url,
    EPOCHCAST_ALLOWED_ORIGINS: 'loopback',
    EPOCHCAST_STOP_DELAY_SECONDS: '0.3',
    EPOCHCAST_DRAIN_SECONDS: '1',
  }
  const servers = [await serverProcess(env), await serverProcess(env)]
  const portOf = (server: { url: string }) => Number(new URL(server.url).port)
  const { url, serves } = await proxy(servers.map(portOf))

  const trainer = testClient(url)
  const taskId = await startExternal(trainer)
  const viewers = range(1, VIEWERS).map(() => stockViewer(url, taskId))
  await until('the viewers to be there', () => viewers.every(({ connections }) => connections() === 1))

  let step = 0
  let isRestarting = true
  const reporting = (async () => {
    while (isRestarting || step < STEPS) {
      step++
      const reports = progressReports(step, step)
      const input = { taskId, producer: 'trainer', firstSequence: step, reports }
      await trainer.execute(ReportMetricsDocument, { input }, { attempts: 50 })
    }
    const input = { taskId, producer: 'trainer', firstSequence: step + 1, reports: [{ success: {} }] }
    await trainer.execute(ReportMetricsDocument, { input }, { attempts: 50 })
  })()
  for (const server of [...servers, ...servers]) {
    const before = step
    await server.end()
    await server.start()
    await until('the training to go on', () => step > before + 20)
    // What it could not reach it leaves alone for its fail_timeout, also where the other one is the next to go.
    await until('nginx to send something there', () => serves(portOf(server)))
  }
  isRestarting = false
  await reporting

  for (const { done } of viewers) expect(await done).toEqual(range(1, step))
  // Each server was all the other's viewers had at times, so everybody had to move.
  expect(viewers.every(({ connections }) => connections() > 2)).toBe(true)
})
