import type { LogEvent } from './sequence.ts'

/** The text of an operation; the type is that of its data. */
export type Operation<Data> = string & { readonly data?: Data }

export interface Started {
  readonly startTraining: { readonly task: { readonly id: string; readonly channel: string } }
}

export interface Reported {
  readonly reportMetrics: { readonly accepted: number; readonly duplicates: number }
}

/** An event of the log, or one that tells of the stream. */
export interface StreamEvent extends LogEvent {
  readonly error?: string
  readonly count?: number
  readonly skipReason?: string
}

export interface Watched {
  readonly trainingProgress: StreamEvent
}

export interface Logged {
  readonly task: {
    readonly status: string
    readonly current: number
    readonly events: {
      readonly edges: readonly { readonly node: LogEvent }[]
      readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
    }
  }
}

const EVENT = /* GraphQL */ `
  __typename cursor timestamp
  ... on ProgressUpdate { current }
  ... on StatusChanged { status }
`

export const START: Operation<Started> = /* GraphQL */ `
  mutation ($input: StartTrainingInput!) { startTraining(input: $input) { task { id channel } } }
`

export const REPORT: Operation<Reported> = /* GraphQL */ `
  mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted duplicates } }
`

export const WATCH: Operation<Watched> = /* GraphQL */ `
  subscription ($taskId: ID!, $after: Cursor, $last: Int) {
    trainingProgress(taskId: $taskId, after: $after, last: $last) {
      ${EVENT}
      ... on EventsSkipped { count skipReason }
      ... on StreamInterrupted { error }
    }
  }
`

export const EVENTS: Operation<Logged> = /* GraphQL */ `
  query ($taskId: ID!, $after: Cursor) {
    task(id: $taskId) {
      status current
      events(first: 1000, after: $after) { edges { node { ${EVENT} } } pageInfo { hasNextPage endCursor } }
    }
  }
`

export interface ApiError {
  readonly message: string
  readonly extensions?: { readonly code?: string; readonly retryable?: boolean }
}

/** A call that may have had its effect or not: nobody answered, or the answer says to try again. */
export class Unanswered extends Error {}

/** An answer that no fault explains. */
export class Refused extends Error {}

const CALL_TIMEOUT_MS = 15_000

/**
 * One operation over HTTP.
 *
 * @returns its data
 * @throws Unanswered, Refused
 */
export async function call<Data>(
  url: string,
  query: Operation<Data>,
  variables: Record<string, unknown>,
): Promise<Data> {
  const answer = await ask(url, JSON.stringify({ query, variables }))
  const [error] = answer.errors ?? []
  if (!error) return answer.data as Data
  if (isPassing(error)) throw new Unanswered(error.message)
  throw new Refused(JSON.stringify(error))
}

/**
 * Whether the same may succeed later, by no fault of the server: an unexpected error in it is a finding,
 * although a client may well try again.
 */
export function isPassing({ extensions }: ApiError) {
  return extensions?.retryable === true && extensions.code !== 'INTERNAL_SERVER_ERROR'
}

async function ask(url: string, body: string): Promise<{ data?: unknown; errors?: ApiError[] }> {
  let text: string
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
      },
      body,
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    })
    text = await response.text()
  } catch (error) {
    throw new Unanswered(String(error))
  }
  try {
    return JSON.parse(text)
  } catch {
    throw new Unanswered(`the answer is no JSON: ${text.slice(0, 200)}`)
  }
}
