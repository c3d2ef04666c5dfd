import type { Reporter as RunReporter } from '../clients/typescript/reporter/options.ts'
import { createReporter } from '../clients/typescript/reporter/reporter.ts'
import type { ReportingTarget } from './environment.ts'
import type { Report, Reporter } from './report.ts'

/** Reports to Epochcast by the reporter of `epochcast/client`, and can be asked to stop by a signal, too. */
export class ServerReporter implements Reporter {
  readonly #run: RunReporter
  #isAskedToStop = false

  constructor(target: ReportingTarget) {
    const onNotice = (text: string) => void process.stderr.write(`${text}\n`)
    this.#run = createReporter({ ...target, onNotice })
  }

  get stopRequested(): boolean {
    return this.#isAskedToStop || this.#run.shouldStop
  }

  report(report: Report): void {
    this.#run.report(report)
  }

  /** Makes `stopRequested` true, as a response of the server would. */
  requestStop(): void {
    this.#isAskedToStop = true
  }

  /** Whether all was delivered in time. */
  close(deadlineMs: number): Promise<boolean> {
    return this.#run.close(deadlineMs)
  }
}
