import { GraphQLError } from 'graphql'
import { EpochcastError, ERROR_CODES, type ErrorCode } from '../task/errors.ts'

const MAX_MESSAGE_LENGTH = 1000

/** Codes that the libraries beneath use for what has a name of its own here. */
const RENAMED: Readonly<Record<string, ErrorCode>> = {
  BAD_USER_INPUT: 'BAD_INPUT',
  OPERATION_RESOLUTION_FAILURE: 'BAD_REQUEST',
  REQUEST_ENTITY_TOO_LARGE: 'BODY_TOO_LARGE',
}

/**
 * The one place where errors become GraphQL's. What is known keeps its message and gets a code; what is
 * not is told to `onUnexpected` and masked.
 */
export function toGraphQLError(error: unknown, onUnexpected: (error: unknown) => void): GraphQLError {
  const cause = rootCause(error)
  if (cause instanceof EpochcastError) return rebuilt(error, cause.message, cause.extensions)
  if (cause instanceof GraphQLError && error instanceof GraphQLError) {
    const code = codeOf(error, cause)
    if (code !== 'INTERNAL_SERVER_ERROR') {
      return rebuilt(error, error.message, {
        ...error.extensions,
        ...cause.extensions,
        code,
        retryable: ERROR_CODES[code].retryable,
      })
    }
  }
  onUnexpected(cause)
  const message = 'something went wrong in the server; its log tells more'
  return rebuilt(error, message, new EpochcastError('INTERNAL_SERVER_ERROR', message).extensions)
}

/** As `toGraphQLError`, for clients that are not served by Yoga: without its hints for HTTP. */
export function withoutHttpHints(error: GraphQLError): GraphQLError {
  const { http: _, ...extensions } = error.extensions
  return rebuilt(error, error.message, extensions)
}

function rootCause(error: unknown): unknown {
  let cause = error
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError
  return cause
}

/** The code nearest to the cause wins: a scalar knows better what was wrong than the variable it was in. */
function codeOf(error: GraphQLError, cause: GraphQLError): ErrorCode {
  for (const { code } of [cause.extensions, error.extensions]) {
    if (typeof code !== 'string') continue
    const ours = RENAMED[code] ?? code
    if (ours in ERROR_CODES) return ours as ErrorCode
  }
  if (error.message.startsWith('Syntax Error')) return 'GRAPHQL_PARSE_FAILED'
  // Made by GraphQL itself, of what the client sent.
  return 'BAD_REQUEST'
}

function rebuilt(error: unknown, message: string, extensions: Record<string, unknown>): GraphQLError {
  const shortened =
    message.length <= MAX_MESSAGE_LENGTH ? message : `${message.slice(0, MAX_MESSAGE_LENGTH)}… (shortened)`
  const options = { extensions }
  if (!(error instanceof GraphQLError)) return new GraphQLError(shortened, options)
  const { nodes = null, source = null, positions = null, path = null } = error
  const http = error.extensions.http === undefined ? {} : { http: error.extensions.http }
  return new GraphQLError(shortened, {
    nodes,
    source,
    positions,
    path,
    extensions: { ...http, ...extensions },
  })
}
