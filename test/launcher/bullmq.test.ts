import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Queue } from 'bullmq'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { BullMQLauncher } from '../../src/launcher/bullmq/bullmq-launcher.ts'
import { openQueueConnection } from '../../src/launcher/bullmq/connection.ts'
import { endInReason, endInReturn, jobDataIn, jobIdOf, reasonOf } from '../../src/launcher/bullmq/job-data.ts'
import { type PlainJobs, QueueWorker, type WorkerLine } from '../../src/launcher/bullmq/queue-worker.ts'
import type { BullMQTrainer, Job, JobObserver, Submission } from '../../src/launcher/launcher.ts'
import { EpochcastError } from '../../src/task/errors.ts'
import type { ProcessEnd } from '../../src/task/lifecycle.ts'
import { TrainerEnv } from '../../src/trainer-env.ts'
import { launcherContract } from '../contract/launcher.ts'
import { dataDirectory } from '../support/data-directory.ts'
import { TestRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const LOCK_MS = 2000

let redis: TestRedis
beforeAll(async () => {
  redis = await TestRedis.start()
})
afterAll(() => redis.close())

const connect = (isWorker: boolean) =>
  openQueueConnection(redis.url, { isWorker, commandTimeoutMs: 3000, onLost: () => {}, onReady: () => {} })
const onError = (error: unknown) => {
  throw error
}

async function open(observer: JobObserver, prefix = `q-${crypto.randomUUID()}`): Promise<BullMQLauncher> {
  const [commands, waiting] = [connect(false), connect(true)]
  await until('the connection', () => commands.status === 'ready')
  return new BullMQLauncher(
    commands,
    waiting,
    {
      ...{ prefix, lockMs: LOCK_MS, pollMs: 20, onError, reportUrl: () => 'http://127.0.0.1:1/graphql' },
      disconnect: () => {
        commands.disconnect()
        waiting.disconnect()
      },
    },
    observer,
  )
}

const trainerOf = (script: string, more: Partial<BullMQTrainer> = {}): BullMQTrainer => ({
  ...{ name: 'test', launcher: 'bullmq', description: null, channelPrefix: null },
  ...{
    command: ['/bin/sh', '-c', script],
    cwd: '/',
    env: {},
    passEnv: [],
    endsByExit: true,
    speaksKubeflow: false,
    hasSystemMetrics: false,
  },
  ...{ queue: 'training', priority: 0, delayMs: 0, attempts: 1, ttlMs: null },
  backoff: { type: 'fixed', delayMs: 10 },
  ...more,
})
const submissionOf = (trainer: BullMQTrainer): Submission<BullMQTrainer> => ({
  key: { channelPrefix: 'gan:training', id: crypto.randomUUID() },
  startId: crypto.randomUUID(),
  ...{ trainer, attempt: 1, params: {}, reportToken: null },
})

type Again = Submission<BullMQTrainer>

const NO_SERVER: PlainJobs = {
  register: () => Promise.reject(new Error('no server')),
  end: () => Promise.reject(new Error('no server')),
}

/** A launcher, and a worker for its queue in this process. */
async function withWorker(trainer: BullMQTrainer, plain: PlainJobs = NO_SERVER) {
  const prefix = `q-${crypto.randomUUID()}`
  const ends = new Map<string, ProcessEnd>()
  const lines: WorkerLine[] = []
  const told: (readonly [what: string, attempt: number, why?: string])[] = []
  const launcher = await open(
    {
      started: ({ attempt }) => told.push(['started', attempt]),
      relaunched: ({ attempt }, why) => told.push(['relaunched', attempt, ...(why ? [why] : [])] as never),
      ended: ({ startId }, end) => ends.set(startId, end),
    },
    prefix,
  )
  const connection = connect(true)
  const worker = new QueueWorker(connection, {
    ...{
      queue: 'training',
      concurrency: 2,
      prefix,
      lockMs: LOCK_MS,
      reportUrl: null,
      onError,
      linesPerSecond: 100,
      systemMetricsMs: null,
    },
    ...{ env: new TrainerEnv(process.env, []), stopGraceMs: 0, killGraceMs: 500 },
    find: (name) => (name === trainer.name ? trainer : undefined),
    plain,
    log: (line) => lines.push(line),
  })
  worker.start()
  onTestFinished(async () => {
    await worker.close()
    connection.disconnect()
    await launcher.close()
  })
  const endOf = ({ startId }: Job) => until('the end', () => ends.get(startId))
  return { launcher, worker, told, lines, prefix, endOf }
}

/** Puts jobs into a queue as others do. */
async function producer(prefix: string): Promise<Queue> {
  const connection = connect(false)
  await until('the connection', () => connection.status === 'ready')
  const queue = new Queue('training', { connection, prefix })
  onTestFinished(async () => {
    await queue.close()
    connection.disconnect()
  })
  return queue
}

describe('the BullMQ launcher', () => {
  launcherContract(
    (observer) => open(observer),
    (command) => ({ ...trainerOf(''), command }),
  )

  it('has a worker run a job, and tells its start and its end', async () => {
    const { launcher, told, endOf } = await withWorker(trainerOf('sleep 0.3'))
    const job = submissionOf(trainerOf(''))
    await launcher.submit(job)
    expect(await endOf(job)).toMatchObject({ type: 'Exit', isSuccess: true })
    expect(told).toEqual([['started', 1]])
  })

  it('runs what is started again under the id of a job that is over, or still runs, and tells each its own end', async () => {
    const runs = join(dataDirectory(), '..', 'runs')
    const script = `echo run >> ${runs}; [ $(wc -l < ${runs}) = 2 ] && sleep 60; exit 0`
    const { launcher, endOf } = await withWorker(trainerOf(script))
    const first = submissionOf(trainerOf(''))
    const [second, third] = ['second', 'third'].map((startId) => ({ ...first, startId })) as [Again, Again]
    await launcher.submit(first)
    expect(await endOf(first)).toMatchObject({ type: 'Exit' })
    await launcher.submit(second)
    await until('it to run', () => readFileSync(runs, 'utf8') === 'run\n'.repeat(2))
    await launcher.submit(third)
    expect(await endOf(third)).toMatchObject({ type: 'Exit' })
    await launcher.stop(second)
    expect(await endOf(second)).toMatchObject({ type: 'Signal' })
    expect(readFileSync(runs, 'utf8')).toBe('run\n'.repeat(3))
  })

  it('tells the next attempt and why, and the end once attempts are used up', async () => {
    const trainer = trainerOf('echo no data >&2; sleep 0.1; exit 3', {
      attempts: 2,
      backoff: { type: 'fixed', delayMs: 300 },
    })
    const { launcher, told, endOf } = await withWorker(trainer)
    const job = submissionOf(trainer)
    await launcher.submit(job)
    expect(await endOf(job)).toMatchObject({
      type: 'ExitCode',
      message: expect.stringMatching(/code 3.*no data/s),
    })
    expect(told.map(([what, attempt]) => [what, attempt])).toEqual([
      ['started', 1],
      ['relaunched', 2],
      ['started', 2],
    ])
    expect(told[1]?.[2]).toMatch(/^ExitCode: the trainer exited with code 3/)
  })

  it('stops a job that runs, and drops one that is delayed', async () => {
    const ready = join(dataDirectory(), '..', 'ready')
    const { launcher, endOf } = await withWorker(trainerOf(`touch ${ready}; sleep 60`))
    const running = submissionOf(trainerOf(''))
    const delayed = submissionOf(trainerOf('', { delayMs: 60_000 }))
    for (const job of [running, delayed]) await launcher.submit(job)
    await until('the trainer', () => existsSync(ready))
    for (const job of [running, delayed]) await launcher.stop(job)
    expect(await endOf(delayed)).toMatchObject({ type: 'Cancelled', isCancelled: true })
    expect(await endOf(running)).toMatchObject({ type: 'Signal' })
  })

  it('tells the end of a job that somebody has removed, and that a report may bring it back', async () => {
    const { launcher, prefix, endOf } = await withWorker(trainerOf(''))
    const job = submissionOf(trainerOf('', { delayMs: 60_000 }))
    await launcher.submit(job)
    const queue = await producer(prefix)
    expect(await queue.remove(jobIdOf(job))).toBe(1)
    expect(await endOf(job)).toMatchObject({ type: 'JobLost', isPresumed: true })
  })

  it('refuses a trainer that the worker does not know', async () => {
    const { launcher, endOf } = await withWorker(trainerOf(''))
    const job = submissionOf(trainerOf('', { name: 'other', attempts: 3 }))
    await launcher.submit(job)
    expect(await endOf(job)).toMatchObject({
      type: 'TrainerNotFound',
      message: expect.stringMatching(/"other"/),
    })
  })

  it('says that the queue is out of reach, so that it is tried again', async () => {
    const own = await TestRedis.start()
    const dead = { isWorker: false, commandTimeoutMs: 300, onLost: () => {}, onReady: () => {} }
    const [commands, waiting] = [
      openQueueConnection(own.url, dead),
      openQueueConnection(own.url, { ...dead, isWorker: true }),
    ]
    await until('the connection', () => commands.status === 'ready')
    await own.close()
    await until('its loss', () => commands.status !== 'ready')
    const launcher = new BullMQLauncher(
      commands,
      waiting,
      {
        ...{ prefix: 'q', lockMs: LOCK_MS, onError, reportUrl: () => '' },
        disconnect: () => {
          commands.disconnect()
          waiting.disconnect()
        },
      },
      { started: () => {}, relaunched: () => {}, ended: () => {} },
    )
    const job = submissionOf(trainerOf(''))
    await expect(launcher.submit(job)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    await expect(launcher.stop(job)).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' })
    await launcher.close()
  })
})

describe('a job that no server put into the queue', () => {
  it('waits for a server that is away, and is run once', async () => {
    const away = () => Promise.reject(new EpochcastError('ENGINE_UNAVAILABLE', 'the server is away'))
    const asked = { register: 0, end: 0 }
    const ends: ProcessEnd[] = []
    const task = { key: submissionOf(trainerOf('')).key, reportToken: null, reportUrl: 'http://127.0.0.1:1' }
    const { prefix, lines } = await withWorker(trainerOf('sleep 0.1'), {
      register: () => (asked.register++ < 2 ? away() : Promise.resolve(task)),
      end: async (_, __, end) => {
        if (asked.end++ < 1) return away()
        ends.push(end)
      },
    })
    const queue = await producer(prefix)
    const job = await queue.add('a run', { trainer: 'test' }, { attempts: 2 })
    await until('its end', () => job.isCompleted())
    expect(ends).toMatchObject([{ type: 'Exit', isSuccess: true }])
    expect(lines.map(({ what, attempt }) => [what, attempt])).toEqual(
      ['waits', 'begins', 'waits', 'ended'].map((what) => [what, 1]),
    )
  })

  it('says in the log why it cannot be registered', async () => {
    const { prefix, lines } = await withWorker(trainerOf(''))
    const queue = await producer(prefix)
    const job = await queue.add('a run', { trainer: 'test' })
    await until('its end', () => job.isFailed())
    expect(lines).toEqual([{ what: 'refused', job: job.id, attempt: 1, why: 'no server' }])
  })
})

describe('the data of a job', () => {
  it.each([
    [{ trainer: 'tvae' }, { trainer: 'tvae', params: {} }],
    [
      { trainer: 'tvae', params: { a: 1 }, name: 'n', more: 1 },
      { trainer: 'tvae', params: { a: 1 }, name: 'n' },
    ],
  ])('%j is a training', (given, read) => {
    expect(jobDataIn(given)).toEqual(read)
  })

  it.each([
    [{}, /^data\.trainer: /],
    [{ trainer: 'x'.repeat(65) }, /^data\.trainer: /],
    [{ trainer: 'tvae', params: [] }, /^data\.params: /],
    [{ trainer: 'tvae', epochcast: { task: {} } }, /^data\.epochcast\.task\./],
    [null, /^data\.: /],
  ])('%j is none', (given, problem) => {
    expect(jobDataIn(given)).toEqual({ problem: expect.stringMatching(problem) })
  })
})

describe('the end of a job', () => {
  it('goes through the reason of a failure as it is', () => {
    const end = { type: 'ExitCode', message: 'the trainer exited with code 3; the end of its output:\na: b' }
    expect(endInReason(reasonOf(end))).toEqual(end)
  })

  it('may be of another kind of worker', () => {
    expect(endInReason('job stalled more than allowable limit')).toMatchObject({ type: 'JobFailed' })
    expect(endInReason(undefined)).toEqual({ type: 'JobFailed', message: 'the job failed' })
    expect(endInReturn({ loss: 1 })).toMatchObject({ isSuccess: true, result: { loss: 1 } })
    expect(endInReturn(undefined)).toMatchObject({ isSuccess: true, result: null })
    expect(endInReturn({ end: { message: 'm', type: 'NoResult' } })).toEqual({
      message: 'm',
      type: 'NoResult',
    })
  })
})
