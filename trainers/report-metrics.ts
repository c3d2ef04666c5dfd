/** One reportMetrics call: the request's text, and what its response means for the caller. */

export interface ReportingTarget {
  /** The GraphQL endpoint, e.g. http://127.0.0.1:4000/graphql. */
  url: string
  taskId: string
  channelPrefix?: string | undefined
  token?: string | undefined
  attempt?: number | undefined
}

export type Outcome =
  | { kind: 'accepted'; stopRequested: boolean }
  /** Nothing is known to be stored; the same request may be sent again. */
  | { kind: 'unavailable'; reason: string }
  /** Trying again cannot help. */
  | { kind: 'refused'; code: string; reason: string }

const mutation =
  'mutation ReportBatch($input: ReportMetricsInput!) { reportMetrics(input: $input) { accepted duplicates stopRequested } }'

const retryableCodes = new Set(['ENGINE_UNAVAILABLE', 'INTERNAL_SERVER_ERROR'])
const retryableHttpStatuses = new Set([408, 425, 429])

/** `reports` are JSON texts of ReportInput, in order; `firstSequence` is the number of the first. */
export function reportMetricsBody(
  target: ReportingTarget,
  producer: string,
  firstSequence: number,
  reports: readonly string[],
): string {
  const { taskId, channelPrefix, attempt } = target
  const input = JSON.stringify({ taskId, channelPrefix, attempt, producer, firstSequence })
  return `{"query":${JSON.stringify(mutation)},"operationName":"ReportBatch","variables":{"input":${input.slice(0, -1)},"reports":[${reports.join()}]}}}`
}

/** Never rejects: whatever goes wrong is an outcome. */
export async function postReports(
  target: ReportingTarget,
  body: string,
  signal: AbortSignal,
): Promise<Outcome> {
  try {
    const response = await fetch(target.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(target.token ? { authorization: `Bearer ${target.token}` } : {}),
      },
      body,
      signal,
    })
    return readOutcome(response.status, await response.text())
  } catch (error) {
    return { kind: 'unavailable', reason: describe(error) }
  }
}

interface GraphQLResponse {
  data?: { reportMetrics?: { stopRequested?: boolean } | null } | null
  errors?: { message?: string; extensions?: { code?: string; retryable?: boolean } }[]
}

/** @internal exported for the tests */
function readOutcome(httpStatus: number, text: string): Outcome {
  const response = parseJson(text)
  const payload = response?.data?.reportMetrics
  if (payload) return { kind: 'accepted', stopRequested: payload.stopRequested === true }

  const error = response?.errors?.[0]
  const { code, retryable } = error?.extensions ?? {}
  const reason = error?.message ?? `HTTP ${httpStatus}`
  if (retryable === true || (code && retryableCodes.has(code))) return { kind: 'unavailable', reason }
  if (code) return { kind: 'refused', code, reason }
  if (httpStatus >= 500 || retryableHttpStatuses.has(httpStatus)) return { kind: 'unavailable', reason }
  // A 2xx without a GraphQL response comes from something in between, such as a proxy being restarted.
  if (httpStatus < 300 && !error) return { kind: 'unavailable', reason: 'the response is not GraphQL' }
  return { kind: 'refused', code: `HTTP_${httpStatus}`, reason }
}

function parseJson(text: string): GraphQLResponse | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** `fetch failed` says nothing; its cause says ECONNREFUSED. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error && error.cause.message ? error.cause.message : error.message
}
