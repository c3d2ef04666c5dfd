import { RateLimit } from '../bounds/rate-limit.ts'
import type { EventLog } from '../event-log/event-log.ts'
import { noTask } from '../event-log/find-task.ts'
import type { OutputWriter } from '../event-log/output-writer.ts'
import type { Caller } from '../repository/access.ts'
import { getForCaller } from '../repository/find-for-caller.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import { type OutputBatch, planOutput, type SentLine } from '../task/output.ts'
import type { Position } from '../task/position.ts'
import { channelOf, hasEnded, type TaskKey, type TaskStart, type TaskState } from '../task/task.ts'

export interface OutputIngestResult {
  readonly key: TaskKey
  readonly accepted: number
  readonly duplicates: number
  /** Where the output ends; null where there still is none. */
  readonly top: Position | null
  readonly stopRequested: boolean
}

export interface OutputIngestOptions {
  readonly channelPrefixes: readonly string[]
  /** Lines that one task takes of callers in a second; null for no bound. */
  readonly linesPerSecond: number | null
  readonly now?: () => number
}

/** A trainer's way into its task's output: a batch is appended whole, once, in order, or not at all. */
export class OutputIngest {
  readonly #log: Pick<EventLog, 'snapshot'>
  readonly #writer: OutputWriter
  readonly #options: OutputIngestOptions
  readonly #rate: RateLimit | null
  readonly #now: () => number

  constructor(log: Pick<EventLog, 'snapshot'>, writer: OutputWriter, options: OutputIngestOptions) {
    this.#log = log
    this.#writer = writer
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#rate = options.linesPerSecond === null ? null : rateOf(options.linesPerSecond)
  }

  /**
   * @throws EpochcastError FORBIDDEN, TASK_NOT_FOUND, CHANNEL_PREFIX_NOT_ALLOWED, TASK_ENDED, RATE_LIMITED, CONTENDED,
   *   STORE_FULL, ENGINE_UNAVAILABLE, and the refusals of `planOutput`
   */
  async report(
    caller: Caller,
    id: string,
    channelPrefix: string | null,
    batch: OutputBatch,
  ): Promise<OutputIngestResult> {
    const asked = { id, channelPrefix, allowedPrefixes: this.#options.channelPrefixes }
    const { state } = await getForCaller(this.#log, caller, 'tasks:report', asked)
    return this.#append(state, { ...batch, lines: batch.lines.map(cutToBound) }, this.#rate)
  }

  /**
   * For what this process prints into an output itself, which has bounds of its own: that of one start of a task. Another that has
   * its id by now gets nothing of it.
   *
   * @throws EpochcastError TASK_NOT_FOUND, TASK_ENDED, CONTENDED, STORE_FULL, ENGINE_UNAVAILABLE, and the refusals of
   *   `planOutput`
   */
  async append(start: TaskStart, batch: OutputBatch): Promise<void> {
    const snapshot = await this.#log.snapshot(start)
    if (snapshot?.state.spec.startId !== start.startId) throw noTask(start.id, start.channelPrefix)
    await this.#append(snapshot.state, batch, null)
  }

  async #append(state: TaskState, batch: OutputBatch, rate: RateLimit | null): Promise<OutputIngestResult> {
    const key = state.spec
    const now = this.#now()
    if (hasEnded(state) && now - (state.finishedAt ?? now) > LIMITS.outputAfterEndMs) {
      const minutes = LIMITS.outputAfterEndMs / 60_000
      throw new EpochcastError(
        'TASK_ENDED',
        `task ${quote(channelOf(key))} ended with ${state.status} more than ${minutes} minutes ago; output rejected`,
        { details: { status: state.status } },
      )
    }
    let isCounted = false
    const { top, duplicates } = await this.#writer.append(key, (before) => {
      const plan = planOutput(before, batch, state.attempt, new Date(now).toISOString())
      // Not those that are repeated, and once where it is decided again.
      if (rate && plan.lines.length > 0 && !isCounted) rate.take(channelOf(key), plan.lines.length)
      isCounted = true
      return plan
    })
    const accepted = batch.lines.length - duplicates
    return { key, accepted, duplicates, top, stopRequested: state.stopRequested || hasEnded(state) }
  }
}

/** A line that is too long is cut and marked, on the boundary of a character. */
function cutToBound(line: SentLine): SentLine {
  // UTF-8 has no halves of characters; what is stored is what every engine can store.
  const bytes = Buffer.from(line.text)
  if (bytes.length <= LIMITS.outputLineBytes) return { ...line, text: bytes.toString() }
  let end = LIMITS.outputLineBytes
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return { ...line, text: bytes.toString('utf8', 0, end), isCut: true }
}

const rateOf = (perSecond: number): RateLimit =>
  new RateLimit(
    'lines of output of one task',
    { perSecond, burst: 2 * Math.max(perSecond, LIMITS.outputLinesPerCall) },
    'EPOCHCAST_OUTPUT_LINES_PER_SECOND',
  )
