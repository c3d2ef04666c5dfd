import type { ReportInput, StartTrainingInput } from '../generated/graphql.ts'

/** Values by name: numbers, NaN and infinities, booleans; null is left out, objects within are named `a/b`. */
export type ReportedMetrics = Readonly<Record<string, unknown>>

export interface ReporterOptions {
  /** The GraphQL endpoint. Default, in Node: `EPOCHCAST_URL`; where there is neither, nothing is reported, without a word. */
  readonly url?: string | undefined
  /** Default, in Node: `EPOCHCAST_TOKEN`. A function is asked at each call. */
  readonly token?: string | (() => string | Promise<string>) | undefined
  /** The task to report to. Default, in Node: the one that this process was launched for (`EPOCHCAST_TASK_ID`). */
  readonly taskId?: string | undefined
  readonly channelPrefix?: string | undefined
  /** The attempt that reports. Default, of a task that this process was launched for: `EPOCHCAST_ATTEMPT`. */
  readonly attempt?: number | undefined
  /** The rank, client or node that reports: its curves are its own. */
  readonly member?: string | undefined
  /** Where there is no task, a run is registered, as an external one; the same idempotencyKey is the same run. */
  readonly run?: Omit<StartTrainingInput, 'trainer' | 'retryOf'> | undefined
  /** Node: where reports are kept that cannot be sent, for `epochcast sync`. Default: `EPOCHCAST_SPOOL_DIR`. */
  readonly spoolDirectory?: string | undefined
  /** In front of the name of its file there: files are sent in the order of their names. */
  readonly spoolPrefix?: string | undefined
  /** Without a report, how often the server is asked whether to stop. Default 10,000. */
  readonly stopPollMs?: number | undefined
  /** Default: the global one. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Told once of each problem. Default: `console.warn`. */
  readonly onNotice?: ((text: string) => void) | undefined
  /** Told once, when somebody cancels the training. */
  readonly onStop?: (() => void) | undefined
  /** What may wait in memory, in characters of JSON. Default 64 Mi. */
  readonly maxMemoryBytes?: number | undefined
  /** Longest wait for what is left at the end. Default 10,000. */
  readonly flushMs?: number | undefined
}

export interface ProgressFields {
  readonly current: number
  readonly total?: number | undefined
  /** May be a fraction. */
  readonly epoch?: number | undefined
  readonly step?: number | undefined
  readonly loss?: number | undefined
  readonly metrics?: ReportedMetrics | undefined
  readonly message?: string | undefined
  readonly stage?: string | undefined
}

/**
 * One training's way to Epochcast. No call waits or throws, whatever it is given and whatever the server does: it puts its
 * values on a queue, from which they are sent in the background, in order, each once. The end (`success`, `failure`,
 * `cancelled`) is the last report; its promise tells whether all was delivered within a bounded time. In Node the end of the
 * process reports it, where nobody has: success, or failure by its exit code. An exception that nobody catches, and
 * `process.exit`, leave no time for that; `track` does.
 *
 * JavaScript runs on one thread: a training loop has to give the event loop a turn now and then, or nothing is sent before
 * it ends.
 */
export interface Reporter {
  /** Values of one step. Without `step` it is one more than the last. */
  log(metrics: ReportedMetrics, at?: { step?: number | undefined; epoch?: number | undefined }): void
  progress(progress: ProgressFields): void
  epochStart(epoch: number, totalEpochs?: number): void
  /** @param phase train, val or test */
  epochEnd(epoch: number, phase?: string, metrics?: ReportedMetrics, at?: { step?: number | undefined }): void
  roundEnd(
    round: number,
    values?: {
      readonly totalRounds?: number | undefined
      readonly fitMetrics?: ReportedMetrics | undefined
      readonly evalMetrics?: ReportedMetrics | undefined
      readonly step?: number | undefined
    },
  ): void
  /** What the training is doing, in words. */
  status(message: string): void
  /** Something went wrong, and the training goes on. */
  error(error: unknown, errorType?: string): void
  /** Any report of the API; one that ends the run is to be followed by `close`. */
  report(report: ReportInput): void
  /** @param result at most 64 KiB of JSON */
  success(result?: unknown): Promise<boolean>
  failure(error: unknown, errorType?: string): Promise<boolean>
  cancelled(message?: string): Promise<boolean>
  /** Runs a training and reports how it ended; what it returns is the result, and what it throws is thrown on. */
  track<T>(training: (reporter: Reporter) => Promise<T> | T): Promise<T>
  /** Whether somebody cancelled the training, by the last reply of the server. */
  readonly shouldStop: boolean
  /** Null until the server has registered the run. */
  readonly taskId: string | null
  /** Waits until all that was reported is at the server; whether it is. */
  flush(timeoutMs?: number): Promise<boolean>
  /** Delivers what there is, for a bounded time, and reports no end. Whether all was delivered. */
  close(timeoutMs?: number): Promise<boolean>
}
