import { inputText } from '../clients/typescript/reporter/encode-report.ts'
import { readEnvironment, type TrainerEnvironment } from './environment.ts'
import type { Report, Reporter, TrainingOutcome } from './report.ts'
import { ServerReporter } from './server-reporter.ts'

/** How long the last reports may take to arrive before the process exits without them. */
const flushDeadlineMs = 30_000
/** The same after SIGTERM, which SIGKILL follows. */
const terminatedFlushDeadlineMs = 4_000

export type Train = (environment: TrainerEnvironment, reporter: Reporter) => Promise<TrainingOutcome>

/**
 * A trainer's process: reads the environment, trains, reports how it ended as the last report, and
 * exits with 0 (finished, or stopped as asked) or 1 (failed). SIGTERM and SIGINT ask the training to
 * stop; a second one ends the process at once.
 *
 * Without EPOCHCAST_URL the reports go to stdout, one JSON text a line.
 */
export async function runTrainer(train: Train): Promise<never> {
  const environment = readEnvironment(process.env)
  const reporter = environment.target ? new ServerReporter(environment.target) : new StdoutReporter()
  let deadlineMs = flushDeadlineMs
  let concluded = false
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      deadlineMs = terminatedFlushDeadlineMs
      reporter.requestStop()
      if (concluded) void reporter.close(deadlineMs)
    })
  }

  const exitCode = await trainAndConclude(train, environment, reporter)
  concluded = true
  await reporter.close(deadlineMs)
  // Explicit: kept-alive connections would hold the process for seconds.
  process.exit(exitCode)
}

/** Trains and makes the last report; returns the process's exit code. Never rejects. */
export async function trainAndConclude(
  train: Train,
  environment: TrainerEnvironment,
  reporter: Reporter,
): Promise<0 | 1> {
  try {
    const outcome = await train(environment, reporter)
    if (outcome.kind === 'finished') {
      reporter.report({ success: { result: outcome.result } })
    } else {
      reporter.report({ status: { status: 'CANCELLED', message: `stopped after ${outcome.after}` } })
    }
    return 0
  } catch (cause) {
    const error = cause instanceof Error ? cause : new Error(String(cause))
    process.stderr.write(`${error.stack}\n`)
    reporter.report({ failure: { error: error.message, errorType: error.name } })
    return 1
  }
}

class StdoutReporter implements Reporter {
  stopRequested = false

  requestStop(): void {
    this.stopRequested = true
  }

  report(report: Report): void {
    process.stdout.write(`${inputText(report)}\n`)
  }

  async close(): Promise<void> {}
}
