import { type Data, run } from './graphql.ts'

export const WATCH_OUTPUT = /* GraphQL */ `
  subscription ($taskId: ID!, $after: Cursor, $last: Int) {
    taskOutput(taskId: $taskId, after: $after, last: $last) {
      taskId cursor timestamp stream text member isCut skip { lines reason }
    }
  }`

export const REPORT_OUTPUT = /* GraphQL */ `
  mutation ($input: ReportOutputInput!) { reportOutput(input: $input) { accepted duplicates cursor stopRequested } }`

/** Sends lines as another process would. */
export async function print(
  url: string,
  taskId: string,
  texts: readonly string[],
  more: object = {},
): Promise<Data> {
  const lines = texts.map((text) => ({ text }))
  const input = { taskId, lines, ...more }
  return (await run(url, REPORT_OUTPUT, { input })).reportOutput
}
