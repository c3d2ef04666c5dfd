import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventLog, Snapshot } from '../event-log/event-log.ts'
import { checkChannelPrefix, getTask } from '../event-log/find-task.ts'
import type { TaskWriter } from '../event-log/task-writer.ts'
import type { Job, JobObserver, Launcher, Place } from '../launcher/launcher.ts'
import { authorize, type Caller } from '../repository/access.ts'
import { EpochcastError, ERROR_CODES, quote } from '../task/errors.ts'
import type { TaskEvent } from '../task/event.ts'
import * as lifecycle from '../task/lifecycle.ts'
import { reduceAll } from '../task/reducer.ts'
import {
  channelOf,
  initialState,
  isFinalStatus,
  type Json,
  type TaskKey,
  type TaskSpec,
  type TaskState,
} from '../task/task.ts'
import { HeldJobs } from './held-jobs.ts'
import type { ConfiguredTrainer, Trainers } from './trainers.ts'

export interface StartRequest {
  readonly trainer: string | null
  readonly channelPrefix: string | null
  readonly machineId: string | null
  readonly epochs: number | null
  readonly params: Readonly<Record<string, Json>>
  readonly labels: Json
  readonly idempotencyKey: string | null
}

export interface Started {
  readonly snapshot: Snapshot
  readonly reportToken: string | null
}

export interface DispatchOptions {
  readonly channelPrefixes: readonly string[]
  /** Names this server among those that share an event log. */
  readonly serverId: string
  readonly onError: (error: unknown) => void
  readonly now?: () => number
}

/** Time between two tries to record what happened while the engine is out of reach. */
const RETRY_MS = 500
/** How long a stopping server goes on trying. */
const CLOSE_TIMEOUT_MS = 5000

/** Starts and cancels tasks, and records what becomes of them: what launchers tell, and silence. */
export class Dispatch implements JobObserver {
  readonly #log: EventLog
  readonly #writer: TaskWriter
  readonly #trainers: Trainers
  readonly #options: DispatchOptions
  readonly #now: () => number
  readonly #launchers = new Map<string, Launcher>()
  readonly #held: HeldJobs
  /** What is being recorded; awaited before the log is closed. */
  readonly #recording = new Set<Promise<void>>()
  readonly #givingUp = new AbortController()

  constructor(log: EventLog, writer: TaskWriter, trainers: Trainers, options: DispatchOptions) {
    this.#log = log
    this.#writer = writer
    this.#trainers = trainers
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#held = new HeldJobs(log, (key) => this.#stop(key), options.onError)
  }

  /** Launchers need an observer, and the observer needs them: they come second. */
  use(launcher: Launcher): void {
    this.#launchers.set(launcher.name, launcher)
  }

  /**
   * @throws EpochcastError FORBIDDEN, TRAINER_NOT_FOUND, CHANNEL_PREFIX_NOT_ALLOWED, BAD_INPUT, BAD_PARAMS, QUEUE_FULL,
   *   STORE_FULL, IDEMPOTENCY_CONFLICT; then nothing was created
   */
  async start(caller: Caller, request: StartRequest): Promise<Started> {
    authorize(caller, 'tasks:start')
    const trainer = this.#trainers.get(request.trainer)
    const launcher = this.#launcherOf(trainer)
    const spec = this.#specOf(request, trainer, launcher)
    authorize(caller, 'tasks:start', { channelPrefix: spec.channelPrefix })
    const known = request.idempotencyKey === null ? null : await this.#log.snapshot(spec)
    if (known) return this.#repeated(known, spec)

    const place = launcher.reserve()
    let placed = false
    const launch = () => {
      placed = true
      place.launch({ key: spec, trainer, attempt: 1, params: spec.params, reportToken: null })
      if (launcher.endsWithServer) this.#inBackground(() => this.#held.add(spec))
    }
    try {
      const events = lifecycle.queued(spec.createdAt)
      const result = await this.#log.create(spec, events, reduceAll(initialState(spec), events))
      const isOurs = result.snapshot.state.spec.startId === spec.startId
      if (!isOurs) return this.#repeated(result.snapshot, spec)
      launch()
      return { snapshot: result.snapshot, reportToken: null }
    } catch (error) {
      if (!isOutOfReach(error)) throw error
      // It may have been created all the same, its answer lost.
      placed = true
      this.#inBackground(() => this.#settle(spec, request.idempotencyKey !== null, launch, place))
      throw error
    } finally {
      if (!placed) place.giveBack()
    }
  }

  /**
   * What becomes of a task whose creation was not answered. A caller with an idempotencyKey comes back for it,
   * so it is launched; without one nobody knows of it, so it ends.
   */
  async #settle(spec: TaskSpec, isAwaited: boolean, launch: () => void, place: Place): Promise<void> {
    const snapshot = await this.#log.snapshot(spec)
    const { state } = snapshot ?? {}
    const isOurs = state?.spec.startId === spec.startId && state.status === 'QUEUED'
    if (isOurs && isAwaited) return launch()
    if (isOurs) {
      const end = { message: 'the answer to its start was lost; it was not started', type: 'NotStarted' }
      await this.#record(spec, (present) => lifecycle.processEnded(present, end, this.#now()))
    }
    place.giveBack()
  }

  /** @throws EpochcastError FORBIDDEN, TASK_NOT_FOUND, CHANNEL_PREFIX_NOT_ALLOWED, TASK_ENDED */
  async cancel(
    caller: Caller,
    id: string,
    channelPrefix: string | null,
    reason: string | null,
  ): Promise<Snapshot> {
    authorize(caller, 'tasks:cancel', { id })
    const { state, serial } = await getTask(this.#log, this.#options.channelPrefixes, id, channelPrefix)
    const key = state.spec
    authorize(caller, 'tasks:cancel', key)
    const { decision, top } = await this.#record(key, (now) => lifecycle.cancel(now, reason, this.#now()))
    this.#stop(key)
    return { state: decision.state, top, serial }
  }

  started(job: Job): void {
    this.#launching(job, (state) => lifecycle.started(state, job.attempt, this.#now()))
  }

  relaunched(job: Job): void {
    this.#launching(job, (state) => lifecycle.relaunched(state, job.attempt, this.#now()))
  }

  ended(job: Job, end: lifecycle.ProcessEnd): void {
    this.#inBackground(() =>
      this.#record(job.key, (state) => lifecycle.jobEnded(state, job.attempt, end, this.#now())),
    )
  }

  /** Ends every launcher's jobs and records their ends. */
  async close(): Promise<void> {
    await Promise.all([...this.#launchers.values()].map((launcher) => launcher.close()))
    await Promise.race([Promise.all(this.#recording), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })])
    this.#givingUp.abort()
    await Promise.all(this.#recording)
  }

  #specOf(request: StartRequest, trainer: ConfiguredTrainer, launcher: Launcher): TaskSpec {
    const { channelPrefixes } = this.#options
    const channelPrefix = checkChannelPrefix(
      channelPrefixes,
      request.channelPrefix ?? trainer.channelPrefix ?? (channelPrefixes[0] as string),
    )
    const { idempotencyKey, machineId, labels } = request
    const params = trainer.completeParams(paramsOf(request))
    return {
      channelPrefix,
      id: idempotencyKey === null ? randomUUID() : idOf(channelPrefix, idempotencyKey),
      trainer: trainer.name,
      machineId: machineId ?? (typeof params.machine_id === 'string' ? params.machine_id : null),
      labels,
      params,
      createdAt: this.#now(),
      startId: randomUUID(),
      holder: launcher.endsWithServer ? this.#options.serverId : null,
      inputDigest: idempotencyKey === null ? null : digest([trainer.name, machineId, params, labels]),
    }
  }

  #repeated(snapshot: Snapshot, spec: TaskSpec): Started {
    if (snapshot.state.spec.inputDigest === spec.inputDigest) return { snapshot, reportToken: null }
    throw new EpochcastError(
      'IDEMPOTENCY_CONFLICT',
      `idempotencyKey was used before to start task ${quote(channelOf(spec))} with another input; expected the same input or another key`,
    )
  }

  #launcherOf(trainer: { launcher: string }): Launcher {
    const launcher = this.#launchers.get(trainer.launcher)
    if (launcher) return launcher
    throw new Error(`no launcher ${trainer.launcher} is in use`)
  }

  #stop(key: TaskKey): void {
    for (const launcher of this.#launchers.values()) launcher.stop(key)
  }

  #launching(job: Job, decide: (state: TaskState) => TaskEvent[]): void {
    this.#inBackground(async () => {
      const { decision } = await this.#record(job.key, decide)
      // Cancelled between its turn in the queue and the start of its process.
      if (isFinalStatus(decision.state.status)) this.#stop(job.key)
    })
  }

  #record(key: TaskKey, decide: (state: TaskState) => TaskEvent[]) {
    return this.#writer.update(key, (state) => {
      const events = decide(state)
      return { events, state: reduceAll(state, events) }
    })
  }

  /** What happened must be recorded, however long the engine is out of reach meanwhile. */
  #inBackground(record: () => Promise<unknown>): void {
    const recording = this.#persist(record)
      .catch(this.#options.onError)
      .finally(() => this.#recording.delete(recording))
    this.#recording.add(recording)
  }

  async #persist(record: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await record()
        return
      } catch (error) {
        const isOver = this.#givingUp.signal.aborted
        if (isOver || !isWorthRepeating(error)) throw error
      }
      await sleep(RETRY_MS)
    }
  }
}

const isOutOfReach = (error: unknown): boolean =>
  error instanceof EpochcastError && error.code === 'ENGINE_UNAVAILABLE'

const isWorthRepeating = (error: unknown): boolean =>
  error instanceof EpochcastError && ERROR_CODES[error.code].retryable

/** `machine_id` and `epochs` are parameters like any other; they may be given once, in either place. */
function paramsOf({ params, machineId, epochs }: StartRequest): Record<string, Json> {
  const merged: Record<string, Json> = { ...params }
  for (const [name, field, value] of [
    ['machine_id', 'machineId', machineId],
    ['epochs', 'epochs', epochs],
  ] as const) {
    if (value === null) continue
    if (Object.hasOwn(merged, name) && merged[name] !== value) {
      throw new EpochcastError(
        'BAD_INPUT',
        `${field} is ${quote(value)} and params.${name} is ${quote(merged[name])}; expected one of them, or the same value`,
      )
    }
    merged[name] = value
  }
  return merged
}

/** The same key leads to the same task on every server, without anything to look up. RFC 9562, version 8. */
function idOf(channelPrefix: string, idempotencyKey: string): string {
  const hash = createHash('sha256').update(`${channelPrefix}\0${idempotencyKey}`).digest()
  hash[6] = ((hash[6] as number) & 0x0f) | 0x80
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function digest(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(value)))
    .digest('base64url')
}

/** With the keys of every object in order, so that the same input written otherwise is the same. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}
