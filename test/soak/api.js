// @ts-check

const EVENT = /* GraphQL */ `
  __typename cursor timestamp
  ... on ProgressUpdate { current }
  ... on StatusChanged { status }
`

export const START = /* GraphQL */ `
  mutation ($input: StartTrainingInput!) { startTraining(input: $input) { task { id channel } } }
`

export const REPORT = /* GraphQL */ `
  mutation ($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted duplicates } }
`

export const WATCH = /* GraphQL */ `
  subscription ($taskId: ID!, $after: Cursor, $last: Int) {
    trainingProgress(taskId: $taskId, after: $after, last: $last) {
      ${EVENT}
      ... on EventsSkipped { count skipReason: reason }
      ... on StreamInterrupted { error }
    }
  }
`

export const EVENTS = /* GraphQL */ `
  query ($taskId: ID!, $after: Cursor) {
    task(id: $taskId) {
      status current
      events(first: 1000, after: $after) { edges { node { ${EVENT} } } pageInfo { hasNextPage endCursor } }
    }
  }
`

/**
 * @typedef {object} ApiError
 * @property {string} message
 * @property {{ code?: string, retryable?: boolean }} [extensions]
 */

/** A call that may have had its effect or not: nobody answered, or the answer says to try again. */
export class Unanswered extends Error {}

/** An answer that no fault explains. */
export class Refused extends Error {}

const CALL_TIMEOUT_MS = 15_000

/**
 * One operation over HTTP.
 *
 * @param {string} url
 * @param {string} query
 * @param {Record<string, unknown>} variables
 * @returns {Promise<any>} its data
 * @throws {Unanswered | Refused}
 */
export async function call(url, query, variables) {
  const answer = await ask(url, JSON.stringify({ query, variables }))
  const [error] = answer.errors ?? []
  if (!error) return answer.data
  if (isPassing(error)) throw new Unanswered(error.message)
  throw new Refused(JSON.stringify(error))
}

/**
 * Whether the same may succeed later, by no fault of the server: an unexpected error in it is a finding,
 * although a client may well try again.
 *
 * @param {ApiError} error
 */
export function isPassing({ extensions }) {
  return extensions?.retryable === true && extensions.code !== 'INTERNAL_SERVER_ERROR'
}

/**
 * @param {string} url
 * @param {string} body
 * @returns {Promise<{ data?: any, errors?: ApiError[] }>}
 */
async function ask(url, body) {
  let text
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
