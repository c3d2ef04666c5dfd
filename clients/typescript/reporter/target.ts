/** A task as reportMetrics names it. */
export interface ReportedTask {
  readonly taskId: string
  readonly channelPrefix?: string
  readonly attempt?: number
}

/** Whose reports they are: a task that is there, or a run that is to be registered (input of startTraining). */
export interface DeliveryTarget {
  readonly producer: string
  readonly task?: ReportedTask
  readonly start?: Readonly<Record<string, unknown>>
}

/** In hexadecimal digits. `randomUUID` is only for pages of a secure origin. */
export const randomId = (bytes = 16): string =>
  Array.from(globalThis.crypto.getRandomValues(new Uint8Array(bytes)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')

/** Names one process's count of reports: no other has the same. */
export const newProducer = (): string => `js-${randomId()}`

/** Word for word as the manifest of trusted documents has them, of `clients/operations/`. */
export const REPORT_RUN =
  'mutation ReportRun($input: ReportMetricsInput!) { reportMetrics(input: $input) { stopRequested warnings } }'
export const START_RUN =
  'mutation StartRun($input: StartTrainingInput!) { startTraining(input: $input) { reportToken task { channelPrefix id } } }'
