import type { Metrics, Report, Reporter } from '../../../trainers/report.ts'

/** Keeps what a training function reports; asks it to stop once `stopWhen` is true of a report. */
export class RecordingReporter implements Reporter {
  readonly reports: Report[] = []
  stopRequested = false
  readonly #stopWhen: (report: Report) => boolean

  constructor(stopWhen: (report: Report) => boolean = () => false) {
    this.#stopWhen = stopWhen
  }

  report(report: Report): void {
    this.reports.push(report)
    if (this.#stopWhen(report)) this.stopRequested = true
  }

  epochMetrics(phase: 'TRAIN' | 'VAL'): Metrics[] {
    return this.reports.flatMap((report) =>
      'epochEnd' in report && report.epochEnd.phase === phase ? [report.epochEnd.metrics] : [],
    )
  }

  rounds() {
    return this.reports.flatMap((report) => ('roundEnd' in report ? [report.roundEnd] : []))
  }
}
