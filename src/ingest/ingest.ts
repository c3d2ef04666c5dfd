import { RateLimit } from '../bounds/rate-limit.ts'
import { noTask } from '../event-log/find-task.ts'
import type { TaskWriter } from '../event-log/task-writer.ts'
import { authorize, type Caller, reaches, unauthenticated } from '../repository/access.ts'
import { ownPrefixes } from '../repository/find-for-caller.ts'
import { LIMITS } from '../task/limits.ts'
import { planReports, type ReportBatch } from '../task/plan-reports.ts'
import type { Position } from '../task/position.ts'
import { channelOf, hasEnded, isFinalStatus, type TaskKey, type TaskState } from '../task/task.ts'
import { boundReports } from './bound-reports.ts'

export interface IngestResult {
  readonly key: TaskKey
  readonly accepted: number
  readonly duplicates: number
  readonly top: Position
  readonly stopRequested: boolean
  readonly warnings: readonly string[]
}

/** A trainer's way into the log: a batch is appended whole, once, in order, or not at all. */
export class Ingest {
  readonly #writer: TaskWriter
  readonly #channelPrefixes: readonly string[]
  readonly #now: () => number

  readonly #rate: RateLimit | null

  /** @param reportsPerSecond that one task takes; null for no bound */
  constructor(
    writer: TaskWriter,
    channelPrefixes: readonly string[],
    {
      reportsPerSecond = null,
      now = Date.now,
    }: { reportsPerSecond?: number | null; now?: () => number } = {},
  ) {
    this.#writer = writer
    this.#channelPrefixes = channelPrefixes
    this.#now = now
    this.#rate = reportsPerSecond === null ? null : rateOf(reportsPerSecond)
  }

  /**
   * @throws EpochcastError FORBIDDEN, TASK_NOT_FOUND, CHANNEL_PREFIX_NOT_ALLOWED, CONTENDED, ENGINE_UNAVAILABLE,
   *   RATE_LIMITED, STORE_FULL, and the refusals of `planReports`
   */
  async report(
    caller: Caller,
    taskId: string,
    channelPrefix: string | null,
    batch: ReportBatch,
  ): Promise<IngestResult> {
    authorize(caller, 'tasks:report')
    const prefixes = ownPrefixes(caller, channelPrefix, this.#channelPrefixes)
    if (prefixes.length === 0 || caller.taskIds?.has(taskId) === false) throw noTask(taskId, channelPrefix)
    const found = this.#writer.find(prefixes, taskId, channelPrefix)
    const key = found instanceof Promise ? await found : found
    const { reports, warnings } = boundReports(batch.reports)
    const bound = reports === batch.reports ? batch : { ...batch, reports }
    let isCounted = false
    const { decision, top } = await this.#writer.update(key, (state) => {
      this.#checkReach(caller, state, taskId, channelPrefix)
      const plan = planReports(state, bound, this.#now())
      // Not those that are repeated, and once where it is decided again.
      if (this.#rate && plan.accepted > 0 && !isCounted) this.#rate.take(channelOf(key), plan.accepted)
      isCounted = true
      return plan
    })
    const { accepted, duplicates, state } = decision
    const isOver = batch.reports.length === 0 ? hasEnded(state) : state.status === 'CANCELLED'
    // A trainer that asks for a task that has ended trains for nothing.
    return {
      key,
      accepted,
      duplicates,
      top,
      stopRequested: state.stopRequested || isOver,
      warnings: [...warnings, ...decision.warnings],
    }
  }

  /** What was sent again or for an ended task is told only to those that the task is for, too. */
  #checkReach(
    caller: Caller,
    { spec, status, finishedAt }: TaskState,
    id: string,
    prefix: string | null,
  ): void {
    if (!reaches(caller, spec)) throw noTask(id, prefix)
    // Of report tokens alone.
    if (caller.taskCreatedAt === null || finishedAt === null || !isFinalStatus(status)) return
    if (this.#now() - finishedAt <= LIMITS.reportTokenAfterEndMs) return
    const endedAt = new Date(finishedAt).toISOString()
    throw unauthenticated('expired', `the report token ended with its task, a day after ${endedAt}`)
  }
}

/** What a trainer held back while the server was away may come at once. */
const rateOf = (perSecond: number): RateLimit =>
  new RateLimit(
    'reports of one task',
    { perSecond, burst: Math.max(2 * perSecond, LIMITS.reportsPerCall) },
    'EPOCHCAST_TASK_REPORTS_PER_SECOND',
  )
