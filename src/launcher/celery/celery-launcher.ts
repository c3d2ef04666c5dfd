import type { Redis } from 'ioredis'
import { EpochcastError } from '../../task/errors.ts'
import type { ProcessEnd } from '../../task/lifecycle.ts'
import type { AdoptingLauncher, CeleryTrainer, Job, JobObserver, Submission } from '../launcher.ts'
import { reaching } from '../queue-errors.ts'
import { Repeating } from '../repeating.ts'
import { SharedCalls } from '../shared-calls.ts'
import { type CeleryBroker, hasCallOf, type WorkersWord } from './broker.ts'
import { CeleryResults, type Result } from './results.ts'

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
  missingSince: number | null
}

/** What its worker has published just before the end is still on its way. */
const END_DELAY_MS = 1500
/** Between two looks, a task may go from the queue to a worker that had replied before. */
const MISSES = 3
/** One that is not known to have been put into its queue may yet be, by another server. */
const NEVER_QUEUED_MS = 60_000

/**
 * Has tasks run by the workers of a Celery application, which need know nothing of it: a message in their queue, under our task's
 * id. What becomes of it is read from their result backend, and asked of the workers themselves.
 *
 * A task that is started again under its id, after it was deleted, has the same id in Celery, so what is left of the start before
 * must not be taken for its own: messages and results name the start that they are of, and the broker knows the newest one.
 */
export class CeleryLauncher implements AdoptingLauncher {
  readonly name = 'celery'
  readonly jobsOutliveServer = true
  readonly #broker: CeleryBroker
  readonly #results: CeleryResults
  readonly #options: CeleryLauncherOptions
  readonly #observer: JobObserver
  /** By start. */
  readonly #followed = new Map<string, Followed>()
  readonly #repeating: readonly Repeating[]
  readonly #submits = new SharedCalls()
  readonly #stops = new SharedCalls()
  #isClosed = false

  constructor(broker: CeleryBroker, results: Redis, options: CeleryLauncherOptions, observer: JobObserver) {
    this.#broker = broker
    this.#results = new CeleryResults(results)
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
    await this.#submits.run(job.startId, () => this.#reaching(() => this.#enqueue(job)))
    const { params: _, reportToken: __, ...followed } = job
    this.#follow(followed)
  }

  async #enqueue(job: Submission<CeleryTrainer>): Promise<void> {
    const { wasEnqueued, isOtherNewest } = await this.#broker.standing(job)
    if (wasEnqueued) return
    // Before its own can be there. Workers write no other result over one of a success.
    await this.#results.remove(job.key.id)
    if (isOtherNewest) await this.#broker.removeOthers(job)
    await this.#broker.enqueue(job)
  }

  async adopt(jobs: readonly CeleryJob[]): Promise<void> {
    if (!this.#isClosed) for (const job of jobs) this.#follow(job)
  }

  async stop(job: CeleryJob): Promise<void> {
    // Whoever adopts it sees that it is to stop.
    if (this.#isClosed) return
    const { startId } = job
    await this.#stops.run(startId, () =>
      this.#reaching(async () => {
        const known = this.#followed.get(startId)
        const { wasEnqueued } = await this.#broker.standing(job)
        // It is none of ours, or it ended meanwhile, which has been told.
        if (!this.#followed.has(startId) && (known || !wasEnqueued)) return
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
    const known = this.#followed.get(job.startId)
    if (known && known.job.attempt >= job.attempt) return known
    const followed = {
      job,
      isToReturn: false,
      isStarted: false,
      stopAt: null,
      endAt: null,
      misses: 0,
      missingSince: null,
    }
    this.#followed.set(job.startId, followed)
    if (!this.#isClosed) for (const each of this.#repeating) each.start()
    return followed
  }

  async #stop({ job }: Followed): Promise<void> {
    const words = { message: 'it was cancelled before a Celery worker took it', type: 'Cancelled' }
    if (await this.#broker.remove(job)) this.#end(job, { ...words, isCancelled: true })
    else await this.#revoke(job, job.trainer.signal)
  }

  /** Workers know nothing but its id: of a start that another has followed, they would end the other. */
  async #revoke(job: CeleryJob, signal: NodeJS.Signals): Promise<void> {
    const { isOtherNewest } = await this.#broker.standing(job)
    if (!isOtherNewest) await this.#broker.revoke(job.key.id, signal)
  }

  async #readResults(): Promise<void> {
    const all = [...this.#followed.values()]
    const found = await this.#reaching(() => this.#resultsOf(all))
    for (const [i, followed] of all.entries()) this.#take(followed, found[i] ?? null)
  }

  async #resultsOf(all: readonly Followed[]): Promise<(Result | null)[]> {
    const found: (Result | null)[] = []
    for await (const result of this.#results.read(all.map(({ job }) => job.key.id))) {
      const followed = all[found.length] as Followed
      found.push(result && (await this.#isOf(followed, result)) ? result : null)
    }
    return found
  }

  /** Whether a result under the id of a job's task is that of the job. */
  async #isOf({ job, isStarted }: Followed, result: Result): Promise<boolean> {
    const { kind, startId } = result
    // Nothing new would be told.
    if (startId === job.startId || (kind === 'unfinished' && isStarted)) return true
    const { wasEnqueued, isOtherNewest } = await this.#broker.standing(job)
    // What its own start had to say would not be written over the success of an earlier one.
    if (startId !== null && wasEnqueued && !isOtherNewest)
      await this.#results.removeIfSame(job.key.id, result)
    // What an earlier start left is removed before a start is the newest; what was read before that may be gone by now.
    return startId === null && !isOtherNewest && (await this.#results.has(job.key.id, result))
  }

  #take(followed: Followed, result: Result | null): void {
    if (result?.kind === 'unfinished' && result.isStarted) this.#started(followed)
    // One that was seen and is gone was left by an earlier start, and removed.
    if (result?.kind !== 'ended') followed.endAt = null
    else {
      const now = performance.now()
      followed.endAt ??= now
      if (now - followed.endAt >= END_DELAY_MS) this.#end(followed.job, result.end)
    }
  }

  async #look(): Promise<void> {
    const all = [...this.#followed.values()].filter(({ endAt }) => endAt === null)
    if (all.length === 0) return
    const { word, waiting, standings } = await this.#reaching(() => this.#whoHas(all))
    // Whoever has returned meanwhile is no worker's any more.
    await this.#readResults()
    for (const [i, followed] of all.entries()) {
      const { job } = followed
      const { wasEnqueued = false, isOtherNewest = false } = standings[i] ?? {}
      // Its task was deleted and started again: nobody waits for its end, and whatever has its id is the other's.
      if (wasEnqueued && isOtherNewest) {
        this.#forget(job)
        continue
      }
      // Before its own message is there, it is an earlier start that workers have.
      const state = isOtherNewest ? undefined : word.tasks.get(job.key.id)
      const isQueued = hasCallOf(waiting.queued, job)
      if (state !== undefined || isQueued) followed.isToReturn = false
      // The same while its message waits.
      if (state === 'active' && !isQueued) this.#started(followed)
      const isUnknown = !word.areAll || !waiting.areAll
      const isHad = state !== undefined || isQueued || followed.isToReturn
      if (isHad || isUnknown || followed.endAt !== null)
        Object.assign(followed, { misses: 0, missingSince: null })
      else if (hasCallOf(waiting.taken, job)) this.#missWorker(followed)
      else await this.#miss(followed, wasEnqueued)
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
    const inDoubt = all.filter(({ job, isStarted }) => {
      const state = word.tasks.get(job.key.id)
      return state === undefined || (state === 'active' && !isStarted)
    })
    const waiting = await this.#broker.waiting(new Set(inDoubt.map(({ job }) => job.trainer.queue)))
    return { word, waiting, standings: await this.#broker.standings(all.map(({ job }) => job)) }
  }

  /** Nobody has it: neither a queue nor a worker, and it has left no result. */
  async #miss(followed: Followed, wasEnqueued: boolean): Promise<void> {
    if (wasEnqueued) {
      // From then on only: the worker that takes it from its queue has yet to tell.
      followed.missingSince = null
      if (++followed.misses < MISSES) return
      followed.misses = 0
      if (await this.#reaching(() => this.#broker.isListed(followed.job.key.id))) return
    } else {
      followed.missingSince ??= performance.now()
      if (performance.now() - followed.missingSince < NEVER_QUEUED_MS) return
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
    if (isLate) await this.#reaching(() => this.#revoke(followed.job, 'SIGKILL'))
    else await this.#reaching(() => this.#stop(followed))
  }

  #isFollowed(followed: Followed): boolean {
    return this.#followed.get(followed.job.startId) === followed
  }

  #started(followed: Followed): void {
    if (followed.isStarted || !this.#isFollowed(followed)) return
    followed.isStarted = true
    this.#observer.started(followed.job)
  }

  #end(job: CeleryJob, end: ProcessEnd): void {
    if (this.#forget(job)) this.#observer.ended(job, end)
  }

  /** False where it was not followed. */
  #forget({ startId }: CeleryJob): boolean {
    const wasFollowed = this.#followed.delete(startId)
    if (this.#followed.size === 0) for (const each of this.#repeating) each.pause()
    return wasFollowed
  }
}
