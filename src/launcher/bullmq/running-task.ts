import { hostname } from 'node:os'
import type { TaskKey } from '../../task/task.ts'
import type { OutputSink } from '../output-capture.ts'
import { postGraphQL } from './post-graphql.ts'

/** Whose trainer a worker runs, and where it reports. */
export interface RunningTask {
  readonly key: TaskKey
  readonly reportToken: string | null
  readonly reportUrl: string
}

const REPORT_OUTPUT = /* GraphQL */ `
  mutation ($input: ReportOutputInput!) { reportOutput(input: $input) { accepted } }`

/** What a trainer prints goes to the server that it reports to. */
export function outputSinkOf({ key, reportToken }: RunningTask, reportUrl: string): OutputSink {
  return (batch) => {
    const input = { taskId: key.id, channelPrefix: key.channelPrefix, ...batch }
    return postGraphQL(reportUrl, REPORT_OUTPUT, { input }, reportToken)
  }
}

const REPORT_SYSTEM = /* GraphQL */ `
  mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted } }`

/** What a trainer takes of this machine. A sample that does not arrive is gone: the next one is as good. */
export function reportSystem(
  { key, reportToken }: RunningTask,
  reportUrl: string,
  attempt: number,
  metrics: Readonly<Record<string, number>>,
): Promise<unknown> {
  const whose = { taskId: key.id, channelPrefix: key.channelPrefix, attempt, member: hostname() }
  const input = { ...whose, reports: [{ system: { metrics } }] }
  return postGraphQL(reportUrl, REPORT_SYSTEM, { input }, reportToken)
}
