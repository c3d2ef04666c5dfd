import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import type { Caller } from '../../repository/access.ts'
import { EpochcastError, type ErrorCode } from '../../task/errors.ts'
import type { Report } from '../../task/report.ts'
import type { TaskKey } from '../../task/task.ts'
import type { Operations } from '../operations.ts'
import type { RelayMessage } from './relay-messages.ts'
import type { RelayRuns, RelaySender } from './relay-runs.ts'

export interface RelayLaneOptions {
  readonly runs: RelayRuns
  readonly operations: Operations
  /** Aborted when the server stops: nothing is waited for any more. */
  readonly signal: AbortSignal
}

export interface Applied {
  readonly task: TaskKey
  /** Whether the message had come before, and did nothing now. */
  readonly isRepeat: boolean
  readonly stopRequested: boolean
  readonly warnings: readonly string[]
}

interface Waiting {
  readonly caller: Caller
  readonly message: RelayMessage
  readonly digest: string | null
  readonly resolve: (applied: Applied) => void
  readonly reject: (error: unknown) => void
}

interface Target {
  readonly task: TaskKey
  /** By which a call whose reply was lost is known when it is repeated. */
  readonly producer: string
  sequence: number
  stopRequested: boolean
}

interface Payload {
  readonly stopRequested: boolean
  readonly warnings: readonly string[]
}

/** Messages of one sender that wait to be applied. */
const MAX_WAITING = 1000
/** Reports that are applied together. */
const MAX_TOGETHER = 100
/** Messages of a sender that are known again when they are repeated. */
const MAX_REMEMBERED = 64
/** For how long a message is tried again where that may help, as a sender that does not listen cannot do it. */
const MAX_RETRY_MS = 30_000
const MAX_PAUSE_MS = 2000
const PASSING: ReadonlySet<unknown> = new Set<ErrorCode>([
  ...(['ENGINE_UNAVAILABLE', 'CONTENDED', 'RATE_LIMITED', 'OVERLOADED'] as const),
])

const REPORT = /* GraphQL */ `
  mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { stopRequested warnings } }`

/** The messages of one sender, in the order in which they came, over however many sockets: some connect for each. */
export class RelayLane {
  readonly #options: RelayLaneOptions
  readonly #sender: RelaySender
  readonly #remembered = new LRUCache<string, true>({ max: MAX_REMEMBERED })
  #waiting: Waiting[] = []
  #isRunning = false
  #target: Target | null = null
  #heardAt = Date.now()
  #sockets = 0

  constructor(sender: RelaySender, options: RelayLaneOptions) {
    this.#sender = sender
    this.#options = options
  }

  get isIdle(): boolean {
    return !this.#isRunning
  }

  /** A socket is open for it, until the returned function is called; meanwhile its run is the same, however quiet it is. */
  hold(): () => void {
    const isQuiet = Date.now() - this.#heardAt > this.#options.runs.quietMs
    if (this.#sockets === 0 && this.#sender.taskId === null && isQuiet) this.#target = null
    this.#sockets++
    return () => {
      this.#sockets--
      this.#heardAt = Date.now()
    }
  }

  /** @throws EpochcastError or GraphQLError: what the message is refused with, and why */
  receive(caller: Caller, message: RelayMessage): Promise<Applied> {
    if (this.#waiting.length >= MAX_WAITING) {
      const found = `${MAX_WAITING} messages of this sender wait already`
      throw new EpochcastError('OVERLOADED', `${found}; try again`, {
        details: { retryAfterMs: MAX_PAUSE_MS },
      })
    }
    const digest = message.isDated ? digestOf(message.text) : null
    return new Promise((resolve, reject) => {
      this.#waiting.push({ caller, message, digest, resolve, reject })
      if (!this.#isRunning) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#waiting.length > 0) await this.#apply(this.#takeBatch())
    this.#isRunning = false
  }

  /** What can be applied together: of one caller, up to an end. */
  #takeBatch(): Waiting[] {
    const [first] = this.#waiting
    let count = 0
    let reports = 0
    for (const { caller, message } of this.#waiting) {
      reports += message.reports.length
      if (caller !== first?.caller || (count > 0 && reports > MAX_TOGETHER)) break
      count++
      if (message.ends) break
    }
    return this.#waiting.splice(0, count)
  }

  async #apply(batch: readonly Waiting[]): Promise<void> {
    const fresh = this.#withoutRepeats(batch)
    if (fresh.length === 0) return
    try {
      const { task, payload } = await this.#send(fresh)
      for (const { digest, message, resolve } of fresh) {
        if (digest !== null) this.#remembered.set(digest, true)
        const { stopRequested } = payload
        const warnings = [...message.warnings, ...payload.warnings]
        resolve({ task, isRepeat: false, stopRequested, warnings })
      }
    } catch (error) {
      // All or none: which of them it was, they tell one by one.
      if (fresh.length > 1 && !isPassing(error)) for (const one of fresh) await this.#apply([one])
      else for (const { reject } of fresh) reject(error)
    }
  }

  #withoutRepeats(batch: readonly Waiting[]): Waiting[] {
    const target = this.#target
    const digests = new Set<string>()
    const again: Waiting[] = []
    const fresh = batch.filter((waiting) => {
      const { digest, resolve } = waiting
      if (digest === null) return true
      const isRepeat = target !== null && this.#remembered.has(digest)
      if (isRepeat)
        resolve({ task: target.task, isRepeat, stopRequested: target.stopRequested, warnings: [] })
      else if (digests.has(digest)) again.push(waiting)
      else return digests.add(digest)
      return false
    })
    // Their turn is when it is known what became of the first.
    this.#waiting.unshift(...again)
    return fresh
  }

  async #send(batch: readonly Waiting[]): Promise<{ task: TaskKey; payload: Payload }> {
    const [{ caller, message }] = batch as [Waiting]
    const reports = batch.flatMap((one) => one.message.reports)
    for (let isAgain = false; ; isAgain = true) {
      const target = this.#target ?? (await this.#retrying(() => this.#find(caller, message.begins)))
      this.#target = target
      try {
        const payload = await this.#retrying(() => this.#report(caller, target, reports))
        target.sequence += reports.length
        target.stopRequested = payload.stopRequested
        this.#heardAt = Date.now()
        return { task: target.task, payload }
      } catch (error) {
        const isNext = codeOf(error) === 'TASK_ENDED' && this.#sender.taskId === null && message.begins
        const isGone = codeOf(error) === 'TASK_NOT_FOUND'
        if (isAgain || !(isGone || isNext)) throw error
        this.#target = null
      }
    }
  }

  async #find(caller: Caller, begins: boolean): Promise<Target> {
    const { channelPrefix, id } = await this.#options.runs.find(caller, this.#sender, begins)
    const task = { channelPrefix, id }
    return { task, producer: `relay-${randomUUID()}`, sequence: 1, stopRequested: false }
  }

  async #report(
    caller: Caller,
    { task, producer, sequence }: Target,
    reports: readonly Report[],
  ): Promise<Payload> {
    const { operations } = this.#options
    const { id: taskId, channelPrefix } = task
    const input = { taskId, channelPrefix, reports, producer, firstSequence: sequence }
    const { data, errors } = await operations.execute(operations.prepareOwn(REPORT, { input }, caller))
    if (errors?.[0]) throw errors[0]
    return (data as { reportMetrics: Payload }).reportMetrics
  }

  /** Tries again what may pass by itself, for a bounded time. */
  async #retrying<T>(attempt: () => Promise<T>): Promise<T> {
    const until = performance.now() + MAX_RETRY_MS
    for (let pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      try {
        return await attempt()
      } catch (error) {
        const { signal } = this.#options
        const waitMs = Math.max(retryAfterMs(error), pauseMs)
        if (!isPassing(error) || signal.aborted || performance.now() + waitMs > until) throw error
        await sleep(waitMs, undefined, { signal }).catch(() => {})
      }
    }
  }
}

/** Of an error of this server, or of what it is to clients. */
const extensionsOf = (error: unknown): Readonly<Record<string, unknown>> =>
  (error as { extensions?: Readonly<Record<string, unknown>> }).extensions ?? {}

const codeOf = (error: unknown): unknown => extensionsOf(error).code
const isPassing = (error: unknown): boolean => PASSING.has(codeOf(error))
const retryAfterMs = (error: unknown): number => Number(extensionsOf(error).retryAfterMs ?? 0)

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64')
