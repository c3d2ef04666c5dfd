import { GraphQLError } from 'graphql'
import type { EpochcastError } from '../task/errors.ts'

/** When a refused client may come back, for those that read no bodies; in whole seconds, as HTTP has it. */
export function retryAfter({
  extensions: { retryAfterMs },
}: Pick<EpochcastError, 'extensions'>): Record<string, string> {
  return typeof retryAfterMs === 'number' ? { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) } : {}
}

/** The refusal of an operation before it was run, with what Yoga makes a status and headers of where it may be tried again. */
export function withRetryAfter(refused: GraphQLError): GraphQLError {
  const { message, extensions } = refused
  if (extensions.retryable !== true) return refused
  const status = extensions.code === 'RATE_LIMITED' ? 429 : 503
  return new GraphQLError(message, {
    extensions: { ...extensions, http: { status, headers: retryAfter({ extensions }) } },
  })
}
