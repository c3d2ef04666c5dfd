import { createClient as createSseClient } from 'graphql-sse'
import { type Client, createClient } from 'graphql-ws'
import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'

// biome-ignore lint/suspicious/noExplicitAny: tests look into results of documents that are plain text
export type Data = any

export interface Result {
  readonly data?: Data
  readonly errors?: readonly { message: string; path?: unknown; extensions: Record<string, unknown> }[]
}

/** One operation over HTTP, whatever its outcome. */
export async function post(
  url: string,
  query: string,
  variables: Record<string, unknown> = {},
  bearer?: string,
): Promise<Result> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json',
      ...(bearer && { authorization: `Bearer ${bearer}` }),
    },
    body: JSON.stringify({ query, variables }),
  })
  return (await response.json()) as Result
}

/** One operation over HTTP that must succeed. */
export async function run(
  url: string,
  query: string,
  variables: Record<string, unknown> = {},
  bearer?: string,
): Promise<Data> {
  const { data, errors } = await post(url, query, variables, bearer)
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}

/** One operation over HTTP that must be refused; answers its only error. */
export async function refusal(
  url: string,
  query: string,
  variables: Record<string, unknown> = {},
  bearer?: string,
) {
  const { data, errors } = await post(url, query, variables, bearer)
  if (errors?.length !== 1 || !errors[0])
    throw new Error(`expected one error: ${JSON.stringify({ data, errors })}`)
  return errors[0]
}

/** A real graphql-ws client that does not come back by itself. */
export function webSocketClient(url: string): Client {
  const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 })
  onTestFinished(() => client.dispose())
  return client
}

/** Everything that a subscription over WebSocket delivers, to its completion. */
export async function collect(
  client: Client,
  query: string,
  variables: Record<string, unknown> = {},
  onResult: (result: Result) => void = () => {},
): Promise<Result[]> {
  const results: Result[] = []
  for await (const result of client.iterate({ query, variables })) {
    results.push(result as Result)
    onResult(result as Result)
  }
  return results
}

/** Everything that a subscription over server-sent events delivers, to its completion. */
export async function collectSse(
  url: string,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<Result[]> {
  const client = createSseClient({ url, retryAttempts: 0 })
  onTestFinished(() => client.dispose())
  const results: Result[] = []
  for await (const result of client.iterate({ query, variables })) results.push(result as Result)
  return results
}

export const START = /* GraphQL */ `
  mutation ($input: StartTrainingInput!) {
    startTraining(input: $input) { task { id channelPrefix channel status attempt params cursor } reportToken }
  }`

export const REPORT = /* GraphQL */ `
  mutation ($input: ReportMetricsInput!) {
    reportMetrics(input: $input) { accepted duplicates cursor stopRequested }
  }`

export const CANCEL = /* GraphQL */ `
  mutation ($input: CancelTrainingInput!) { cancelTraining(input: $input) { task { id status stopRequested } } }`

export const TASK = /* GraphQL */ `
  query ($id: ID!, $channelPrefix: String) {
    task(id: $id, channelPrefix: $channelPrefix) {
      id status attempt stage current total progress epoch totalEpochs round totalRounds loss metrics message
      etaSeconds result error { message type } createdAt startedAt updatedAt finishedAt cursor stopRequested stopReason
    }
  }`

export const WATCH = /* GraphQL */ `
  subscription ($taskId: ID!, $channelPrefix: String, $after: Cursor, $last: Int) {
    trainingProgress(taskId: $taskId, channelPrefix: $channelPrefix, after: $after, last: $last) {
      __typename taskId timestamp cursor
      ... on ProgressUpdate { current loss metrics }
      ... on EpochEnded { epoch phase metrics }
      ... on StatusChanged { status message }
      ... on EventsSkipped { count skipReason }
      ... on TrainingSucceeded { result }
      ... on TrainingFailed { error errorType }
      ... on TrainingCancelled { reason }
      ... on StreamOpened { channel task { status } }
      ... on StreamClosing { reason }
    }
  }`

/** Registers an external run and answers its id. */
export async function startExternal(url: string, input: Record<string, unknown> = {}): Promise<string> {
  const { startTraining } = await run(url, START, { input: { trainer: 'external', ...input } })
  return startTraining.task.id
}

export async function report(url: string, taskId: string, ...reports: unknown[]): Promise<Data> {
  return (await run(url, REPORT, { input: { taskId, reports } })).reportMetrics
}

export const progressReports = (from: number, to: number): unknown[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ progress: { current: from + i, loss: 1 / (from + i) } }))

/** The events of a stream's results, without the stream's own. */
export const eventsOf = (results: readonly Result[]): Data[] =>
  results.map(({ data, errors }) => {
    if (errors) throw new Error(JSON.stringify(errors))
    return data.trainingProgress
  })

export const kindsOf = (results: readonly Result[]): string[] =>
  eventsOf(results).map((event) => event.__typename)

/** `current` of every ProgressUpdate, in the order of arrival. */
export const currentsIn = (events: readonly Data[]): number[] =>
  events.flatMap(({ __typename, current }) => (__typename === 'ProgressUpdate' ? [current] : []))

/** As `currentsIn`, of a stream's results. */
export const currentsOf = (results: readonly Result[]): number[] => currentsIn(eventsOf(results))
