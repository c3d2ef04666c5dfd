import { type ReportInput, ReportMetricsDocument } from '../typescript/index.ts'
import { defined } from './options.ts'
import { printable } from './render/text.ts'
import type { Connection } from './session.ts'
import { writeLine } from './terminal.ts'

/** Where reports go, and who sends them. */
export interface Destination {
  readonly taskId: string
  readonly channelPrefix: string | undefined
  readonly member: string | undefined
  readonly producer: string
  readonly attempt: number | undefined
}

const SEND_ATTEMPTS = 10

/** Sends reports in order, numbered where there is a first number, and counts what became of them. */
export class ReportSender {
  readonly #connection: Connection
  readonly #destination: Destination
  #sequence: number | undefined
  #accepted = 0
  #duplicates = 0
  #refused = 0
  #stopRequested = false
  #lastTold: string | undefined

  constructor(connection: Connection, destination: Destination, firstSequence: number | undefined) {
    this.#connection = connection
    this.#destination = destination
    this.#sequence = firstSequence
  }

  /** Reports that the server did not take. */
  get refused(): number {
    return this.#refused
  }

  get summary(): string {
    const refused = this.#refused > 0 ? ` refused=${this.#refused}` : ''
    return `accepted=${this.#accepted} duplicates=${this.#duplicates}${refused} stopRequested=${this.#stopRequested}`
  }

  /**
   * @param most tries, where a repeated call is harmless
   * @throws EpochcastClientError where they are refused, or cannot be delivered; may then be called again with the same
   */
  async send(reports: readonly ReportInput[], most = SEND_ATTEMPTS): Promise<void> {
    const { client, terminal, signal } = this.#connection
    const { producer, ...to } = this.#destination
    const from = this.#sequence === undefined ? undefined : { producer, firstSequence: this.#sequence }
    const input = { ...defined(to), reports: [...reports], ...from }
    // Without a number, a repeated call would be a second report.
    const attempts = this.#sequence === undefined ? 1 : most
    const payload = (await client.execute(ReportMetricsDocument, { input }, { signal, attempts }))
      .reportMetrics
    this.#accepted += payload.accepted
    this.#duplicates += payload.duplicates
    if (this.#sequence !== undefined) this.#sequence += reports.length
    if (payload.stopRequested && !this.#stopRequested)
      writeLine(terminal.stderr, 'the training is asked to stop')
    this.#stopRequested ||= payload.stopRequested
    for (const warning of payload.warnings) writeLine(terminal.stderr, `warning: ${printable(warning)}`)
  }

  /** Tells of a report that is left out; what was told of the last one is not said again. */
  refuse(code: string, message: string): void {
    this.#refused++
    const told = `refused ${code}: ${printable(message)}`
    if (told !== this.#lastTold) writeLine(this.#connection.terminal.stderr, told)
    this.#lastTold = told
  }
}
