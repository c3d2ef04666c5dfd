import type { OnAppended } from '../event-log/append-plan.ts'
import type { EventLog, Snapshot } from '../event-log/event-log.ts'
import { taskNotFound } from '../event-log/find-task.ts'
import { recordStart } from '../event-log/record-start.ts'
import type { TaskIndex } from '../event-log/task-index.ts'
import type { TaskWriter } from '../event-log/task-writer.ts'
import {
  canAdopt,
  type Job,
  type Launcher,
  type Reservation,
  STOPPED_BEFORE_START,
  type Submission,
} from '../launcher/launcher.ts'
import { authorize, authorizeStart, type Caller } from '../repository/access.ts'
import type { Audit } from '../repository/audit.ts'
import { getForCaller } from '../repository/find-for-caller.ts'
import { EpochcastError } from '../task/errors.ts'
import * as lifecycle from '../task/lifecycle.ts'
import { reduceAll } from '../task/reducer.ts'
import { initialState, isFinalStatus, type TaskSpec } from '../task/task.ts'
import { adoptJobs } from './adoption.ts'
import { Background, isRetryable } from './background.ts'
import { HeldJobs } from './held-jobs.ts'
import { count, JobRecords } from './job-records.ts'
import { placeIn } from './place.ts'
import { checkRepeat, findRepeated } from './repeat.ts'
import { withRetried } from './retry.ts'
import { type StartRequest, specOf } from './spec.ts'
import type { StartBounds } from './start-bounds.ts'
import type { Trainers } from './trainers.ts'

export interface Started {
  readonly snapshot: Snapshot
  readonly reportToken: string | null
}

export interface DispatchOptions {
  readonly channelPrefixes: readonly string[]
  /** Names this server among those that share an event log. */
  readonly serverId: string
  readonly onError: (error: unknown) => void
  /** A token by which a task's trainer reports; none where the server runs without authentication. */
  readonly issueReportToken?: (caller: Caller, spec: TaskSpec) => Promise<string>
  /** Told who started and cancelled what. */
  readonly audit?: Audit
  /** Told of the events that a task was created with. */
  readonly onCreated?: OnAppended | undefined
  /** What one address may start; no bound where it is left out. */
  readonly startBounds?: StartBounds
  /** What may be under way in the background before starts are refused. */
  readonly maxBackground?: number
  readonly now?: () => number
}

/** Starts and cancels tasks, and has recorded what launchers tell of them. */
export class Dispatch {
  readonly #log: EventLog & TaskIndex
  readonly #writer: TaskWriter
  readonly #trainers: Trainers
  readonly #options: DispatchOptions
  readonly #now: () => number
  readonly #launchers = new Map<string, Launcher>()
  readonly #held: HeldJobs
  /** What is being submitted, stopped and recorded; awaited before the log is closed. */
  readonly #background: Background
  /** What launchers tell of their jobs. */
  readonly jobs: JobRecords
  /** Since the process began, by launcher. */
  readonly counts: Readonly<Record<'created' | 'launched' | 'notLaunched', Map<string, number>>>
  #isClosing = false

  constructor(log: EventLog & TaskIndex, writer: TaskWriter, trainers: Trainers, options: DispatchOptions) {
    this.#log = log
    this.#writer = writer
    this.#trainers = trainers
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#held = new HeldJobs(log, (job) => this.#stop(job), options.onError)
    this.#background = new Background(options.onError, options.maxBackground)
    this.jobs = new JobRecords(writer, this.#background, (job) => this.#stop(job), this.#now)
    this.counts = { created: new Map(), ...this.jobs.counts }
  }

  /** Launchers need an observer, and the observer needs them: they come second. */
  use(launcher: Launcher): void {
    this.#launchers.set(launcher.name, launcher)
  }

  /**
   * @throws EpochcastError FORBIDDEN, TRAINER_NOT_FOUND, CHANNEL_PREFIX_NOT_ALLOWED, BAD_INPUT, BAD_PARAMS, QUEUE_FULL,
   *   STORE_FULL, TOO_MANY_TASKS, RATE_LIMITED, IDEMPOTENCY_CONFLICT, TASK_NOT_FOUND, TASK_NOT_ENDED; then nothing was created
   * @returns the task, created; whether its launcher takes the job is for the task's log to tell
   */
  async start(caller: Caller, given: StartRequest): Promise<Started> {
    authorize(caller, 'tasks:start')
    const { channelPrefixes } = this.#options
    const repeated = await findRepeated(this.#log, channelPrefixes, caller, given)
    if (repeated) return this.#answer(caller, repeated)
    const request = await withRetried(this.#log, channelPrefixes, caller, given)
    const trainer = this.#trainers.get(request.trainer)
    const launcher = this.#launcherOf(trainer)
    const spec = specOf(request, {
      ...{ channelPrefixes, trainer, caller, given },
      holder: launcher.jobsOutliveServer ? null : this.#options.serverId,
      now: this.#now(),
    })
    authorizeStart(caller, spec)
    const known = request.idempotencyKey === null ? null : await this.#log.snapshot(spec)
    if (known) return this.#repeated(caller, known, spec)
    this.#background.checkRoom()
    this.#options.startBounds?.take(caller)
    const reportToken = await this.#reportToken(caller, spec)

    const place = placeIn(launcher)
    let isTaken = false
    const submit = () => {
      isTaken = true
      const { startId, params } = spec
      const job = { key: spec, startId, trainer, attempt: 1, params, reportToken }
      this.#submit(launcher, place, job)
    }
    try {
      const events = lifecycle.queued(spec.createdAt)
      const result = await this.#log.create(spec, events, reduceAll(initialState(spec), events))
      if (result.kind === 'dropped') throw taskNotFound(spec)
      const isOurs = result.snapshot.state.spec.startId === spec.startId
      if (!isOurs) return this.#repeated(caller, result.snapshot, spec)
      this.#options.onCreated?.(spec, result.snapshot.top, events)
      submit()
      count(this.counts.created, trainer.launcher)
      this.#options.audit?.({ action: 'start', caller, task: spec, trainer: trainer.name })
      return { snapshot: result.snapshot, reportToken }
    } catch (error) {
      if (!isOutOfReach(error)) throw error
      // It may have been created all the same, its reply lost.
      isTaken = true
      this.#background.run(() => this.#settle(spec, request.idempotencyKey !== null, submit, place))
      throw error
    } finally {
      if (!isTaken) place.release()
    }
  }

  /**
   * What becomes of a task whose creation was not confirmed. A caller with an idempotencyKey comes back for it,
   * so it is launched; without one nobody knows of it, so it ends.
   */
  async #settle(spec: TaskSpec, isAwaited: boolean, submit: () => void, place: Reservation): Promise<void> {
    const snapshot = await this.#log.snapshot(spec)
    const { state } = snapshot ?? {}
    const isOurs = state?.spec.startId === spec.startId && state.status === 'QUEUED'
    if (isOurs && isAwaited) return submit()
    if (isOurs) {
      const end = { message: 'the reply to its start was lost; it was not started', type: 'NotStarted' }
      await recordStart(this.#writer, spec, (now) => lifecycle.processEnded(now, end, this.#now()))
    }
    place.release()
  }

  /**
   * Hands a job over to its launcher, again where that is out of reach, for as long as the task waits for it. A
   * job that cannot be handed over is the end of its task.
   */
  #submit(launcher: Launcher, place: Reservation, job: Submission): void {
    const giveUp = (end: lifecycle.ProcessEnd) => {
      place.release()
      this.jobs.ended(job, end)
    }
    let isRepeat = false
    this.#background.run(async () => {
      if (isRepeat && this.#isClosing) return giveUp(STOPPED_BEFORE_START)
      if (isRepeat && !(await this.#isAwaited(job))) return place.release()
      isRepeat = true
      try {
        await place.submit(job)
      } catch (error) {
        if (isRetryable(error) && !this.#isClosing) throw error
        return giveUp(this.#isClosing ? STOPPED_BEFORE_START : this.#refusal(launcher, error))
      }
      if (!launcher.jobsOutliveServer) this.#background.run(() => this.#held.add(job))
    })
  }

  async #isAwaited(job: Job): Promise<boolean> {
    const { state } = (await this.#log.snapshot(job.key)) ?? {}
    const isOfTask = state?.spec.startId === job.startId
    // The launcher may have taken it all the same, its reply lost.
    if (!isOfTask || isFinalStatus(state.status)) this.#stop(job)
    return isOfTask && state.status === 'QUEUED' && state.attempt === job.attempt
  }

  #refusal({ name }: Launcher, error: unknown): lifecycle.ProcessEnd {
    const isExpected = error instanceof EpochcastError
    if (!isExpected) this.#options.onError(error)
    const why = isExpected ? error.message : 'it failed unexpectedly; the log of the server tells'
    return { message: `the ${name} launcher did not take the job: ${why}`, type: 'SubmitFailed' }
  }

  /** @throws EpochcastError FORBIDDEN, TASK_NOT_FOUND, CHANNEL_PREFIX_NOT_ALLOWED, TASK_ENDED */
  async cancel(
    caller: Caller,
    id: string,
    channelPrefix: string | null,
    reason: string | null,
  ): Promise<Snapshot> {
    const asked = { id, channelPrefix, allowedPrefixes: this.#options.channelPrefixes }
    const { state, serial, revision } = await getForCaller(this.#log, caller, 'tasks:cancel', asked)
    const key = state.spec
    const { startId } = key
    const recorded = await recordStart(this.#writer, key, (now) => lifecycle.cancel(now, reason, this.#now()))
    // It was deleted meanwhile; whatever was started under its id since is another.
    if (!recorded) throw taskNotFound(key)
    this.#options.audit?.({ action: 'cancel', caller, task: key })
    const trainer = this.#trainers.find(key.trainer)
    // A trainer that this server's configuration lacks is another server's, which stops the jobs it holds.
    if (trainer) this.#stop({ key, startId, trainer, attempt: recorded.state.attempt })
    return { ...recorded, serial, revision }
  }

  /** Once at start: jobs that outlive servers are observed from here on, too. */
  adopt(): void {
    for (const launcher of this.#launchers.values()) {
      if (canAdopt(launcher)) this.#background.run(() => adoptJobs(this.#log, this.#trainers, launcher))
    }
  }

  /** Closes the launchers and records the ends of the jobs that end with them. */
  async close(): Promise<void> {
    this.#isClosing = true
    await Promise.all([...this.#launchers.values()].map((launcher) => launcher.close()))
    await this.#background.close()
  }

  async #repeated(caller: Caller, snapshot: Snapshot, spec: TaskSpec): Promise<Started> {
    checkRepeat(caller, snapshot.state.spec, spec)
    return this.#answer(caller, snapshot)
  }

  /** @throws EpochcastError FORBIDDEN */
  async #answer(caller: Caller, snapshot: Snapshot): Promise<Started> {
    authorizeStart(caller, snapshot.state.spec)
    return { snapshot, reportToken: await this.#reportToken(caller, snapshot.state.spec) }
  }

  async #reportToken(caller: Caller, spec: TaskSpec): Promise<string | null> {
    return (await this.#options.issueReportToken?.(caller, spec)) ?? null
  }

  #launcherOf(trainer: { launcher: string }): Launcher {
    const launcher = this.#launchers.get(trainer.launcher)
    if (launcher) return launcher
    throw new Error(`no launcher ${trainer.launcher} is in use`)
  }

  /** In the background: the task's log tells what comes of it. */
  #stop(job: Job): void {
    this.#background.run(() => this.#launcherOf(job.trainer).stop(job))
  }
}

const isOutOfReach = (error: unknown): boolean =>
  error instanceof EpochcastError && error.code === 'ENGINE_UNAVAILABLE'
