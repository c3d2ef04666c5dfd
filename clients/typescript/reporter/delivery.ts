import { type Batch, lastOf } from './batch.ts'
import { REPORTER_LIMITS } from './limits.ts'
import { type Notices, wordsOf } from './notices.ts'
import type { Outbox } from './outbox.ts'
import { OF_A_REPORT, OF_THE_RUN } from './refusals.ts'
import type { CallOutcome, ReportServer } from './report-server.ts'
import { type DeliveryTarget, newProducer, REPORT_RUN, type ReportedTask, START_RUN } from './target.ts'

type Outcome = CallOutcome
type Refusal = Extract<Outcome, { kind: 'refusal' }>

export interface DeliveryOptions {
  /** Told once, when the training is to stop. */
  readonly onStop?: (() => void) | undefined
  readonly stopPollMs?: number | undefined
}

/**
 * Delivers one run, in order, for as long as it takes. A batch whose reply was lost is repeated as it was, and the server
 * knows by producer and number what it has already; what it refuses for good is replaced by an error report, so that the
 * count goes on.
 */
export class Delivery {
  readonly #server: ReportServer
  readonly #outbox: Outbox
  readonly #notices: Notices
  readonly #start: DeliveryTarget['start']
  readonly #onStop: () => void
  readonly #stopPollMs: number
  #task: ReportedTask | null
  #producer: string
  /** Reports before the producer's first. */
  #base = 0
  #registrations = 0
  #failures = 0
  #askedAt = performance.now()
  #isClosing = false
  #givesUp = false
  /** Something came since the last step began, which that may have missed. */
  #isWoken = false
  #wake: () => void = () => {}
  stopRequested = false
  /** The server takes nothing more. */
  isOver = false
  isAway = false
  /** Why the last call failed; null where it did not. */
  problem: string | null = null
  /** What is there has been delivered, or nothing more can be. */
  readonly done: Promise<void>
  #isDone: () => void = () => {}

  constructor(
    server: ReportServer,
    outbox: Outbox,
    notices: Notices,
    { task, start, producer }: DeliveryTarget,
    { onStop = () => {}, stopPollMs = REPORTER_LIMITS.stopPollMs }: DeliveryOptions = {},
  ) {
    this.#server = server
    this.#outbox = outbox
    this.#notices = notices
    this.#task = task ?? null
    this.#start = start
    this.#producer = producer
    this.#onStop = onStop
    this.#stopPollMs = stopPollMs
    this.done = new Promise((resolve) => {
      this.#isDone = resolve
    })
  }

  /** The id of the task; null until the run is registered. */
  get taskId(): string | null {
    return this.#task?.taskId ?? null
  }

  /** Until the run is closed and all is delivered. Never rejects. */
  async run(): Promise<void> {
    try {
      while (!this.isOver) {
        this.#isWoken = false
        const waitMs = await this.#step()
        if (waitMs === null && this.#isWoken) continue
        if (waitMs === null && this.#isClosing) break
        if (waitMs !== null && waitMs > 0 && this.#givesUp) break
        if (waitMs !== 0) await this.#wait(waitMs ?? this.#stopPollMs, waitMs === null)
      }
    } catch (error) {
      this.#notices.say('bug', `reporting has ended by an error of its own, ${wordsOf(error)}`)
    }
    this.#isDone()
  }

  /** Sends all that there is, without another try after a failure; whether that worked. */
  async deliver(): Promise<boolean> {
    while (!this.isOver && !this.#givesUp) {
      const waitMs = await this.#step()
      if (waitMs === null) return true
      if (waitMs > 0) return false
    }
    return false
  }

  /** There is something to send. While the server is away, it does not shorten the wait. */
  wake(): void {
    this.#isWoken = true
    if (!this.isAway) this.#wake()
  }

  /** The outbox gets nothing more. */
  close(): void {
    this.#isClosing = true
    this.#wake()
  }

  /** Nobody waits any more: what is left stays where it is. */
  giveUp(): void {
    this.#givesUp = true
    this.#wake()
    this.#server.abort()
  }

  /** @param isIdle whether anything that comes ends it, not only the end of the run */
  #wait(ms: number, isIdle: boolean): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      // What waits must not hold a training that has ended; `close` does, for a bounded time.
      if (isIdle || !this.#isClosing) (timer as { unref?: () => void }).unref?.()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** One call, where there is something to say: milliseconds before the next; null where there is nothing. */
  async #step(): Promise<number | null> {
    if (this.#task === null) return this.#waitAfter(await this.#register()) ?? 0
    const batch = await this.#outbox.oldest()
    if (batch) return this.#send(batch)
    const isDue = performance.now() - this.#askedAt >= this.#stopPollMs
    return !this.#isClosing && isDue ? this.#ask() : null
  }

  /** Until the call is to be repeated; null where it was taken, or refused. */
  #waitAfter(outcome: Outcome): number | null {
    if (outcome.kind !== 'unavailable') {
      if (this.isAway && this.#failures >= 2) this.#notices.forget('away')
      this.isAway = false
      this.problem = null
      this.#failures = 0
      return null
    }
    this.isAway = true
    this.problem = outcome.reason
    this.#failures++
    if (this.#failures >= 2)
      this.#notices.say('away', `reports cannot be delivered yet, trying again (${outcome.reason})`)
    const { firstBackoffMs, maxBackoffMs, maxFlushBackoffMs } = REPORTER_LIMITS
    const mostMs = this.#isClosing ? maxFlushBackoffMs : maxBackoffMs
    const ceiling = Math.min(firstBackoffMs * 2 ** Math.min(this.#failures, 20), mostMs)
    // Never at the same time as all the others that lost it.
    return Math.max(outcome.waitMs ?? 0, ceiling * (0.5 + Math.random() / 2))
  }

  async #register(): Promise<Outcome> {
    const outcome = await this.#server.call(START_RUN, 'StartRun', JSON.stringify({ input: this.#start }))
    if (outcome.kind === 'refusal')
      this.#end(`the run cannot be registered: ${outcome.code}: ${outcome.message}`)
    if (outcome.kind !== 'reply') return outcome
    try {
      const { reportToken, task } = outcome.data.startTraining as {
        reportToken: string | null
        task: { id: string; channelPrefix: string }
      }
      this.#task = { taskId: task.id, channelPrefix: task.channelPrefix }
      this.#server.useReportToken(reportToken)
      return outcome
    } catch (error) {
      return notOurs(error)
    }
  }

  async #ask(): Promise<number | null> {
    const outcome = await this.#call({ first: 0, count: 0, member: null, reports: '[]' })
    return this.#waitAfter(outcome)
  }

  async #call({ first, count, member, reports }: Batch): Promise<Outcome> {
    const numbers = count > 0 ? { producer: this.#producer, firstSequence: first - this.#base } : {}
    const input = JSON.stringify({ ...this.#task, ...numbers, ...(member !== null && { member }) })
    this.#askedAt = performance.now()
    const variables = `{"input":${input.slice(0, -1)},"reports":${reports}}}`
    const outcome = await this.#server.call(REPORT_RUN, 'ReportRun', variables)
    if (outcome.kind !== 'reply') return outcome
    try {
      const payload = outcome.data.reportMetrics as { stopRequested: unknown; warnings: Iterable<unknown> }
      if (payload.stopRequested) this.#stop()
      for (const warning of payload.warnings) this.#notices.say('warning', `the server: ${warning}`)
      return outcome
    } catch (error) {
      return notOurs(error)
    }
  }

  #stop(): void {
    if (this.stopRequested) return
    this.stopRequested = true
    this.#onStop()
  }

  async #send(batch: Batch): Promise<number> {
    const outcome = await this.#call(batch)
    if (outcome.kind !== 'refusal') return this.#confirmAfter(outcome, lastOf(batch))
    this.#waitAfter(outcome)
    return this.#refused(batch, outcome)
  }

  async #confirmAfter(outcome: Outcome, number: number): Promise<number> {
    const waitMs = this.#waitAfter(outcome)
    if (waitMs === null) await this.#outbox.confirm(number)
    return waitMs ?? 0
  }

  async #refused(batch: Batch, { code, message }: Refusal): Promise<number> {
    const words = `${code}: ${message}`
    if (code === 'TASK_NOT_FOUND' && this.#start && this.#registrations < REPORTER_LIMITS.registrations) {
      // A server that keeps nothing was started again. The run begins again there.
      this.#notices.say('lost', 'the server no longer has the run; it goes on there with what comes now')
      this.#registrations++
      this.#task = null
      // That of the lost run registers none.
      this.#server.useReportToken(null)
      this.#countFrom(batch.first)
    } else if (code === 'SEQUENCE_GAP' || code === 'SEQUENCE_CONFLICT') {
      this.#notices.say('gap', `the server has lost reports that it had confirmed (${words})`)
      this.#countFrom(batch.first)
    } else if (OF_THE_RUN.has(code)) {
      if (code === 'TASK_ENDED' || code === 'STALE_ATTEMPT') this.#stop()
      this.#end(`what was reported last is refused: ${words}`)
    } else if (OF_A_REPORT.has(code)) {
      return this.#withoutRefused(batch, words)
    } else {
      this.#notices.say('refused', `reports were refused: ${words}`)
      await this.#skip(batch)
    }
    return 0
  }

  /** Under a name of its own, for which the server expects 1. */
  #countFrom(first: number): void {
    this.#producer = newProducer()
    this.#base = first - 1
  }

  async #skip(batch: Batch): Promise<void> {
    await this.#outbox.confirm(lastOf(batch))
    this.#countFrom(lastOf(batch) + 1)
  }

  /** All or none of a call is taken, so its halves are tried apart, down to the report that is refused. */
  async #withoutRefused(batch: Batch, words: string): Promise<number> {
    const reports = JSON.parse(batch.reports) as Record<string, Record<string, unknown>>[]
    if (reports.length > 1) {
      const half = reports.slice(0, Math.floor(reports.length / 2))
      const first = { ...batch, count: half.length, reports: JSON.stringify(half) }
      const outcome = await this.#call(first)
      return outcome.kind === 'refusal'
        ? this.#refused(first, outcome)
        : this.#confirmAfter(outcome, lastOf(first))
    }
    this.#notices.say('refused', `a report was refused: ${words}`)
    const { success } = reports[0] ?? {}
    const note = { error: `a report was refused: ${words}`.slice(0, 4000), errorType: 'ReportRefused' }
    // That the training succeeded matters more than what it says of it.
    const instead = success?.result != null ? { success: { ...success, result: null } } : { error: note }
    const outcome = await this.#call({ ...batch, reports: JSON.stringify([instead]) })
    if (outcome.kind !== 'refusal') return this.#confirmAfter(outcome, lastOf(batch))
    await this.#skip(batch)
    return 0
  }

  #end(words: string): void {
    this.problem = words
    this.#notices.say('over', words)
    this.isOver = true
  }
}

const notOurs = (error: unknown): Outcome => ({
  kind: 'unavailable',
  reason: `the reply is not that of Epochcast, ${wordsOf(error)}`,
  waitMs: null,
})
