import { RateLimit } from '../bounds/rate-limit.ts'
import type { TaskWriter } from '../event-log/task-writer.ts'
import { authorize, type Caller, prefixesOf } from '../repository/access.ts'
import { LIMITS } from '../task/limits.ts'
import { planReports, type ReportBatch } from '../task/plan-reports.ts'
import type { Position } from '../task/position.ts'
import { channelOf, hasEnded, type TaskKey } from '../task/task.ts'
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
    // Before the task is looked for: whether it exists is not for every caller to know.
    authorize(caller, 'tasks:report', { id: taskId })
    const found = this.#writer.find(prefixesOf(caller, this.#channelPrefixes), taskId, channelPrefix)
    const key = found instanceof Promise ? await found : found
    authorize(caller, 'tasks:report', key)
    const { reports, warnings } = boundReports(batch.reports)
    const bound = reports === batch.reports ? batch : { ...batch, reports }
    let isCounted = false
    const { decision, top } = await this.#writer.update(key, (state) => {
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
}

/** What a trainer held back while the server was away may come at once. */
const rateOf = (perSecond: number): RateLimit =>
  new RateLimit(
    'reports of one task',
    { perSecond, burst: Math.max(2 * perSecond, LIMITS.reportsPerCall) },
    'EPOCHCAST_TASK_REPORTS_PER_SECOND',
  )
