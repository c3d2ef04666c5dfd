import { hostname } from 'node:os'
import type { Report, Reporter } from './report.ts'
import { ReportBuffer } from './report-buffer.ts'
import { type Outcome, postReports, type ReportingTarget, reportMetricsBody } from './report-metrics.ts'

export interface HttpReporterOptions extends ReportingTarget {
  /** Names this process among the task's producers. Default: host, process id, attempt and start time. */
  producer?: string
  /** Reports kept while the server is slow or away; see ReportBuffer for what is dropped beyond. Default 10,000. */
  maxBufferedReports?: number
  /** Default 16 MiB. */
  maxBufferedBytes?: number
  /** Default and API maximum: 1000. */
  maxBatchReports?: number
  /** Default 250,000, so that a request stays below 256 KiB. A larger single report is sent alone. */
  maxBatchBytes?: number
  /** Reports made within this time travel together. Default 100. */
  batchIntervalMs?: number
  /** The first wait after a failed request; doubles up to maxBackoffMs. Default 250. */
  minBackoffMs?: number
  /** Default 15,000. */
  maxBackoffMs?: number
  /** Default 10,000. */
  requestTimeoutMs?: number
  /** Where a lasting problem is told, one line at a time. Default: stderr. */
  log?: (line: string) => void
}

const defaults = {
  maxBufferedReports: 10_000,
  maxBufferedBytes: 16 * 1024 * 1024,
  maxBatchReports: 1000,
  maxBatchBytes: 250_000,
  batchIntervalMs: 100,
  minBackoffMs: 250,
  maxBackoffMs: 15_000,
  requestTimeoutMs: 10_000,
  log: (line: string): void => {
    process.stderr.write(`${line}\n`)
  },
}

const RESULT_TOO_LARGE = 'RESULT_TOO_LARGE'

/** That the training succeeded matters more than what it says of it. */
function withoutResult(report: string): string {
  const parsed = JSON.parse(report) as Report
  return 'success' in parsed ? JSON.stringify({ success: { ...parsed.success, result: null } }) : report
}

/** A flush has a deadline; waiting longer than this between two tries would waste it. */
const maxFlushBackoffMs = 1000

/**
 * Sends a trainer's reports to Epochcast in the background.
 *
 * `report` only puts the report into a bounded buffer. One request at a time carries the oldest
 * reports; it is repeated, unchanged, until it is confirmed, so the order holds and a request whose
 * response was lost has no second effect (producer + firstSequence). Whatever the server does, training
 * goes on: an unreachable server costs the oldest progress reports, a refusal ends the reporting.
 *
 * JavaScript runs on one thread: a training loop must give the event loop a turn (`setImmediate`)
 * now and then, or nothing is sent before it ends.
 */
export class HttpReporter implements Reporter {
  readonly producer: string
  readonly #options: HttpReporterOptions & typeof defaults
  readonly #buffer: ReportBuffer
  #nextSequence = 1
  #inFlightReports = 0
  #request: AbortController | undefined
  #sending: Promise<void> | undefined
  #endPause: () => void = () => {}
  #flushing = false
  #closed = false
  #refused = false
  #stopRequested = false
  #unencodable = 0

  constructor(options: HttpReporterOptions) {
    this.#options = { ...defaults, ...options }
    this.#buffer = new ReportBuffer({
      maxReports: this.#options.maxBufferedReports,
      maxBytes: this.#options.maxBufferedBytes,
    })
    this.producer =
      options.producer ?? `${hostname()}-${process.pid}-${options.attempt ?? 1}-${Date.now().toString(36)}`
  }

  get stopRequested(): boolean {
    return this.#stopRequested
  }

  /** Reports that will never be sent, because the buffer was full or they were not JSON. */
  get droppedReports(): number {
    return this.#buffer.dropped + this.#unencodable
  }

  /** Reports not yet known to be stored by the server. */
  get pendingReports(): number {
    return this.#buffer.size + this.#inFlightReports
  }

  report(report: Report): void {
    if (this.#refused || this.#closed) return
    try {
      this.#buffer.push(report)
    } catch (error) {
      if (this.#unencodable++ === 0) this.#options.log(`epochcast: a report is not JSON, dropped: ${error}`)
      return
    }
    this.#sending ??= this.#send()
  }

  /** Makes `stopRequested` true, as a response of the server would. */
  requestStop(): void {
    this.#stopRequested = true
  }

  /** Sends without waiting for more; true when everything was delivered before the deadline. */
  async flush(deadlineMs: number): Promise<boolean> {
    this.#flushing = true
    this.#endPause()
    let timer: NodeJS.Timeout | undefined
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs)
    })
    await Promise.race([this.#sending, deadline])
    clearTimeout(timer)
    this.#flushing = false
    return !this.#refused && this.pendingReports === 0
  }

  /** Flushes, then gives up on whatever is left. */
  async close(deadlineMs = 10_000): Promise<boolean> {
    const delivered = await this.flush(deadlineMs)
    if (!delivered && !this.#refused && !this.#closed) {
      this.#options.log(`epochcast: ${this.pendingReports} reports could not be delivered`)
    }
    this.#closed = true
    this.#request?.abort()
    this.#endPause()
    return delivered
  }

  async #send(): Promise<void> {
    while (!this.#refused && !this.#closed) {
      if (!this.#flushing) await this.#pause(this.#options.batchIntervalMs)
      const reports = this.#buffer.take(this.#options.maxBatchReports, this.#options.maxBatchBytes)
      if (reports.length === 0) break
      // Numbered only now: a report dropped from the buffer leaves no gap in the sequence.
      const first = this.#nextSequence
      this.#inFlightReports = reports.length
      this.#nextSequence += reports.length
      await this.#deliver(reports, first)
      this.#inFlightReports = 0
    }
    // No await between the empty buffer and this line: a report made later starts a new loop.
    this.#sending = undefined
  }

  async #deliver(reports: readonly string[], first: number): Promise<void> {
    const { minBackoffMs, maxBackoffMs, log, url } = this.#options
    let body = reportMetricsBody(this.#options, this.producer, first, reports)
    let isWithoutResult = false
    let failures = 0
    while (!this.#closed) {
      const outcome = await this.#post(body)
      if (outcome.kind === 'accepted') {
        if (failures > 0) log(`epochcast: reports reach ${url} again`)
        if (outcome.stopRequested) this.#stopRequested = true
        return
      }
      if (outcome.kind === 'refused' && outcome.code === RESULT_TOO_LARGE && !isWithoutResult) {
        log(`epochcast: ${outcome.reason}; the success is reported without it`)
        body = reportMetricsBody(this.#options, this.producer, first, reports.map(withoutResult))
        isWithoutResult = true
        continue
      }
      if (outcome.kind === 'refused') return this.#giveUp(outcome)
      if (failures === 0 && !this.#closed) {
        log(`epochcast: reports do not reach ${url} (${outcome.reason}); training goes on, retrying`)
      }
      const ceilingMs = Math.min(
        this.#flushing ? maxFlushBackoffMs : maxBackoffMs,
        minBackoffMs * 2 ** failures,
      )
      failures++
      // Full jitter: trainers that lost the same server do not come back all at once.
      await this.#pause(Math.random() * ceilingMs)
    }
  }

  async #post(body: string): Promise<Outcome> {
    const { requestTimeoutMs } = this.#options
    const request = new AbortController()
    this.#request = request
    const timer = setTimeout(
      () => request.abort(new Error(`no response in ${requestTimeoutMs} ms`)),
      requestTimeoutMs,
    )
    const outcome = await postReports(this.#options, body, request.signal)
    clearTimeout(timer)
    return outcome
  }

  #giveUp(outcome: Outcome & { kind: 'refused' }): void {
    this.#options.log(
      `epochcast: reports are no longer accepted (${outcome.code}: ${outcome.reason}); reporting ends`,
    )
    this.#refused = true
    this.#buffer.clear()
    if (outcome.code === 'TASK_ENDED' || outcome.code === 'STALE_ATTEMPT') this.#stopRequested = true
  }

  /** A wait that flush and close can cut short, and that does not keep a finished process alive. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      timer.unref()
      this.#endPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
