import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { CeleryBroker } from '../../src/launcher/celery/broker.ts'
import { CeleryLauncher } from '../../src/launcher/celery/celery-launcher.ts'
import { callIn, listsOf, taskMessage } from '../../src/launcher/celery/messages.ts'
import { resultIn } from '../../src/launcher/celery/results.ts'
import type { CeleryTrainer, Job, JobObserver, Submission } from '../../src/launcher/launcher.ts'
import type { ProcessEnd } from '../../src/task/lifecycle.ts'
import { LIMITS } from '../../src/task/limits.ts'
import { launcherContract } from '../contract/launcher.ts'
import { TestRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const trainer: CeleryTrainer = {
  ...{ name: 'tvae', launcher: 'celery', description: null, channelPrefix: null },
  ...{ task: 'tasks.gan_tasks.train_tvae_task', args: ['machineId', 'epochs'], kwargs: {} },
  ...{ queue: 'celery', priority: 0, expires: null, signal: 'SIGTERM' },
}
const submissionOf = (more: Partial<CeleryTrainer> = {}): Submission<CeleryTrainer> => ({
  key: { channelPrefix: 'gan:training', id: crypto.randomUUID() },
  startId: crypto.randomUUID(),
  trainer: { ...trainer, ...more },
  attempt: 1,
  params: { machine_id: 'motor-1', epochs: 5 },
  reportToken: 'secret',
})

let redis: TestRedis
beforeAll(async () => {
  redis = await TestRedis.start()
})
afterAll(() => redis.close())

const open = (observer: JobObserver, lookMs = 50) => {
  const connection = new Redis(redis.port, '127.0.0.1', { db: 3 })
  const options = { pollMs: 20, lookMs, killGraceMs: 1000, disconnect: () => connection.disconnect() }
  const onError = (error: unknown) => {
    throw error
  }
  return new CeleryLauncher(new CeleryBroker(connection, 3), connection, { ...options, onError }, observer)
}

function opened(lookMs?: number) {
  const ends = new Map<string, ProcessEnd>()
  const told: (readonly [what: string, attempt: number])[] = []
  const launcher = open(
    {
      started: ({ attempt }) => told.push(['started', attempt]),
      relaunched: ({ attempt }) => told.push(['relaunched', attempt]),
      ended: ({ startId }, end) => ends.set(startId, end),
    },
    lookMs,
  )
  onTestFinished(() => launcher.close())
  return { launcher, told, ends, endOf: ({ startId }: Job) => until('the end', () => ends.get(startId)) }
}

/** Commands on the broker's database. */
const onBroker = <T>(commands: (client: Redis) => Promise<T>) =>
  redis.run(async (client) => {
    await client.select(3)
    return commands(client)
  })
const messagesFor = ({ key }: Job) =>
  onBroker(async (client) => {
    const lists = await Promise.all(listsOf('celery').map((list) => client.lrange(list, 0, -1)))
    return lists.flat().filter((message) => callIn(message)?.id === key.id)
  })

describe('the Celery launcher', () => {
  launcherContract(
    async (observer) => open(observer),
    () => trainer,
  )

  it('puts a job into its queue once, however often it is submitted', async () => {
    const { launcher } = opened()
    const job = submissionOf({ priority: 4 })
    await Promise.all([launcher.submit(job), launcher.submit(job)])
    await launcher.submit(job)
    expect(await messagesFor(job)).toHaveLength(1)
    expect(await onBroker((client) => client.llen('celery\u0006\u00163'))).toBe(1)
  })

  it('takes a job that waits out of its queue, and leaves the others', async () => {
    const { launcher, endOf } = opened()
    const [job, other] = [submissionOf(), submissionOf()]
    await launcher.submit(job)
    await launcher.submit(other)
    await launcher.stop(job)
    expect(await endOf(job)).toMatchObject({ type: 'Cancelled', isCancelled: true })
    expect([await messagesFor(job), await messagesFor(other)]).toEqual([[], [expect.any(String)]])
  })

  it('tells the end of a job that nobody has any more, and that a report may bring it back', async () => {
    const { launcher, endOf } = opened()
    const [job, waiting] = [submissionOf(), submissionOf()]
    await launcher.submit(job)
    await launcher.submit(waiting)
    // A worker that has taken it, confirmed it and died.
    const [message] = await messagesFor(job)
    await onBroker((client) => client.lrem('celery', 1, message as string))
    expect(await endOf(job)).toMatchObject({ type: 'WorkerLost', isPresumed: true })
    expect(await messagesFor(waiting)).toHaveLength(1)
  })

  it('tells the next attempt of a job whose worker is gone, where the broker delivers it again', async () => {
    const { launcher, told } = opened()
    const job = submissionOf()
    await launcher.submit(job)
    const [message] = (await messagesFor(job)) as [string]
    await onBroker(async (client) => {
      await client.hset('unacked', 'tag', JSON.stringify([JSON.parse(message), '', 'celery']))
      await client.lrem('celery', 1, message)
    })
    await until('the next attempt', () => told.length > 0)
    expect(told).toEqual([['relaunched', 2]])
    await onBroker((client) => client.del('unacked'))
  })

  it('does not take a job for lost while a worker does not reply', async () => {
    const { launcher, told } = opened()
    const job = submissionOf()
    // As a worker of the pool solo, which runs its task in its only thread.
    const worker = new Redis(redis.port, '127.0.0.1')
    onTestFinished(() => worker.disconnect())
    let asked = 0
    worker.on('message', () => asked++)
    await worker.subscribe('/3.celery.pidbox')
    await launcher.submit(job)
    const [message] = (await messagesFor(job)) as [string]
    await onBroker((client) => client.lrem('celery', 1, message))
    const ended = opened()
    await ended.launcher.adopt([job])
    await until('it to be asked several times', () => asked >= 8, 30_000)
    expect(told).toEqual([])
    worker.disconnect()
    expect(await ended.endOf(job)).toMatchObject({ type: 'WorkerLost' })
  })

  it('gives a job that it followed before it was queued its time from then on', async () => {
    const LOOK_MS = 300
    const { launcher } = opened()
    const adopting = opened(LOOK_MS)
    const job = submissionOf()
    await adopting.launcher.adopt([job])
    // For more looks than a job has that nobody has.
    await sleep(6.5 * LOOK_MS)
    await launcher.submit(job)
    const [message] = (await messagesFor(job)) as [string]
    const since = performance.now()
    await onBroker((client) => client.lrem('celery', 1, message))
    expect(await adopting.endOf(job)).toMatchObject({ type: 'WorkerLost' })
    expect(performance.now() - since).toBeGreaterThan(1.5 * LOOK_MS)
  })

  it('tells what the result backend has, also of a job of another server', async () => {
    const { launcher, told, endOf } = opened()
    const job = submissionOf()
    await launcher.adopt([job])
    const set = (meta: object) =>
      onBroker((client) => client.set(`celery-task-meta-${job.key.id}`, JSON.stringify(meta)))
    await set({ status: 'STARTED', result: { pid: 1 } })
    await until('its start', () => told.length > 0)
    await set({ status: 'SUCCESS', result: { loss: 0.5 } })
    expect(await endOf(job)).toMatchObject({ isSuccess: true, result: { loss: 0.5 } })
    expect(told).toEqual([['started', 1]])
  })
})

describe('a start of a task that was started before under its id', () => {
  const started = () => {
    const first = submissionOf()
    return { first, second: { ...first, startId: crypto.randomUUID() } }
  }
  const keyOf = ({ key }: Job) => `celery-task-meta-${key.id}`
  const metaOf = (job: Job, loss: number) =>
    JSON.stringify({ status: 'SUCCESS', result: { loss }, parent_id: `epochcast:${job.startId}` })
  const set = (job: Job, meta: string) => onBroker((client) => client.set(keyOf(job), meta))
  /** As a worker that takes the message of a job. */
  const take = (job: Job) =>
    onBroker(async (client) => {
      const found = (await messagesFor(job)).filter((message) => callIn(message)?.startId === job.startId)
      expect(found).toHaveLength(1)
      await client.lrem('celery', 1, found[0] as string)
    })
  /** The methods of remote control that a worker is told, which does not reply. */
  const silentWorker = async () => {
    const worker = new Redis(redis.port, '127.0.0.1')
    onTestFinished(() => worker.disconnect())
    const methods: string[] = []
    worker.on('message', (_, message: string) => {
      methods.push(JSON.parse(Buffer.from(JSON.parse(message).body, 'base64').toString()).method)
    })
    await worker.subscribe('/3.celery.pidbox')
    return methods
  }

  it.each(['the start that it is of', 'no start'])(
    'is run, and has its own end, though a result is left that names %s',
    async (named) => {
      const { launcher, ends, endOf } = opened()
      const { first, second } = started()
      const name = (job: Job, loss: number) =>
        named === 'no start' ? JSON.stringify({ status: 'SUCCESS', result: { loss } }) : metaOf(job, loss)
      await launcher.submit(first)
      await take(first)
      await set(first, name(first, 1))
      expect(await endOf(first)).toMatchObject({ result: { loss: 1 } })
      // Another server has adopted it before it is in its queue, for longer than what is seen of an end waits to be told.
      const adopting = opened()
      await adopting.launcher.adopt([second])
      await sleep(2000)
      // So that nobody counts as lost who has just taken it.
      await silentWorker()
      await launcher.submit(second)
      expect([await messagesFor(second), await onBroker((client) => client.get(keyOf(first)))]).toEqual([
        [expect.any(String)],
        null,
      ])
      await take(second)
      expect([ends.size, adopting.ends.size]).toEqual([1, 0])
      await set(second, name(second, 2))
      // Its submission is repeated, as its reply was lost.
      await launcher.submit(second)
      for (const told of [endOf, adopting.endOf])
        expect(await told(second)).toMatchObject({ result: { loss: 2 } })
      expect(await messagesFor(second)).toEqual([])
    },
  )

  it('is not told the end of the one before, which comes late and is in the way of its own', async () => {
    const { launcher, ends, endOf } = opened()
    const { first, second } = started()
    await launcher.submit(first)
    await take(first)
    await launcher.submit(second)
    await set(first, metaOf(first, 1))
    await until('that to be removed', async () => !(await onBroker((client) => client.exists(keyOf(first)))))
    await set(second, metaOf(second, 2))
    expect(await endOf(second)).toMatchObject({ result: { loss: 2 } })
    expect([...ends.keys()]).toEqual([second.startId])
  })

  it('takes the place of one that still waits', async () => {
    const { launcher } = opened()
    const { first, second } = started()
    for (const job of [first, second, first]) await launcher.submit(job)
    const messages = await messagesFor(second)
    expect(messages.map((message) => callIn(message)?.startId)).toEqual([second.startId])
  })

  it('is not ended with the one before, which workers know by the same id', async () => {
    const { launcher, ends } = opened()
    const { first, second } = started()
    const methods = await silentWorker()
    await launcher.submit(first)
    await take(first)
    await launcher.submit(second)
    await launcher.stop(first)
    await until('the first to be forgotten', () => launcher.followedCount === 1, 30_000)
    expect(methods).not.toContain('revoke')
    await take(second)
    await launcher.stop(second)
    await until('the word to workers', () => methods.includes('revoke'))
    expect(ends.size).toBe(0)
  })
})

describe('a message of Celery', () => {
  const contentOf = (job: Submission<CeleryTrainer>) => {
    const message = JSON.parse(taskMessage(job, 0))
    return { ...message, body: JSON.parse(Buffer.from(message.body, 'base64').toString()) }
  }

  it('calls the task under our id, with the arguments that its trainer names', () => {
    const job = submissionOf({
      args: ['machineId', 'epochs', 'nothing'],
      kwargs: { task: 'taskId', prefix: 'channelPrefix', n: 'attempt', token: 'reportToken', all: 'params' },
    })
    const { body, headers, properties } = contentOf(job)
    const { id } = job.key
    expect(body.slice(0, 2)).toEqual([
      ['motor-1', 5, null],
      { task: id, prefix: 'gan:training', n: 1, token: 'secret', all: job.params },
    ])
    expect(headers).toMatchObject({
      id,
      root_id: id,
      task: trainer.task,
      expires: null,
      retries: 0,
      lang: 'py',
    })
    expect(properties).toMatchObject({ correlation_id: id, body_encoding: 'base64', priority: 0 })
  })

  it('expires where its trainer does', () => {
    const { headers, properties } = contentOf(submissionOf({ expires: 60 }))
    expect([headers.expires, properties.expiration]).toEqual(['1970-01-01T00:01:00.000Z', '60000'])
  })
})

describe('a result of Celery', () => {
  const endIn = (meta: object) => {
    const result = resultIn(JSON.stringify(meta))
    return result?.kind === 'ended' ? result.end : result
  }

  it.each([
    ['nothing', null],
    ['no JSON', '{'],
    ['another thing', '7'],
    ['a task that waits', '{"status": "PENDING"}'],
  ])('that is %s says nothing', (_, text) => {
    expect(resultIn(text)).toBeNull()
  })

  it('of a task that raised has the end of its traceback', () => {
    const traceback = `${'x'.repeat(LIMITS.errorLength)}\nValueError: no rows\n`
    const end = endIn({
      status: 'FAILURE',
      result: { exc_type: 'ValueError', exc_message: ['no rows'] },
      traceback,
    })
    expect(end).toMatchObject({ type: 'ValueError', message: expect.stringMatching(/ValueError: no rows$/) })
    expect((end as ProcessEnd).message).toHaveLength(LIMITS.errorLength)
  })

  it('may be of an odd shape', () => {
    expect(endIn({ status: 'FAILURE' })).toMatchObject({ type: 'Exception' })
    expect(endIn({ status: 'FAILURE', result: { exc_type: 7, exc_message: { a: 1 } } })).toEqual({
      type: 'Exception',
      message: '{"a":1}',
    })
    expect(endIn({ status: 'REVOKED', result: null })).toMatchObject({ type: 'Revoked', isCancelled: true })
    expect(endIn({ status: 'REVOKED', result: { exc_message: ['expired'] } })).toMatchObject({
      type: 'Expired',
    })
  })

  it('that is too large is a success without it', () => {
    expect(endIn({ status: 'SUCCESS', result: 'x'.repeat(LIMITS.resultBytes) })).toMatchObject({
      isSuccess: true,
      result: null,
    })
  })
})
