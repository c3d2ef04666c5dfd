import { setTimeout as sleep } from 'node:timers/promises'
import { type Job, UnrecoverableError, Worker } from 'bullmq'
import type { Cluster, Redis } from 'ioredis'
import { EpochcastError, ERROR_CODES, quote } from '../../task/errors.ts'
import type { ProcessEnd } from '../../task/lifecycle.ts'
import type { BullMQTrainer, LocalTrainer } from '../launcher.ts'
import { LocalLauncher, type LocalLauncherOptions } from '../local.ts'
import { attemptsUsedUp, EXPIRED } from './bullmq-launcher.ts'
import { type JobData, type JobReturn, jobDataIn, reasonOf, stopKeyOf } from './job-data.ts'
import { JobLock } from './job-lock.ts'
import { outputSinkOf, type RunningTask, reportSystem } from './running-task.ts'

export interface QueueWorkerOptions
  extends Pick<LocalLauncherOptions, 'env' | 'stopGraceMs' | 'killGraceMs'> {
  readonly queue: string
  /** Trainers at a time. */
  readonly concurrency: number
  readonly prefix: string
  /** For how long a job stays this worker's that is not heard. */
  readonly lockMs: number
  /** A trainer of the worker's own configuration. */
  readonly find: (name: string) => BullMQTrainer | undefined
  /** Instead of the endpoint that jobs name; null for none. */
  readonly reportUrl: string | null
  /** Lines of a trainer's output that are sent in a second. */
  readonly linesPerSecond: number
  /** Time between two looks at the machine; null for none. */
  readonly systemMetricsMs: number | null
  /** For jobs that no server put into the queue. */
  readonly plain: PlainJobs
  readonly log: (line: WorkerLine) => void
  readonly onError: (error: unknown) => void
}

/** What the log of a worker says of a job. */
export interface WorkerLine {
  readonly what: 'begins' | 'ended' | 'refused' | 'waits'
  readonly job: string
  readonly attempt: number
  readonly why?: string
}

/** Gives tasks to jobs that others put into the queue, and ends them. */
export interface PlainJobs {
  /** The same task, however often it is asked for. */
  register(jobId: string, data: JobData): Promise<RunningTask>
  /** Tells its end, where its trainer has not. */
  end(task: RunningTask, attempt: number, end: ProcessEnd): Promise<void>
}

const STOP_CHECK_MS = 1000
/** Until a server is asked again that was away. */
const RETRY_MS = 1000
const MAX_STALLED = 1_000_000

interface Running {
  readonly local: LocalLauncher
  isStopped: boolean
}

/**
 * Takes jobs of a BullMQ queue and runs them with the code of the local launcher. A job is this worker's while it renews its lock; where it
 * cannot for half of its time, it ends the trainer, so that no other worker runs the job beside it.
 */
export class QueueWorker {
  readonly #redis: Redis | Cluster
  readonly #options: QueueWorkerOptions
  readonly #worker: Worker<unknown, JobReturn>
  readonly #running = new Set<Running>()
  #isClosing = false

  constructor(redis: Redis | Cluster, options: QueueWorkerOptions) {
    const { queue, concurrency, prefix, lockMs } = options
    this.#redis = redis
    this.#options = options
    this.#worker = new Worker<unknown, JobReturn>(queue, (job, token = '') => this.#take(job, token), {
      ...{ connection: redis, prefix, concurrency, autorun: false, maxStalledCount: MAX_STALLED },
      ...{ lockDuration: lockMs, stalledInterval: lockMs / 2, skipLockRenewal: true },
    })
    // Its connection tells of itself.
    this.#worker.on('error', () => {})
  }

  /** Trainers at present. */
  get runningCount(): number {
    return this.#running.size
  }

  start(): void {
    this.#worker.run().catch(this.#options.onError)
  }

  /** Takes no further jobs, and ends those that run: each is launched again, where it has attempts left. */
  async close(): Promise<void> {
    this.#isClosing = true
    // An idle one need not wait for a Redis that is away.
    const closing = this.#worker.close(this.#running.size === 0 && this.#redis.status !== 'ready')
    await Promise.all([...this.#running].map(({ local }) => local.close()))
    await closing
  }

  async #take(job: Job<unknown, JobReturn>, token: string): Promise<JobReturn> {
    const { lockMs } = this.#options
    const lock = new JobLock(() => job.extendLock(token, lockMs), lockMs)
    try {
      return await this.#serve(job, lock)
    } finally {
      lock.close()
    }
  }

  async #serve(job: Job<unknown, JobReturn>, lock: JobLock): Promise<JobReturn> {
    const attempt = job.attemptsStarted
    const jobId = job.id ?? ''
    const data = jobDataIn(job.data)
    const refuse = (end: ProcessEnd): never => {
      this.#options.log({ what: 'refused', job: jobId, attempt, why: end.message })
      throw new UnrecoverableError(reasonOf(end))
    }
    if ('problem' in data)
      return refuse({ type: 'BadJob', message: `the job is none of a training: ${data.problem}` })
    const { epochcast } = data
    const { plain } = this.#options
    const trainer = this.#options.find(data.trainer)
    const task = epochcast
      ? { key: epochcast.task, reportToken: epochcast.reportToken, reportUrl: epochcast.reportUrl }
      : await this.#reaching(job, lock, () => plain.register(jobId, data))
    const attempts = epochcast?.attempts ?? Math.max(1, job.opts.attempts ?? 1)
    const { kind, end } = await this.#outcomeOf({ job, lock, data, trainer, task, attempt, attempts })
    const isLast = kind !== 'failed' || attempt >= attempts
    if (!epochcast && isLast) await this.#reaching(job, lock, () => plain.end(task, attempt, end))
    if (kind === 'refused') return refuse(end)
    // What its trainer has reported is not for a worker to know.
    const why = end.type === 'NoResult' ? 'the trainer exited with code 0' : end.message
    this.#options.log({ what: 'ended', job: jobId, attempt, why })
    if (kind === 'done') return { end: plainEnd(end) }
    throw isLast ? new UnrecoverableError(reasonOf(end)) : new Error(reasonOf(end))
  }

  /**
   * While the server is away its job waits here: put back, it would have used up an attempt, or be run once more for an end
   * that was not told.
   */
  async #reaching<T>(
    { id: job = '', attemptsStarted: attempt }: Job,
    lock: JobLock,
    work: () => Promise<T>,
  ): Promise<T> {
    for (let isTold = false; ; isTold = true) {
      try {
        return await work()
      } catch (error) {
        const passes = error instanceof EpochcastError && ERROR_CODES[error.code].retryable
        const isOver = !passes || lock.isLost || this.#isClosing
        const why = error instanceof Error ? error.message : String(error)
        if (isOver || !isTold) this.#options.log({ what: isOver ? 'refused' : 'waits', job, attempt, why })
        if (isOver) throw error
      }
      await sleep(RETRY_MS)
    }
  }

  async #outcomeOf({ trainer, ...taken }: Taken): Promise<Outcome> {
    const { job, data, attempt, attempts } = taken
    if (!trainer) {
      const message = `the worker's configuration has no trainer ${quote(data.trainer)} of the launcher bullmq`
      return { kind: 'refused', end: { type: 'TrainerNotFound', message } }
    }
    if (attempt > attempts) return { kind: 'refused', end: attemptsUsedUp(attempts) }
    const expiresAt = data.epochcast?.expiresAt ?? null
    if (expiresAt !== null && attempt === 1 && expiresAt < Date.now())
      return { kind: 'refused', end: EXPIRED }
    this.#options.log({ what: 'begins', job: job.id ?? '', attempt })
    const { end, isStopped } = await this.#run({ ...taken, trainer })
    return { kind: isStopped || DONE.has(end.type) ? 'done' : 'failed', end }
  }

  async #run(taken: Taken & { trainer: BullMQTrainer }): Promise<{ end: ProcessEnd; isStopped: boolean }> {
    const { job, lock, data, trainer, task, attempt } = taken
    const { env, stopGraceMs, killGraceMs, lockMs, prefix, queue } = this.#options
    const { linesPerSecond, systemMetricsMs, onError } = this.#options
    let ended: (end: ProcessEnd) => void = () => {}
    const end = new Promise<ProcessEnd>((resolve) => {
      ended = resolve
    })
    const reportUrl = () => this.#options.reportUrl ?? task.reportUrl
    const local = new LocalLauncher(
      {
        ...{ concurrency: 1, queue: 0, stopGraceMs, reportUrl, env },
        // Gone before its lock is.
        killGraceMs: Math.min(killGraceMs, lockMs / 4),
        watch: {
          output: { linesPerSecond, sinkOf: () => outputSinkOf(task, reportUrl()) },
          system: {
            everyMs: systemMetricsMs,
            onSample: (_, metrics) => reportSystem(task, reportUrl(), attempt, metrics).catch(noop),
          },
          onError,
        },
      },
      { started: () => {}, relaunched: () => {}, ended: (_, how) => ended(how) },
    )
    const running: Running = { local, isStopped: false }
    this.#running.add(running)
    const submission = {
      ...{
        key: task.key,
        startId: job.id ?? '',
        attempt,
        params: data.params,
        reportToken: task.reportToken,
      },
      trainer: { ...trainer, launcher: 'local' } satisfies LocalTrainer,
    }
    lock.whenLost(() => void local.close())
    const stopKey = stopKeyOf(prefix, queue, job.id ?? '')
    const stopping = setInterval(() => {
      this.#redis.exists(stopKey).then((isAsked) => {
        if (!isAsked || running.isStopped) return
        running.isStopped = true
        return local.stop(submission)
      }, noop)
    }, STOP_CHECK_MS)
    try {
      if (this.#isClosing) await local.close()
      else await local.submit(submission)
      const how = await (this.#isClosing && local.runningCount === 0 ? WORKER_STOPPED : end)
      return {
        end: lock.isLost ? LOCK_LOST : how.type === 'ServerStopped' ? WORKER_STOPPED : how,
        isStopped: running.isStopped,
      }
    } finally {
      clearInterval(stopping)
      this.#running.delete(running)
      await local.close()
    }
  }
}

/** `failed` may be tried again; `refused` would be refused again; whatever else there is to say of one that is done, its trainer has reported. */
interface Outcome {
  readonly kind: 'done' | 'failed' | 'refused'
  readonly end: ProcessEnd
}

interface Taken {
  readonly job: Job<unknown, JobReturn>
  readonly lock: JobLock
  readonly data: JobData
  readonly trainer: BullMQTrainer | undefined
  readonly task: RunningTask
  readonly attempt: number
  readonly attempts: number
}

/** Ends after which nothing is tried again: the trainer has come to its end. */
const DONE: ReadonlySet<string> = new Set(['Exit', 'NoResult'])
const WORKER_STOPPED: ProcessEnd = {
  message: 'the worker stopped while the trainer was running',
  type: 'WorkerStopped',
}
const LOCK_LOST: ProcessEnd = {
  message:
    'the worker could not reach Redis for too long, and ended the trainer, as another worker may run the job',
  type: 'LockLost',
}

const plainEnd = ({ message, type, isSuccess }: ProcessEnd): ProcessEnd =>
  isSuccess === undefined ? { message, type } : { message, type, isSuccess }

// The connection tells of itself.
const noop = () => {}
