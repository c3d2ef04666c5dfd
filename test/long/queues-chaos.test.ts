import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { end } from '../processes/lifetime.ts'
import { celeryWorker } from '../support/celery.ts'
import { type Data, run, START } from '../support/graphql.ts'
import { queueWorker } from '../support/queue-worker.ts'
import { testRedis } from '../support/redis.ts'
import { serverProcess, trainersFile } from '../support/server.ts'
import { ENDS, taskOf } from '../support/started-tasks.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const JOBS = 10

/** Trains for some seconds, and reports however long the server is away; writes down when it runs. */
const PATIENT = `
import { appendFileSync } from 'node:fs'
const note = (what) => appendFileSync(process.env.RUNS, JSON.stringify({ what, taskId, attempt, at: Date.now() }) + '\\n')
process.once('SIGTERM', () => { note('end'); process.exit(1) })
note('begin')
async function insist(one) {
  for (;;) {
    try {
      return await report(one)
    } catch (error) {
      if (/STALE_ATTEMPT|TASK_ENDED|TASK_NOT_FOUND/.test(error.message)) { note('end'); process.exit(2) }
      await new Promise((done) => setTimeout(done, 200))
    }
  }
}
for (let current = 1; current <= 40; current++) {
  await insist({ progress: { current, total: 40 } })
  await new Promise((done) => setTimeout(done, 100))
}
await insist({ success: { result: { attempt } } })
note('end')`

it('a Redis that is restarted and a server that is killed while ten jobs of each launcher run: each ends with its truth', {
  timeout: 300_000,
}, async () => {
  const redis = await testRedis(['--appendonly', 'yes', '--appendfsync', 'always'])
  const runs = join(temporaryFolder(), 'runs')
  const env = {
    EPOCHCAST_TRAINERS: trainersFile(
      { queued: PATIENT, local: PATIENT },
      {
        queued: { launcher: 'bullmq', env: { RUNS: runs }, backoff: { delay: 0.2 } },
        local: { launcher: 'local', env: { RUNS: runs } },
        celery: { launcher: 'celery', task: 'tasks.odd_tasks.silent_task', args: ['machineId', 'epochs'] },
      },
    ),
    REDIS_URL: redis.url,
    EPOCHCAST_CELERY_BROKER: `${redis.url}/0`,
    EPOCHCAST_LOCAL_CONCURRENCY: '10',
    EPOCHCAST_QUEUE_LOCK_SECONDS: '10',
    EPOCHCAST_SERVER_LEASE_SECONDS: '3',
  }
  const server = await serverProcess(env)
  const { url } = server
  await queueWorker(env, '--concurrency', '5')
  await queueWorker(env, '--concurrency', '5')
  const celery = await celeryWorker(redis.url, 'prefork', '-c', '5')
  const start = async (trainer: string) =>
    (await run(url, START, { input: { trainer, machineId: 'm', epochs: 4 } })).startTraining.task.id as string
  const each = (trainer: string) => Promise.all(Array.from({ length: JOBS }, () => start(trainer)))
  const [queued, local, inCelery] = [await each('queued'), await each('local'), await each('celery')]
  const hasBegun = async (id: string) => (await taskOf(server, id)).status === 'RUNNING'
  await until(
    'some of each to run',
    async () => {
      const begun = await Promise.all([queued[0], local[0], inCelery[0]].map((id) => hasBegun(id as string)))
      return begun.every(Boolean)
    },
    60_000,
  )

  await redis.kill()
  await redis.start()
  await server.kill()
  await server.start()

  const ended = (id: string): Promise<Data> =>
    until(
      `the end of ${id}`,
      async () => {
        const task = await taskOf(server, id).catch(() => null)
        return task && ENDS.includes(task.status) && task
      },
      60_000,
    ).catch(async (error) => {
      throw new Error(JSON.stringify(await taskOf(server, id)), { cause: error })
    })
  for (const id of queued) expect(await ended(id), id).toMatchObject({ status: 'SUCCESS', current: 40 })
  for (const id of local)
    expect(await ended(id), id).toMatchObject({ status: 'FAILURE', error: { type: 'ServerLost' } })
  // Celery 5.2 may stop taking messages when its broker was restarted (celery/celery #8030): whoever runs it starts it again.
  await end(celery.child)
  await celeryWorker(redis.url, 'prefork', '-c', '5')
  for (const id of inCelery) {
    const task = await ended(id)
    const isDone = task.status === 'SUCCESS' && task.result?.slept === 4
    // Celery gives up results that it cannot store, and messages that it had taken it takes again.
    const isLost = task.status === 'FAILURE' && task.error.type !== 'SubmitFailed'
    expect(isDone || isLost, JSON.stringify(task)).toBe(true)
  }
  // No job of the queue was run twice at a time.
  const notes = readFileSync(runs, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  for (const id of queued) {
    const own = notes.filter(({ taskId }: { taskId: string }) => taskId === id)
    const attempts = own.filter(({ what }: { what: string }) => what === 'begin')
    expect(attempts.length, id).toBeGreaterThan(0)
    for (const [i, { what }] of own.entries()) expect(what, id).toBe(i % 2 === 0 ? 'begin' : 'end')
  }
})
