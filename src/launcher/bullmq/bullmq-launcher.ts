import { Queue, Job as QueuedJob, Worker } from 'bullmq'
import type { Cluster, Redis } from 'ioredis'
import { EpochcastError } from '../../task/errors.ts'
import type { ProcessEnd } from '../../task/lifecycle.ts'
import type { AdoptingLauncher, BullMQTrainer, Job, JobObserver, Submission } from '../launcher.ts'
import { reaching } from '../queue-errors.ts'
import { Repeating } from '../repeating.ts'
import { SharedCalls } from '../shared-calls.ts'
import { endInReason, endInReturn, type JobData, jobIdOf, stopKeyOf } from './job-data.ts'

export interface BullMQLauncherOptions {
  /** In front of all keys; BullMQ's own default is `bull`. */
  readonly prefix: string
  /** For how long a worker that is not heard has its job. */
  readonly lockMs: number
  readonly pollMs?: number
  /** The endpoint that trainers report to, where their worker has no other. */
  readonly reportUrl: () => string
  readonly onError: (error: unknown) => void
  readonly disconnect: () => void
}

type QueueJob = Job<BullMQTrainer>

interface Followed {
  /** At the attempt that was told last. */
  job: QueueJob
  /** The attempt whose start was told. */
  startedAttempt: number
  isSeen: boolean
  misses: number
  missingSince: number
}

/** Jobs are looked at so many at a time, in turn. */
const LOOKED_AT_TOGETHER = 200
const MISSES = 3
/** One that was never seen may yet be put into its queue, by another server. */
const NEVER_QUEUED_MS = 60_000
/** For how long a finished job is kept, so that a server that was away learns of its end. */
const KEEP_SECONDS = 7 * 86_400
const STOP_SECONDS = 86_400
/** However often a worker is lost: `attempts` is the bound. */
const MAX_STALLED = 1_000_000

/** Has trainers run by the workers of a BullMQ queue (`epochcast worker`), on whatever machines. */
export class BullMQLauncher implements AdoptingLauncher {
  readonly name = 'bullmq'
  readonly jobsOutliveServer = true
  readonly #redis: Redis | Cluster
  readonly #workerRedis: Redis | Cluster
  readonly #options: BullMQLauncherOptions
  readonly #observer: JobObserver
  /** By the ids of their jobs. */
  readonly #followed = new Map<string, Followed>()
  readonly #queues = new Map<string, { readonly queue: Queue; readonly checker: Worker }>()
  readonly #repeating: Repeating
  readonly #stops = new SharedCalls()
  #next = 0
  #isClosed = false

  /** @param workerRedis a connection whose commands wait, for what BullMQ has workers do */
  constructor(
    redis: Redis | Cluster,
    workerRedis: Redis | Cluster,
    options: BullMQLauncherOptions,
    observer: JobObserver,
  ) {
    this.#redis = redis
    this.#workerRedis = workerRedis
    this.#options = options
    this.#observer = observer
    this.#repeating = new Repeating(() => this.#look(), options.pollMs ?? 1000, options.onError)
  }

  /** Jobs whose end is waited for. */
  get followedCount(): number {
    return this.#followed.size
  }

  async submit(job: Submission<BullMQTrainer>): Promise<void> {
    if (this.#isClosed)
      throw new EpochcastError('SHUTTING_DOWN', 'the server is stopping and launches nothing')
    const { params, reportToken, ...followed } = job
    const { key, trainer } = followed
    const { priority, delayMs, attempts, backoff, ttlMs } = trainer
    const data: JobData = {
      trainer: trainer.name,
      params,
      epochcast: {
        ...{ task: { channelPrefix: key.channelPrefix, id: key.id }, reportToken, attempts },
        reportUrl: this.#options.reportUrl(),
        expiresAt: ttlMs === null ? null : Date.now() + delayMs + ttlMs,
      },
    }
    await this.#reaching(() =>
      // A job with an id that there is already is not added again.
      this.#queueOf(trainer).add(trainer.name, data, {
        jobId: jobIdOf(job),
        ...{ priority, attempts },
        delay: delayMs,
        backoff: { type: backoff.type, delay: backoff.delayMs },
        removeOnComplete: { age: KEEP_SECONDS },
        removeOnFail: { age: KEEP_SECONDS },
      }),
    )
    this.#follow(followed).isSeen = true
  }

  async adopt(jobs: readonly QueueJob[]): Promise<void> {
    if (!this.#isClosed) for (const job of jobs) this.#follow(job)
  }

  async stop(job: QueueJob): Promise<void> {
    // Whoever adopts it sees that it is to stop.
    if (this.#isClosed) return
    await this.#stops.run(jobIdOf(job), () => this.#reaching(() => this.#stop(job)))
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#repeating.close()
    this.#followed.clear()
    await Promise.all(
      [...this.#queues.values()].flatMap(({ queue, checker }) => [queue.close(), checker.close(true)]),
    )
    this.#options.disconnect()
  }

  async #stop(job: QueueJob): Promise<void> {
    const id = jobIdOf(job)
    const known = this.#followed.get(id)
    const queued = await this.#find(job)
    if (!queued || (await isOver(queued))) return
    const { prefix } = this.#options
    await this.#redis.set(stopKeyOf(prefix, job.trainer.queue, id), '1', 'EX', STOP_SECONDS)
    // It ended meanwhile, which has been told.
    if (known && this.#followed.get(id) !== known) return
    const followed = this.#follow(job)
    if (await this.#remove(job))
      this.#end(followed, {
        message: 'it was cancelled before a worker took it',
        type: 'Cancelled',
        isCancelled: true,
      })
  }

  #reaching<T>(work: () => Promise<T>): Promise<T> {
    return reaching('the BullMQ queue', work)
  }

  #queueOf({ queue: name }: Pick<BullMQTrainer, 'queue'>): Queue {
    const known = this.#queues.get(name)
    if (known) return known.queue
    const { prefix, lockMs, onError } = this.#options
    const queue = new Queue(name, { connection: this.#redis, prefix, skipWaitingForReady: true })
    // It takes no jobs; it gives those of lost workers to others, also where no worker is left to do so.
    const checker = new Worker(name, null, {
      ...{ connection: this.#workerRedis, prefix, autorun: false },
      ...{ stalledInterval: lockMs / 2, maxStalledCount: MAX_STALLED },
    })
    // Its connection tells of itself.
    queue.on('error', () => {})
    checker.on('error', () => {})
    checker.startStalledCheckTimer().catch(onError)
    this.#queues.set(name, { queue, checker })
    return queue
  }

  #find(job: QueueJob): Promise<QueuedJob | undefined> {
    return QueuedJob.fromId(this.#queueOf(job.trainer), jobIdOf(job))
  }

  /** False where a worker has it. */
  async #remove(job: QueueJob): Promise<boolean> {
    return (await this.#queueOf(job.trainer).remove(jobIdOf(job))) === 1
  }

  #follow(job: QueueJob): Followed {
    const id = jobIdOf(job)
    const known = this.#followed.get(id)
    if (known) return known
    const followed = { job, startedAttempt: 0, isSeen: false, misses: 0, missingSince: 0 }
    this.#followed.set(id, followed)
    if (!this.#isClosed) this.#repeating.start()
    return followed
  }

  async #look(): Promise<void> {
    const all = [...this.#followed.values()]
    if (this.#next >= all.length) this.#next = 0
    const some = all.slice(this.#next, this.#next + LOOKED_AT_TOGETHER)
    this.#next += LOOKED_AT_TOGETHER
    await this.#reaching(() => Promise.all(some.map((followed) => this.#lookAt(followed))))
  }

  async #lookAt(followed: Followed): Promise<void> {
    const { job } = followed
    const queued = await this.#find(job)
    if (!queued) return this.#miss(followed)
    Object.assign(followed, { isSeen: true, misses: 0 })
    const state = await queued.getState()
    switch (state) {
      case 'completed':
        return this.#end(followed, endInReturn((await this.#find(job))?.returnvalue))
      case 'failed':
        return this.#end(followed, endInReason((await this.#find(job))?.failedReason))
      case 'active':
        return this.#active(followed, queued)
      case 'unknown':
        return
      default: {
        // It may have failed since it was read, and does not say why, or have begun again since it waited.
        const waiting = await this.#find(job)
        if (waiting?.attemptsStarted === queued.attemptsStarted) return this.#waits(followed, waiting)
      }
    }
  }

  #active(followed: Followed, queued: QueuedJob): void {
    const attempt = queued.attemptsStarted
    if (attempt <= followed.startedAttempt || attempt < followed.job.attempt) return
    // It was taken again before anybody saw it wait.
    if (attempt > followed.job.attempt) this.#relaunched(followed, queued, attempt)
    followed.startedAttempt = attempt
    this.#observer.started(followed.job)
  }

  #relaunched(followed: Followed, { attemptsMade, failedReason }: QueuedJob, attempt: number): void {
    followed.job = { ...followed.job, attempt }
    this.#observer.relaunched(followed.job, attemptsMade < attempt - 1 ? WORKER_LOST : failedReason)
  }

  async #waits(followed: Followed, queued: QueuedJob): Promise<void> {
    const { attemptsStarted: begun } = queued
    const { trainer, attempt } = followed.job
    const { expiresAt } = (queued.data as JobData).epochcast ?? { expiresAt: null }
    const end =
      begun > 0 ? this.#endOfLast(trainer, begun) : expiresAt && expiresAt < Date.now() ? EXPIRED : null
    if (end && (await this.#remove(followed.job))) return this.#end(followed, end)
    if (end || begun < attempt) return
    this.#relaunched(followed, queued, begun + 1)
  }

  /** Where no further attempt follows those begun. */
  #endOfLast({ attempts }: BullMQTrainer, begun: number): ProcessEnd | null {
    return begun < attempts ? null : attemptsUsedUp(attempts)
  }

  #miss(followed: Followed): void {
    const now = performance.now()
    if (followed.misses++ === 0) followed.missingSince = now
    if (followed.misses < MISSES) return
    if (!followed.isSeen && now - followed.missingSince < NEVER_QUEUED_MS) return
    const message = 'its job is not in the queue any more: somebody removed it, or Redis lost it'
    this.#end(followed, { message, type: 'JobLost', isPresumed: true })
  }

  #end(followed: Followed, end: ProcessEnd): void {
    const id = jobIdOf(followed.job)
    if (this.#followed.get(id) === followed) {
      this.#followed.delete(id)
      this.#observer.ended(followed.job, end)
    }
    if (this.#followed.size === 0) this.#repeating.pause()
  }
}

const WORKER_LOST = 'the worker of the last one was lost'
export const EXPIRED: ProcessEnd = { message: 'no worker took it in its time', type: 'Expired' }

/** The end of a job whose worker was lost at its last attempt. */
export const attemptsUsedUp = (attempts: number): ProcessEnd => ({
  message: `its worker was lost, and it may be launched ${attempts} times at most (attempts)`,
  type: 'WorkerLost',
})

async function isOver(queued: QueuedJob): Promise<boolean> {
  const state = await queued.getState()
  return state === 'completed' || state === 'failed' || state === 'unknown'
}
