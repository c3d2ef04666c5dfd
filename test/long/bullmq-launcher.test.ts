import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { end } from '../processes/lifetime.ts'
import { dataDirectory } from '../support/data-directory.ts'
import {
  CANCEL,
  collect,
  type Data,
  eventsOf,
  run,
  START,
  WATCH,
  webSocketClient,
} from '../support/graphql.ts'
import { queueWorker } from '../support/queue-worker.ts'
import { TestRedis, testRedis } from '../support/redis.ts'
import { type TestServer, testServer, trainersFile } from '../support/server.ts'
import { ENDS, taskOf, whenIs } from '../support/started-tasks.ts'
import { until } from '../support/until.ts'

const SCRIPTS = {
  quick: `
    console.log('attempt', attempt, 'of', taskId)
    for (let current = 1; current <= 5; current++) await report({ progress: { current, total: 5 } })
    await report({ success: { result: { attempt, pid: process.pid } } })`,
  steady: `
    for (let current = 1; ; current++) {
      await report({ progress: { current } })
      await new Promise((done) => setTimeout(done, 50))
      if (attempt > 1 && current === 5) break
    }
    await report({ success: { result: { attempt } } })`,
  endless: `
    for (let current = 1; ; current++) {
      const { stopRequested } = await report({ progress: { current } })
      if (stopRequested && params.obeys) break
      await new Promise((done) => setTimeout(done, 50))
    }`,
  failing: `
    await report({ progress: { current: attempt } })
    process.exit(3)`,
  third: `
    if (attempt < 3) process.exit(1)
    await report({ success: { result: { attempt } } })`,
}
const QUEUED = { launcher: 'bullmq', backoff: { delay: 0.2 } }
const MORE = {
  quick: QUEUED,
  steady: QUEUED,
  endless: QUEUED,
  failing: { ...QUEUED, attempts: 2 },
  third: QUEUED,
  once: { ...QUEUED, attempts: 1 },
  delayed: { ...QUEUED, delay: 3600 },
  expiring: { ...QUEUED, ttl: 1 },
}

let redis: TestRedis
beforeAll(async () => {
  redis = await TestRedis.start()
})
afterAll(() => redis.close())

/** A server, workers for it, and a queue that no other test has. */
async function setUp(more: Record<string, string> = {}) {
  const scripts = { ...SCRIPTS, once: SCRIPTS.endless, delayed: SCRIPTS.quick, expiring: SCRIPTS.quick }
  const env = {
    EPOCHCAST_TRAINERS: trainersFile(scripts, MORE),
    EPOCHCAST_QUEUE_URL: redis.url,
    EPOCHCAST_QUEUE_PREFIX: `q-${crypto.randomUUID().slice(0, 8)}`,
    EPOCHCAST_QUEUE_LOCK_SECONDS: '4',
    EPOCHCAST_STOP_GRACE_SECONDS: '2',
    EPOCHCAST_KILL_GRACE_SECONDS: '1',
    ...more,
  }
  const server = await testServer(env)
  return { env, server, worker: (...args: string[]) => queueWorker(env, ...args) }
}
const start = async ({ url }: Pick<TestServer, 'url'>, trainer: string, more: object = {}) =>
  (await run(url, START, { input: { trainer, ...more } })).startTraining.task.id as string
const eventsFor = async ({ webSocketUrl }: TestServer, taskId: string) =>
  eventsOf(await collect(webSocketClient(webSocketUrl), WATCH, { taskId, last: 10_000 }))
/** Every change of status, with the attempt that it is of. */
const changesOf = async (
  { webSocketUrl }: TestServer,
  taskId: string,
): Promise<[string, number, string | null][]> => {
  const query = `subscription ($taskId: ID!) {
    trainingProgress(taskId: $taskId, last: 10000) { ... on StatusChanged { status attempt message } }
  }`
  return eventsOf(await collect(webSocketClient(webSocketUrl), query, { taskId })).flatMap(
    ({ status, attempt, message }) => (status === undefined ? [] : [[status, attempt, message]]),
  )
}

describe('workers of a BullMQ queue', () => {
  it('share ten jobs, each of which is run once', { timeout: 120_000 }, async () => {
    const { server, worker } = await setUp()
    const workers = await Promise.all([worker('--concurrency', '2'), worker('--concurrency', '2')])
    const ids = await Promise.all(Array.from({ length: 10 }, () => start(server, 'quick')))
    for (const id of ids) {
      expect(await whenIs(server, id, ...ENDS)).toMatchObject({ status: 'SUCCESS', attempt: 1, current: 5 })
    }
    const begun = workers.map(({ printed }) => printed.out.match(/is run \(attempt 1\)/g)?.length ?? 0)
    expect(begun[0]).toBeGreaterThan(0)
    expect(begun[1]).toBeGreaterThan(0)
    expect((begun[0] as number) + (begun[1] as number)).toBe(10)
  })

  it('ends in order where it has nothing to do and Redis is away', { timeout: 60_000 }, async () => {
    const own = await testRedis()
    const trainers = trainersFile({ quick: SCRIPTS.quick }, { quick: QUEUED })
    const env = { EPOCHCAST_TRAINERS: trainers, EPOCHCAST_QUEUE_URL: own.url }
    const { child, ended, printed } = await queueWorker(env)
    await own.end()
    await until('it to notice', () => printed.out.includes('Redis is out of reach'))
    child.kill('SIGTERM')
    expect(await ended, printed.out).toBe(0)
  })

  it('may come later than the jobs', { timeout: 60_000 }, async () => {
    const { server, worker } = await setUp()
    const id = await start(server, 'quick')
    expect((await taskOf(server, id)).status).toBe('QUEUED')
    await worker()
    const events = await eventsFor(server, id)
    expect(await changesOf(server, id)).toEqual([
      ['QUEUED', 1, null],
      ['RUNNING', 1, null],
    ])
    expect(events.at(-2)).toMatchObject({ __typename: 'TrainingSucceeded', result: { attempt: 1 } })
    const OUTPUT =
      'query ($id: ID!) { task(id: $id) { output(first: 10) { edges { node { text stream } } } } }'
    const edges = await until('what it printed', async () => {
      const { task } = await run(server.url, OUTPUT, { id })
      return task.output.edges.length > 0 && task.output.edges
    })
    expect(edges).toEqual([{ node: { text: `attempt 1 of ${id}`, stream: 'STDOUT' } }])
  })

  it('that are killed in mid-training leave the next attempt to another, and viewers are told', {
    timeout: 120_000,
  }, async () => {
    const { server, worker } = await setUp()
    const first = await worker()
    const id = await start(server, 'steady')
    await until('progress', async () => (await taskOf(server, id)).current >= 5, 30_000)
    await end(first.child)
    await worker()
    expect(await whenIs(server, id, ...ENDS)).toMatchObject({
      status: 'SUCCESS',
      attempt: 2,
      result: { attempt: 2 },
    })
    const changes = await changesOf(server, id)
    expect(changes.slice(0, 2)).toEqual([
      ['QUEUED', 1, null],
      ['RUNNING', 1, null],
    ])
    // Told by the queue, or by the first report of the attempt, whichever came first.
    expect(changes.at(-1)?.slice(0, 2)).toEqual(['RUNNING', 2])
    const reasons = changes.flatMap(([, attempt, message]) =>
      attempt === 2 && message !== null ? [message] : [],
    )
    expect(reasons.every((reason) => reason === 'attempt 2: the worker of the last one was lost')).toBe(true)
  })

  it('that are killed at the last attempt fail their task, even where no other is there', {
    timeout: 120_000,
  }, async () => {
    const { server, worker } = await setUp()
    const only = await worker()
    const id = await start(server, 'once')
    await until('progress', async () => (await taskOf(server, id)).current >= 3, 30_000)
    await end(only.child)
    expect(await whenIs(server, id, ...ENDS)).toMatchObject({
      status: 'FAILURE',
      error: { type: 'WorkerLost', message: expect.stringMatching(/launched 1 times at most/) },
    })
  })

  it('that are stopped leave the next attempt to another', { timeout: 60_000 }, async () => {
    const { server, worker } = await setUp()
    const first = await worker()
    const id = await start(server, 'steady')
    await until('progress', async () => (await taskOf(server, id)).current >= 3, 30_000)
    await end(first.child, 'SIGTERM')
    expect(first.child.exitCode).toBe(0)
    await worker()
    expect(await whenIs(server, id, ...ENDS)).toMatchObject({ status: 'SUCCESS', attempt: 2 })
    const [, , next] = await changesOf(server, id)
    expect(next).toEqual([
      'QUEUED',
      2,
      expect.stringMatching(/^attempt 2: WorkerStopped: the worker stopped/),
    ])
  })
})

describe('a job of a BullMQ queue', () => {
  it('is tried again after an exit code, and fails once its attempts are used up', {
    timeout: 60_000,
  }, async () => {
    const { server, worker } = await setUp()
    await worker('--concurrency', '2')
    const [third, failing] = [await start(server, 'third'), await start(server, 'failing')]
    expect(await whenIs(server, third, ...ENDS)).toMatchObject({ status: 'SUCCESS', result: { attempt: 3 } })
    expect(await whenIs(server, failing, ...ENDS)).toMatchObject({
      ...{
        status: 'FAILURE',
        attempt: 2,
        error: { type: 'ExitCode', message: expect.stringMatching(/code 3/) },
      },
    })
    expect((await changesOf(server, failing)).map(([, attempt]) => attempt)).toEqual(
      expect.arrayContaining([1, 2]),
    )
  })

  it.each([
    ['waits', 'quick'],
    ['is delayed', 'delayed'],
  ])('that is cancelled while it %s is run by no worker', { timeout: 60_000 }, async (_, trainer) => {
    const { server, worker } = await setUp()
    const id = await start(server, trainer)
    await run(server.url, CANCEL, { input: { taskId: id } })
    expect(await whenIs(server, id, ...ENDS)).toMatchObject({ status: 'CANCELLED' })
    const only = await worker()
    await whenIs(server, await start(server, 'quick'), 'SUCCESS')
    expect(only.printed.out).not.toContain(id)
  })

  it.each([
    ['asks to be stopped', { obeys: true }],
    ['does not', { obeys: false }],
  ])(
    'that is cancelled while it runs is over, where its trainer %s',
    { timeout: 60_000 },
    async (_, params) => {
      const { server, worker } = await setUp()
      await worker()
      const id = await start(server, 'endless', { params })
      await until('progress', async () => (await taskOf(server, id)).current >= 3, 30_000)
      await run(server.url, CANCEL, { input: { taskId: id, reason: 'enough' } })
      expect(await whenIs(server, id, ...ENDS)).toMatchObject({
        status: 'CANCELLED',
        stopReason: 'enough',
        attempt: 1,
      })
      // Its place is free again.
      await whenIs(server, await start(server, 'quick'), 'SUCCESS')
    },
  )

  it('that no worker takes in its time fails', { timeout: 60_000 }, async () => {
    const { server } = await setUp()
    const id = await start(server, 'expiring')
    expect(await whenIs(server, id, ...ENDS)).toMatchObject({ status: 'FAILURE', error: { type: 'Expired' } })
  })

  it('is taken up by a server that is started again', { timeout: 60_000 }, async () => {
    const { env, server, worker } = await setUp({ EPOCHCAST_DATA: dataDirectory(), PORT: '0' })
    await worker('--concurrency', '2')
    const [failing, waiting] = [
      await start(server, 'once', { params: { obeys: true } }),
      await start(server, 'delayed'),
    ]
    await until('progress', async () => (await taskOf(server, failing)).current >= 3, 30_000)
    await server.close()
    const again = await testServer(env)
    // Its trainer reports to the server that is gone, and fails.
    expect(await whenIs(again, failing, ...ENDS)).toMatchObject({
      status: 'FAILURE',
      error: { type: 'ExitCode' },
    })
    await run(again.url, CANCEL, { input: { taskId: waiting } })
    expect(await whenIs(again, waiting, ...ENDS)).toMatchObject({ status: 'CANCELLED' })
  })

  it('of a plain producer is registered, run, and ends as it ended', { timeout: 60_000 }, async () => {
    const { env, server } = await setUp()
    const worker = await queueWorker({ ...env, EPOCHCAST_REPORT_URL: server.url }, '--concurrency', '2')
    const connection = new Redis(redis.port, '127.0.0.1')
    const queue = new Queue('training', { connection, prefix: env.EPOCHCAST_QUEUE_PREFIX })
    onTestFinished(async () => {
      await queue.close()
      connection.disconnect()
    })
    await queue.add('a run', { trainer: 'quick', name: 'by hand', params: { machine_id: 'motor-7' } })
    await queue.add('a run', { trainer: 'failing' }, { attempts: 1 })
    await queue.add('a run', { trainer: 'none' })
    await queue.add('a run', { nothing: true })
    const listed = await until(
      'the tasks',
      async () => {
        const { tasks } = await run(
          server.url,
          '{ tasks { edges { node { name status error { type } machineId } } } }',
        )
        const nodes = tasks.edges.map(({ node }: Data) => node)
        return nodes.length === 3 && nodes.every(({ status }: Data) => ENDS.includes(status)) && nodes
      },
      30_000,
    )
    expect(listed).toEqual(
      expect.arrayContaining([
        { name: 'by hand', status: 'SUCCESS', error: null, machineId: 'motor-7' },
        { name: null, status: 'FAILURE', error: { type: 'ExitCode' }, machineId: null },
        { name: null, status: 'FAILURE', error: { type: 'TrainerNotFound' }, machineId: null },
      ]),
    )
    await until('the one that is no training', () =>
      worker.printed.out.includes('the job is none of a training'),
    )
  })
})

it('a worker says what is wrong with its configuration', { timeout: 60_000 }, async () => {
  const { env } = await setUp()
  await expect(queueWorker(env, '--queue', 'other')).rejects.toThrow(/has no trainer .* for queue "other"/)
  await expect(queueWorker({ ...env, EPOCHCAST_QUEUE_URL: '' })).rejects.toThrow(
    /EPOCHCAST_QUEUE_URL nor REDIS_URL/,
  )
  await expect(queueWorker(env, '--concurrency', '0')).rejects.toThrow(/from 1 to 256/)
})
