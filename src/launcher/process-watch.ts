import type { ChildProcess } from 'node:child_process'
import type { Job, LocalTrainer, Submission } from './launcher.ts'
import { OutputCapture, type OutputSink } from './output-capture.ts'
import { SystemSampler } from './system-sampler.ts'

export interface ProcessWatchOptions {
  readonly output: {
    /** Takes what the trainer of a job prints. */
    readonly sinkOf: (job: Job) => OutputSink
    readonly linesPerSecond: number
  }
  readonly system: {
    /** Time between two looks at the machine; null for none. */
    readonly everyMs: number | null
    /** Takes metrics whose names begin with `system/`. */
    readonly onSample: (job: Job, metrics: Readonly<Record<string, number>>) => Promise<unknown>
  }
  readonly onError: (error: unknown) => void
}

/** What is seen of a trainer's process beside its reports: what it prints, and what it takes of its machine. */
export class ProcessWatch {
  readonly #capture: OutputCapture
  readonly #sampler: SystemSampler | null

  constructor(job: Submission<LocalTrainer>, child: ChildProcess, options: ProcessWatchOptions) {
    const { output, system, onError } = options
    const { attempt, reportToken, trainer } = job
    const { linesPerSecond } = output
    this.#capture = new OutputCapture(output.sinkOf(job), {
      ...{ attempt, secrets: [reportToken], linesPerSecond, onError },
    })
    this.#capture.read(child.stdout, 'STDOUT')
    this.#capture.read(child.stderr, 'STDERR')
    const { everyMs } = system
    const isSampled = everyMs !== null && trainer.hasSystemMetrics && child.pid !== undefined
    this.#sampler = isSampled
      ? new SystemSampler(child.pid, {
          everyMs,
          onSample: (metrics) => system.onSample(job, metrics),
          onError,
        })
      : null
  }

  /** The newest of what was printed, for the message of a failure. */
  get tail(): string {
    return this.#capture.tail
  }

  /** Once the process has ended: hands over what is left, for a bounded time. */
  async close(): Promise<void> {
    await Promise.all([this.#capture.close(), this.#sampler?.close()])
  }
}
