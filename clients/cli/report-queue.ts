import { EpochcastClientError, type ReportInput } from '../typescript/index.ts'
import { DEFAULT_RETRY, pause, retryDelayMs } from '../typescript/retry.ts'
import type { ReportSender } from './report-sender.ts'

type Item =
  | { readonly kind: 'reports'; readonly reports: readonly ReportInput[]; readonly size: number }
  /** Of a line that would not arrive as it was written; told in its turn. */
  | { readonly kind: 'problem'; readonly problem: string; readonly size: 0 }

export interface ReportQueueOptions {
  readonly signal: AbortSignal
  /** Told once when the server is away, and nothing more is lost or held up by it. */
  readonly onAway: (reason: string) => void
  /** Characters that may wait. */
  readonly maxSize?: number
}

/** Characters of reports that wait for the server; more are left out, and said so. */
const MAX_SIZE = 64 * 1024 * 1024
/** Tries once the input has ended, about two minutes. */
const LAST_ATTEMPTS = 12

/**
 * What a training has piped and the server has not taken yet: while that is away, the training is neither held up by a full pipe
 * nor ended by a broken one.
 */
export class ReportQueue {
  readonly #sender: ReportSender
  readonly #options: ReportQueueOptions
  readonly #items: Item[] = []
  #size = 0
  #isFinished = false
  readonly #endPause = new AbortController()
  #sending: Promise<void> | null = null

  constructor(sender: ReportSender, options: ReportQueueOptions) {
    this.#sender = sender
    this.#options = options
  }

  addReports(reports: readonly ReportInput[], size: number): void {
    if (this.#size + size > (this.#options.maxSize ?? MAX_SIZE))
      for (const _ of reports)
        this.#sender.refuse('LEFT_OUT', 'more came than the server could take or be kept')
    else this.#add({ kind: 'reports', reports, size })
  }

  addProblem(problem: string): void {
    this.#add({ kind: 'problem', problem, size: 0 })
  }

  /** @throws EpochcastClientError where the rest cannot be delivered; the signal's reason */
  async finish(): Promise<void> {
    this.#isFinished = true
    this.#endPause.abort()
    await this.#sending
  }

  #add(item: Item): void {
    this.#items.push(item)
    this.#size += item.size
    if (this.#sending !== null) return
    this.#sending = this.#send().then(() => {
      this.#sending = null
    })
    // What it fails with is thrown at the end, which awaits it.
    this.#sending.catch(() => {})
  }

  async #send(): Promise<void> {
    for (let item = this.#items[0]; item; item = this.#items[0]) {
      if (item.kind === 'problem') this.#sender.refuse('BAD_INPUT', item.problem)
      const rest = item.kind === 'problem' ? [] : await this.#deliver(item)
      this.#items.splice(0, 1, ...rest)
      this.#size -= item.size
    }
  }

  /** Empty where they were taken or told to be refused; else what is to be sent instead. */
  async #deliver({ reports }: Extract<Item, { kind: 'reports' }>): Promise<Item[]> {
    const { signal, onAway } = this.#options
    let lastAttempts = 0
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#sender.send(reports, 1)
        return []
      } catch (error) {
        if (!(error instanceof EpochcastClientError) || signal.aborted) throw error
        const isRefusal = !error.retryable && error.errors.length > 0
        // All or none: which of them it was, they tell one by one.
        if (isRefusal && reports.length > 1)
          return reports.map((report) => ({ kind: 'reports', reports: [report], size: 0 }))
        if (isRefusal) {
          this.#sender.refuse(error.code, error.message)
          return []
        }
        if (this.#isFinished && (!error.retryable || ++lastAttempts >= LAST_ATTEMPTS)) throw error
        if (attempt === 1) onAway(error.message)
        await this.#pause(attempt)
      }
    }
  }

  /** Cut short by the end of the input, once. */
  async #pause(attempt: number): Promise<void> {
    const { signal } = this.#options
    const { signal: ended } = this.#endPause
    const waiting = ended.aborted ? signal : AbortSignal.any([signal, ended])
    await pause(retryDelayMs(attempt, DEFAULT_RETRY), waiting).catch(() => signal.throwIfAborted())
  }
}
