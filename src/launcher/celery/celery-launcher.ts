import type { Redis } from 'ioredis'
import { EpochcastError } from '../../task/errors.ts'
import type { ProcessEnd } from '../../task/lifecycle.ts'
import { channelOf } from '../../task/task.ts'
import type { AdoptingLauncher, CeleryTrainer, Job, JobObserver, Submission } from '../launcher.ts'
import { reaching } from '../queue-errors.ts'
import { Repeating } from '../repeating.ts'
import { SharedCalls } from '../shared-calls.ts'
import type { CeleryBroker, WorkersWord } from './broker.ts'
import { resultIn, resultKeyOf } from './results.ts'

export interface CeleryLauncherOptions {
  /** Between two looks for results. */
  readonly pollMs?: number
  /** Between two looks for who has the tasks: queues and workers. */
  readonly lookMs?: number
  /** From a task's signal to SIGKILL. */
  readonly killGraceMs: number
  readonly onError: (error: unknown) => void
  /** Releases the connections. */
  readonly disconnect: () => void
}

type CeleryJob = Job<CeleryTrainer>

/** A job whose end is waited for. */
interface Followed {
  job: CeleryJob
  /** Whether its worker was lost and the broker is to deliver it again. */
  isToReturn: boolean
  isStarted: boolean
  /** When it was asked to stop. */
  stopAt: number | null
  /** When its end was seen first. */
  endAt: number | null
  /** Looks in a row in which nobody had it, and the time of the first of them. */
  misses: number
  missingSince: number
}

/** What its worker has published just before the end is still on its way. */
const END_DELAY_MS = 1500
/** Between two looks, a task may go from the queue to a worker that had replied before. */
const MISSES = 3
/** One that is not known to have been put into its queue may yet be, by another server. */
const NEVER_QUEUED_MS = 60_000
const RESULTS_AT_ONCE = 500

/**
 * Has tasks run by the workers of a Celery application, which need know nothing of it: a message in their queue, under our task's
 * id. What becomes of it is read from their result backend, and asked of the workers themselves.
 */
export class CeleryLauncher implements AdoptingLauncher {
  readonly name = 'celery'
  readonly jobsOutliveServer = true
  readonly #broker: CeleryBroker
  readonly #results: Redis
  readonly #options: CeleryLauncherOptions
  readonly #observer: JobObserver
  readonly #followed = new Map<string, Followed>()
  readonly #repeating: readonly Repeating[]
  readonly #stops = new SharedCalls()
  #isClosed = false

  constructor(broker: CeleryBroker, results: Redis, options: CeleryLauncherOptions, observer: JobObserver) {
    this.#broker = broker
    this.#results = results
    this.#options = options
    this.#observer = observer
    const { pollMs = 1000, lookMs = 3000, onError } = options
    this.#repeating = [
      new Repeating(() => this.#readResults(), pollMs, onError),
      new Repeating(() => this.#look(), lookMs, onError),
    ]
  }

  /** Jobs whose end is waited for. */
  get followedCount(): number {
    return this.#followed.size
  }

  async submit(job: Submission<CeleryTrainer>): Promise<void> {
    if (this.#isClosed)
      throw new EpochcastError('SHUTTING_DOWN', 'the server is stopping and launches nothing')
    await this.#reaching(() => this.#broker.enqueue(job))
    const { params: _, reportToken: __, ...followed } = job
    this.#follow(followed)
  }

  async adopt(jobs: readonly CeleryJob[]): Promise<void> {
    if (!this.#isClosed) for (const job of jobs) this.#follow(job)
  }

  async stop(job: CeleryJob): Promise<void> {
    // Whoever adopts it sees that it is to stop.
    if (this.#isClosed) return
    const channel = channelOf(job.key)
    await this.#stops.run(channel, () =>
      this.#reaching(async () => {
        const known = this.#followed.get(channel)
        const [wasEnqueued] = await this.#broker.wereEnqueued([job])
        // It is none of ours, or it ended meanwhile, which has been told.
        if (!this.#followed.has(channel) && (known || !wasEnqueued)) return
        const followed = this.#follow(job)
        if (followed.stopAt !== null) return
        await this.#stop(followed)
        followed.stopAt = performance.now()
      }),
    )
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#repeating.map((each) => each.close()))
    this.#followed.clear()
    this.#options.disconnect()
  }

  #reaching<T>(work: () => Promise<T>): Promise<T> {
    return reaching('the Celery broker', work)
  }

  #follow(job: CeleryJob): Followed {
    const channel = channelOf(job.key)
    const known = this.#followed.get(channel)
    if (known && known.job.attempt >= job.attempt) return known
    const followed = {
      job,
      isToReturn: false,
      isStarted: false,
      stopAt: null,
      endAt: null,
      misses: 0,
      missingSince: 0,
    }
    this.#followed.set(channel, followed)
    if (!this.#isClosed) for (const each of this.#repeating) each.start()
    return followed
  }

  async #stop({ job }: Followed): Promise<void> {
    const words = { message: 'it was cancelled before a Celery worker took it', type: 'Cancelled' }
    if (await this.#broker.remove(job)) this.#end(job, { ...words, isCancelled: true })
    else await this.#broker.revoke(job.key.id, job.trainer.signal)
  }

  async #readResults(): Promise<void> {
    const all = [...this.#followed.values()]
    for (let i = 0; i < all.length; i += RESULTS_AT_ONCE) {
      const some = all.slice(i, i + RESULTS_AT_ONCE)
      const texts = await this.#reaching(() =>
        this.#results.mget(some.map(({ job }) => resultKeyOf(job.key.id))),
      )
      for (const [at, followed] of some.entries()) this.#take(followed, texts[at] ?? null)
    }
  }

  #take(followed: Followed, text: string | null): void {
    const result = resultIn(text)
    if (result?.kind === 'unfinished' && result.isStarted) this.#started(followed)
    if (result?.kind !== 'ended') return
    const now = performance.now()
    followed.endAt ??= now
    if (now - followed.endAt >= END_DELAY_MS) this.#end(followed.job, result.end)
  }

  async #look(): Promise<void> {
    const all = [...this.#followed.values()].filter(({ endAt }) => endAt === null)
    if (all.length === 0) return
    const { word, waiting, marks } = await this.#reaching(() => this.#whoHas(all))
    // Whoever has returned meanwhile is no worker's any more.
    await this.#readResults()
    for (const followed of all) {
      const { id } = followed.job.key
      const state = word.tasks.get(id)
      if (state !== undefined || waiting.queued.has(id)) followed.isToReturn = false
      if (state === 'active') this.#started(followed)
      const isUnknown = !word.areAll || !waiting.areAll
      const isHad = state !== undefined || waiting.queued.has(id) || followed.isToReturn
      if (isHad || isUnknown || followed.endAt !== null) followed.misses = 0
      else if (waiting.taken.has(id)) this.#missWorker(followed)
      else await this.#miss(followed, marks.get(followed) ?? false)
      if (followed.stopAt !== null) await this.#stopAgain(followed, followed.stopAt)
    }
  }

  /** Its message was taken by a worker that is gone: after its `visibility_timeout` the broker delivers it again. */
  #missWorker(followed: Followed): void {
    if (++followed.misses < MISSES) return
    const { job } = followed
    Object.assign(followed, { misses: 0, isToReturn: true, isStarted: false })
    followed.job = { ...job, attempt: job.attempt + 1 }
    this.#observer.relaunched(followed.job, 'its worker was lost; the broker delivers the task again')
  }

  async #whoHas(all: readonly Followed[]) {
    const word: WorkersWord = await this.#broker.ask(all.map(({ job }) => job.key.id))
    const others = all.filter(({ job }) => !word.tasks.has(job.key.id))
    const waiting = await this.#broker.waiting(new Set(others.map(({ job }) => job.trainer.queue)))
    const marks = await this.#broker.wereEnqueued(others.map(({ job }) => job))
    return { word, waiting, marks: new Map(others.map((followed, i) => [followed, marks[i] ?? false])) }
  }

  /** Nobody has it: neither a queue nor a worker, and it has left no result. */
  async #miss(followed: Followed, wasEnqueued: boolean): Promise<void> {
    const now = performance.now()
    if (followed.misses++ === 0) followed.missingSince = now
    if (followed.misses < MISSES) return
    if (!wasEnqueued) {
      if (now - followed.missingSince < NEVER_QUEUED_MS) return
      await this.#reaching(() => this.#broker.bar(followed.job))
    }
    const message =
      'no Celery worker and no queue has the task any more, and it left no result: its worker was killed, or the broker lost it'
    this.#end(followed.job, { message, type: 'WorkerLost', isPresumed: true })
  }

  /** A worker that came later has not heard of it. */
  async #stopAgain(followed: Followed, since: number): Promise<void> {
    if (!this.#isFollowed(followed)) return
    const isLate = performance.now() - since >= this.#options.killGraceMs
    if (isLate) await this.#reaching(() => this.#broker.revoke(followed.job.key.id, 'SIGKILL'))
    else await this.#reaching(() => this.#stop(followed))
  }

  #isFollowed(followed: Followed): boolean {
    return this.#followed.get(channelOf(followed.job.key)) === followed
  }

  #started(followed: Followed): void {
    if (followed.isStarted || !this.#isFollowed(followed)) return
    followed.isStarted = true
    this.#observer.started(followed.job)
  }

  #end(job: CeleryJob, end: ProcessEnd): void {
    if (this.#followed.delete(channelOf(job.key))) this.#observer.ended(job, end)
    if (this.#followed.size === 0) for (const each of this.#repeating) each.pause()
  }
}
