import type { TaskWriter } from '../event-log/task-writer.ts'
import { authorize, type Caller, prefixesOf } from '../repository/access.ts'
import { planReports, type ReportBatch } from '../task/plan-reports.ts'
import type { Position } from '../task/position.ts'
import { hasEnded, type TaskKey } from '../task/task.ts'
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

  constructor(writer: TaskWriter, channelPrefixes: readonly string[], now: () => number = Date.now) {
    this.#writer = writer
    this.#channelPrefixes = channelPrefixes
    this.#now = now
  }

  /**
   * @throws EpochcastError FORBIDDEN, TASK_NOT_FOUND, CHANNEL_PREFIX_NOT_ALLOWED, CONTENDED, ENGINE_UNAVAILABLE, and the
   *   refusals of `planReports`
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
    const { decision, top } = await this.#writer.update(key, (state) =>
      planReports(state, bound, this.#now()),
    )
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
