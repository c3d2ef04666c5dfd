import type { ReportInput } from '../generated/graphql.ts'
import {
  countOf,
  errorFields,
  fractionOf,
  inputText,
  metricsOf,
  phaseOf,
  reportText,
  withMetrics,
  wordsUpTo,
} from './encode-report.ts'
import { REPORTER_LIMITS as LIMITS } from './limits.ts'
import type { NodeParts } from './node.ts'
import { type Notices, wordsOf } from './notices.ts'
import type { ProgressFields, ReportedMetrics, Reporter, ReporterOptions } from './options.ts'
import type { Pipeline } from './pipeline.ts'

/** What a training calls: its values become texts at once, as they may change afterwards. */
export class RunReporter implements Reporter {
  readonly #pipeline: Pipeline | null
  readonly #node: NodeParts | null
  readonly #notices: Notices
  readonly #member: string | null
  readonly #flushMs: number
  #step = 0
  /** What `progress` counts, where it was called. */
  #current: number | undefined
  #ended: Promise<boolean> | null = null
  readonly #beforeExit = (code: number) => void this.#endWithProcess(code)

  /** @param pipeline null: all of it does nothing */
  constructor(pipeline: Pipeline | null, node: NodeParts | null, options: ReporterOptions, notices: Notices) {
    this.#pipeline = pipeline
    this.#node = node
    this.#notices = notices
    this.#member = options.member?.slice(0, LIMITS.nameLength) || null
    this.#flushMs = options.flushMs ?? LIMITS.flushMs
    node?.beforeExit(this.#beforeExit)
  }

  log(metrics: ReportedMetrics, at: { step?: number | undefined; epoch?: number | undefined } = {}): void {
    this.#put('log', () => {
      const step = at.step === undefined ? this.#step + 1 : countOf(at.step)
      this.#step = step ?? this.#step
      const fields = { current: this.#current ?? this.#step, step: this.#step, epoch: fractionOf(at.epoch) }
      return withMetrics('progress', fields, { metrics: metricsOf(metrics, this.#notices) })
    })
  }

  progress(progress: ProgressFields): void {
    this.#put('progress', () => {
      const { current, total, epoch, step, loss, metrics, message, stage } = progress
      this.#current = countOf(current) ?? 0
      const fields = {
        ...{ current: this.#current, total: countOf(total), epoch: fractionOf(epoch), step: countOf(step) },
        ...{ message: wordsUpTo(message, LIMITS.messageLength), stage: wordsUpTo(stage, LIMITS.stageLength) },
      }
      const values = loss === undefined ? metrics : { ...metrics, loss }
      return withMetrics('progress', fields, { metrics: metricsOf(values, this.#notices) })
    })
  }

  epochStart(epoch: number, totalEpochs?: number): void {
    this.#put('epochStart', () => {
      this.#checkIsRun('epochStart')
      return [reportText('epochStart', { epoch: countOf(epoch) ?? 0, totalEpochs: countOf(totalEpochs) })]
    })
  }

  epochEnd(
    epoch: number,
    phase = 'train',
    metrics: ReportedMetrics = {},
    at: { step?: number | undefined } = {},
  ): void {
    this.#put('epochEnd', () => {
      // Where only steps were logged, an epoch ends at the last of them: so its curves share their x.
      const step = countOf(at.step) ?? (this.#step || undefined)
      const fields = { epoch: fractionOf(epoch) ?? 0, phase: phaseOf(phase, this.#notices), step }
      return withMetrics('epochEnd', fields, { metrics: metricsOf(metrics, this.#notices) })
    })
  }

  roundEnd(round: number, values: Parameters<Reporter['roundEnd']>[1] = {}): void {
    this.#put('roundEnd', () => {
      const { totalRounds, fitMetrics, evalMetrics, step } = values
      const fields = { round: countOf(round) ?? 0, totalRounds: countOf(totalRounds), step: countOf(step) }
      return withMetrics('roundEnd', fields, {
        fitMetrics: metricsOf(fitMetrics, this.#notices),
        evalMetrics: metricsOf(evalMetrics, this.#notices),
      })
    })
  }

  status(message: string): void {
    this.#put('status', () => {
      this.#checkIsRun('status')
      return [reportText('status', { status: 'RUNNING', message: wordsUpTo(message, LIMITS.messageLength) })]
    })
  }

  error(error: unknown, errorType?: string): void {
    this.#put('error', () => [reportText('error', errorFields(error, errorType))])
  }

  report(report: ReportInput): void {
    this.#put('report', () => [inputText(report)])
  }

  success(result?: unknown): Promise<boolean> {
    return this.#end(() => {
      try {
        const text = reportText('success', { result })
        if (text.length <= LIMITS.resultBytes) return text
        throw new RangeError(
          `it has ${text.length} characters of JSON; expected at most ${LIMITS.resultBytes}`,
        )
      } catch (error) {
        // The end itself must arrive.
        this.#notices.say('result', `the result was left out: ${wordsOf(error)}`)
        return reportText('success', {})
      }
    })
  }

  failure(error: unknown, errorType?: string): Promise<boolean> {
    return this.#end(() => reportText('failure', errorFields(error, errorType)))
  }

  cancelled(message?: string): Promise<boolean> {
    const words = wordsUpTo(message, LIMITS.messageLength)
    return this.#end(() => reportText('status', { status: 'CANCELLED', message: words }))
  }

  async track<T>(training: (reporter: Reporter) => Promise<T> | T): Promise<T> {
    try {
      const result = await training(this)
      await (this.shouldStop ? this.cancelled('stopped') : this.success(result))
      return result
    } catch (error) {
      await this.failure(error)
      throw error
    }
  }

  get shouldStop(): boolean {
    return this.#pipeline?.stopRequested ?? false
  }

  get taskId(): string | null {
    return this.#pipeline?.taskId ?? null
  }

  async flush(timeoutMs = this.#flushMs): Promise<boolean> {
    return (await this.#pipeline?.flush(timeoutMs)) ?? false
  }

  close(timeoutMs = this.#flushMs): Promise<boolean> {
    this.#ended ??= this.#close(timeoutMs)
    return this.#ended
  }

  #endWithProcess(code: number): Promise<boolean> {
    if (this.#member !== null) return this.close()
    if (code !== 0) return this.failure(`the training exited with code ${code}`, 'ExitCode')
    return this.shouldStop ? this.cancelled('stopped') : this.success()
  }

  async #close(timeoutMs: number): Promise<boolean> {
    this.#node?.forgetExit(this.#beforeExit)
    return (await this.#pipeline?.close(timeoutMs)) ?? false
  }

  /** Once; what is reported afterwards is left out. A member's end is not that of the run. */
  #end(text: () => string): Promise<boolean> {
    if (this.#ended || !this.#pipeline) return this.#ended ?? Promise.resolve(false)
    try {
      if (this.#member === null) this.#pipeline.putEnd(text())
    } catch (error) {
      this.#notices.say('end', `the end could not be reported, ${wordsOf(error)}`)
    }
    return this.close()
  }

  #put(call: string, texts: () => readonly string[]): void {
    if (this.#ended || !this.#pipeline) return
    try {
      for (const text of texts()) this.#pipeline.put(text, this.#member)
    } catch (error) {
      this.#notices.say('call', `a call of ${call} was left out, ${wordsOf(error)}`)
    }
  }

  #checkIsRun(kind: string): void {
    if (this.#member !== null) throw new TypeError(`a member does not report ${kind}; the run itself does`)
  }
}
