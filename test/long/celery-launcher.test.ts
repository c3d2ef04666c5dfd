import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { end } from '../processes/lifetime.ts'
import { celeryWorker, type Pool, teamPython } from '../support/celery.ts'
import { dataDirectory } from '../support/data-directory.ts'
import {
  CANCEL,
  collect,
  currentsOf,
  eventsOf,
  kindsOf,
  report,
  run,
  START,
  WATCH,
  webSocketClient,
} from '../support/graphql.ts'
import { TestRedis, testRedis } from '../support/redis.ts'
import { type TestServer, testServer, trainersFile } from '../support/server.ts'
import { ENDS, taskOf, whenIs } from '../support/started-tasks.ts'
import { until } from '../support/until.ts'

/** As a team writes it: the trainers' configuration is all that knows of both. */
const TRAINERS = {
  tvae: {
    launcher: 'celery',
    task: 'tasks.gan_tasks.train_tvae_task',
    args: ['machineId', 'epochs'],
    channelPrefix: 'gan:training',
    params: {
      type: 'object',
      properties: { machine_id: { type: 'string' }, epochs: { type: 'integer', minimum: 1, default: 100 } },
    },
  },
  raising: { launcher: 'celery', task: 'tasks.odd_tasks.raising_task', args: ['machineId'] },
  exiting: { launcher: 'celery', task: 'tasks.odd_tasks.exiting_task', args: ['machineId'] },
  silent: { launcher: 'celery', task: 'tasks.odd_tasks.silent_task', args: ['machineId', 'epochs'] },
  expiring: {
    launcher: 'celery',
    task: 'tasks.odd_tasks.silent_task',
    args: ['machineId', 'epochs'],
    expires: 1,
  },
  unknown: { launcher: 'celery', task: 'tasks.no_such_task' },
  shape: {
    launcher: 'celery',
    task: 'tasks.odd_tasks.shape_task',
    args: ['taskId', 'channelPrefix', 'attempt', 'size'],
    kwargs: { machine: 'machineId', all: 'params' },
    queue: 'gpu',
    priority: 6,
  },
}

const DELETE = 'mutation ($input: DeleteTaskInput!) { deleteTask(input: $input) { taskId } }'

let redis: TestRedis
beforeAll(async () => {
  redis = await TestRedis.start()
})
afterAll(() => redis.close())

const serverOn = (url: string, more: Record<string, string> = {}) =>
  testServer({
    EPOCHCAST_TRAINERS: trainersFile({}, TRAINERS),
    EPOCHCAST_CELERY_BROKER: `${url}/0`,
    EPOCHCAST_BRIDGE: 'gan:training',
    EPOCHCAST_BRIDGE_URL: url,
    EPOCHCAST_KILL_GRACE_SECONDS: '3',
    ...more,
  })
const start = async (
  { url }: Pick<TestServer, 'url'>,
  trainer: string,
  more: Record<string, unknown> = {},
) => {
  const { startTraining } = await run(url, START, { input: { trainer, machineId: 'motor-1', ...more } })
  expect(startTraining.task.status).toBe('QUEUED')
  return startTraining.task.id as string
}

describe.each<Pool>(['prefork', 'solo'])(
  'a Celery worker (pool %s) that knows nothing of Epochcast',
  (pool) => {
    it('trains what is started here: queued, running, progress, success with its result', {
      timeout: 120_000,
    }, async () => {
      const server = await serverOn(redis.url)
      const id = await start(server, 'tvae', { epochs: 100 })
      const watched = collect(webSocketClient(server.webSocketUrl), WATCH, { taskId: id, last: 1000 })
      const worker = await celeryWorker(redis.url, pool)
      const task = await whenIs(server, id, ...ENDS)
      expect(task).toMatchObject({
        ...{ status: 'SUCCESS', current: 100, total: 100, progress: 100, epoch: 100 },
        result: { machine_id: 'motor-1', epochs: 100, final_loss: task.loss },
      })
      const events = await watched
      expect(currentsOf(events)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
      expect(kindsOf(events).filter((kind) => kind === 'StatusChanged')).toHaveLength(2)
      await until('the task to be over in Celery', () => worker.printed.err.includes(`[${id}] succeeded`))
    })

    it('that raises, or returns without a word, ends its task', { timeout: 120_000 }, async () => {
      const server = await serverOn(redis.url)
      await celeryWorker(redis.url, pool)
      const [raising, silent, unknown] = await Promise.all([
        start(server, 'raising'),
        start(server, 'silent', { epochs: 1 }),
        start(server, 'unknown'),
      ])
      expect(await whenIs(server, raising, ...ENDS)).toMatchObject({
        status: 'FAILURE',
        error: {
          type: 'ValueError',
          message: expect.stringMatching(/in raising_task[\s\S]*ValueError: no readings of motor-1$/),
        },
      })
      expect(await whenIs(server, silent, ...ENDS)).toMatchObject({ status: 'SUCCESS', result: { slept: 1 } })
      expect(await whenIs(server, unknown, ...ENDS)).toMatchObject({
        status: 'FAILURE',
        error: { type: 'NotRegistered' },
      })
    })

    it('gets what it is called with by name and place, from a queue with a priority', {
      timeout: 120_000,
    }, async () => {
      const server = await serverOn(redis.url)
      await celeryWorker(redis.url, pool, '-Q', 'gpu')
      const params = { size: 3, odd: ['ü', null, { a: 1.5 }] }
      const id = await start(server, 'shape', { params })
      expect(await whenIs(server, id, ...ENDS)).toMatchObject({
        status: 'SUCCESS',
        result: {
          args: [id, 'gan:training', 1, 3],
          kwargs: { machine: 'motor-1', all: { ...params, machine_id: 'motor-1' } },
        },
      })
    })
  },
)

/** SIGKILL to a worker and its children, as the kernel ends a machine's. */
async function killWorker(pid: number): Promise<void> {
  const parentOf = (each: string) => {
    try {
      return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${each}/status`, 'utf8'))?.[1])
    } catch {
      return null
    }
  }
  const children = readdirSync('/proc').filter((each) => /^\d+$/.test(each) && parentOf(each) === pid)
  for (const each of [pid, ...children.map(Number)]) process.kill(each, 'SIGKILL')
}

describe('a Celery worker that is killed in mid-training', () => {
  const killed = async (pool: Pool, epochs: number) => {
    const own = await testRedis()
    const server = await serverOn(own.url)
    const worker = await celeryWorker(own.url, pool)
    const id = await start(server, 'tvae', { epochs })
    await until('progress', async () => (await taskOf(server, id)).current >= 20, 60_000)
    await killWorker(worker.child.pid as number)
    return { own, server, id }
  }

  it('fails its task, where its message is gone with it', { timeout: 120_000 }, async () => {
    const { server, id } = await killed('prefork', 10_000)
    expect(await whenIs(server, id, ...ENDS)).toMatchObject({
      status: 'FAILURE',
      error: { type: 'WorkerLost' },
    })
  })

  it('has its task wait for the next attempt, where the broker delivers it again', {
    timeout: 180_000,
  }, async () => {
    const { own, server, id } = await killed('solo', 300)
    expect(await whenIs(server, id, 'QUEUED')).toMatchObject({ attempt: 2, current: null })
    await celeryWorker(own.url, 'solo')
    expect(await whenIs(server, id, ...ENDS)).toMatchObject({ status: 'SUCCESS', attempt: 2, current: 300 })
  })
})

describe('a Celery task', () => {
  it('whose process exits without a word fails its task', { timeout: 120_000 }, async () => {
    const server = await serverOn(redis.url)
    await celeryWorker(redis.url, 'prefork')
    const id = await start(server, 'exiting')
    expect(await whenIs(server, id, ...ENDS)).toMatchObject({
      status: 'FAILURE',
      error: { type: 'WorkerLostError', message: expect.stringMatching(/exitcode 3/) },
    })
  })

  it('that is cancelled while it waits is run by no worker, also by one that comes later', {
    timeout: 120_000,
  }, async () => {
    const server = await serverOn(redis.url)
    const id = await start(server, 'tvae', { epochs: 100 })
    await until('the message', () => redis.run(async (client) => (await client.llen('celery')) === 1))
    await run(server.url, CANCEL, { input: { taskId: id } })
    expect(await whenIs(server, id, ...ENDS)).toMatchObject({ status: 'CANCELLED' })
    await until('the queue to be empty', () =>
      redis.run(async (client) => (await client.llen('celery')) === 0),
    )
    const worker = await celeryWorker(redis.url, 'solo')
    const next = await start(server, 'silent', { epochs: 1 })
    await whenIs(server, next, 'SUCCESS')
    expect(worker.printed.err).not.toContain(id)
  })

  it('that is cancelled while a worker holds it back, or runs it, ends as cancelled', {
    timeout: 120_000,
  }, async () => {
    const server = await serverOn(redis.url)
    const worker = await celeryWorker(redis.url, 'prefork', '-c', '1')
    const running = await start(server, 'tvae', { epochs: 10_000 })
    await until('progress', async () => (await taskOf(server, running)).current > 0, 60_000)
    const held = await start(server, 'tvae', { epochs: 10_000 })
    await until('the worker to have it', () => worker.printed.err.includes(`[${held}] received`))
    await run(server.url, CANCEL, { input: { taskId: held, reason: 'not this one' } })
    await run(server.url, CANCEL, { input: { taskId: running, reason: 'enough' } })
    expect(await whenIs(server, held, ...ENDS)).toMatchObject({
      status: 'CANCELLED',
      stopReason: 'not this one',
    })
    expect(await whenIs(server, running, ...ENDS)).toMatchObject({
      status: 'CANCELLED',
      stopReason: 'enough',
    })
    const next = await start(server, 'silent', { epochs: 1 })
    await whenIs(server, next, 'SUCCESS')
    expect(worker.printed.err).toContain(`Discarding revoked task: tasks.gan_tasks.train_tvae_task[${held}]`)
  })

  it('that Celery itself revokes is cancelled, and one that no worker takes in its time has failed', {
    timeout: 120_000,
  }, async () => {
    const server = await serverOn(redis.url)
    const expired = await start(server, 'expiring', { epochs: 1 })
    await until('its time to be over', async () => {
      const message = await redis.run((client) => client.lindex('celery', 0))
      return message && Date.parse(JSON.parse(message).headers.expires) < Date.now()
    })
    await celeryWorker(redis.url, 'prefork')
    expect(await whenIs(server, expired, ...ENDS)).toMatchObject({
      status: 'FAILURE',
      error: { type: 'Expired' },
    })
    const id = await start(server, 'tvae', { epochs: 10_000 })
    await until('progress', async () => (await taskOf(server, id)).current > 0, 60_000)
    const code = `from tasks.app import app; app.control.revoke("${id}", terminate=True)`
    const { ended, printed } = teamPython(['-c', code], redis.url, { CELERY_BROKER_URL: `${redis.url}/0` })
    expect(await ended, printed.err).toBe(0)
    expect(await whenIs(server, id, ...ENDS)).toMatchObject({ status: 'CANCELLED' })
  })

  it('that is started again under the id of a deleted one is run and has its own end, whatever becomes of the other', {
    timeout: 120_000,
  }, async () => {
    const server = await serverOn(redis.url)
    await celeryWorker(redis.url, 'prefork', '-c', '2')
    const again = (epochs: number) => start(server, 'silent', { epochs, idempotencyKey: 'again' })
    const id = await again(1)
    expect(await whenIs(server, id, ...ENDS)).toMatchObject({ result: { slept: 1 } })
    const drop = () => run(server.url, DELETE, { input: { taskId: id } })
    await drop()
    expect(await again(4)).toBe(id)
    await whenIs(server, id, 'RUNNING')
    // It is told as ended while it still runs, and its success will be in the way of the next one's.
    await report(server.url, id, { success: {} })
    await drop()
    expect(await again(15)).toBe(id)
    expect(await whenIs(server, id, ...ENDS)).toMatchObject({ status: 'SUCCESS', result: { slept: 15 } })
  })

  it('is taken up by a server that is started again', { timeout: 120_000 }, async () => {
    const data = dataDirectory()
    const first = await serverOn(redis.url, { EPOCHCAST_DATA: data })
    await celeryWorker(redis.url, 'prefork', '-c', '2')
    const ids = [await start(first, 'silent', { epochs: 3 }), await start(first, 'tvae', { epochs: 10_000 })]
    await until('progress', async () => (await taskOf(first, ids[1] as string)).current > 0, 60_000)
    await first.close()
    const second = await serverOn(redis.url, { EPOCHCAST_DATA: data })
    expect(await whenIs(second, ids[0] as string, ...ENDS)).toMatchObject({
      status: 'SUCCESS',
      result: { slept: 3 },
    })
    await run(second.url, CANCEL, { input: { taskId: ids[1] } })
    expect(await whenIs(second, ids[1] as string, ...ENDS)).toMatchObject({ status: 'CANCELLED' })
  })
})

it('events of a Celery task are told to viewers as those of any other', { timeout: 60_000 }, async () => {
  const server = await serverOn(redis.url)
  const id = await start(server, 'raising')
  const watched = collect(webSocketClient(server.webSocketUrl), WATCH, { taskId: id, last: 10 })
  const worker = await celeryWorker(redis.url, 'solo')
  expect(eventsOf(await watched).map(({ __typename }) => __typename)).toEqual([
    'StreamOpened',
    'StatusChanged',
    'TrainingFailed',
    'StreamClosing',
  ])
  await end(worker.child)
})
