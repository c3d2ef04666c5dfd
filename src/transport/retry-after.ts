import type { ExecutionResult, GraphQLError } from 'graphql'
import { withExtensions } from '../schema/errors.ts'
import type { EpochcastError } from '../task/errors.ts'

/** When a refused client may come back, for those that read no bodies; in whole seconds, as HTTP has it. */
export function retryAfter({
  extensions: { retryAfterMs },
}: Pick<EpochcastError, 'extensions'>): Record<string, string> {
  return typeof retryAfterMs === 'number' ? { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) } : {}
}

const STATUS: Readonly<Record<string, number>> = { RATE_LIMITED: 429, INTERNAL_SERVER_ERROR: 500 }

/** The HTTP status of what may succeed later. */
export const retryableStatus = (code: unknown): number => STATUS[String(code)] ?? 503

/**
 * A result with what Yoga makes a status and headers of, where nothing of it succeeded and all that is wrong are refusals that
 * may pass: for clients and proxies that look no further. Anything else is an answer, whose errors tell each by itself.
 */
export function withRetryAfter(result: ExecutionResult): ExecutionResult {
  const { errors = [] } = result
  const [first, ...others] = errors
  if (!first || !errors.every(isRefusal) || hasSucceeded(result)) return result
  const status = Math.max(...errors.map(({ extensions }) => retryableStatus(extensions.code)))
  const retryAfterMs = Math.max(...errors.map(({ extensions }) => Number(extensions.retryAfterMs)))
  const http = { status, headers: retryAfter({ extensions: { retryAfterMs } }) }
  return { ...result, errors: [withExtensions(first, { ...first.extensions, http }), ...others] }
}

/** A failure of the server's own is no refusal, and an answer as GraphQL has it. */
const isRefusal = ({ extensions: { code, retryable } }: GraphQLError): boolean =>
  retryable === true && code !== 'INTERNAL_SERVER_ERROR'

/** Whether anything at the root is there, or is missing without an error. */
function hasSucceeded({ data, errors = [] }: ExecutionResult): boolean {
  if (!data) return false
  const failed = new Set(errors.map(({ path }) => path?.[0]))
  return Object.entries(data).some(([name, value]) => value !== null || !failed.has(name))
}
