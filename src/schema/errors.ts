import { GraphQLError, Kind } from 'graphql'
import { EpochcastError, ERROR_CODES, type ErrorCode, extensionsOf } from '../task/errors.ts'
import { REPORTED_STATUSES, TASK_STATUSES } from '../task/task.ts'
import { firstCharacters, isUpTo } from '../task/text.ts'

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
 *
 * @param fallback the code of an error that GraphQL itself made, where nothing tells a better one
 */
export function toGraphQLError(
  error: unknown,
  onUnexpected: (error: unknown) => void,
  fallback: ErrorCode = 'BAD_REQUEST',
): GraphQLError {
  const cause = rootCause(error)
  if (cause instanceof EpochcastError) return rebuilt(error, messageOf(error, cause), cause.extensions)
  if (cause instanceof GraphQLError && error instanceof GraphQLError) {
    const code = codeOf(error, fallback)
    if (code !== 'INTERNAL_SERVER_ERROR') {
      return rebuilt(error, messageOf(error, cause), extensionsOf(code, error.extensions))
    }
  }
  onUnexpected(cause)
  const message = 'something went wrong in the server; its log tells more'
  return rebuilt(error, message, new EpochcastError('INTERNAL_SERVER_ERROR', message).extensions)
}

/** As `toGraphQLError`, for clients that are not served by Yoga: without its hints for HTTP. */
export function withoutHttpHints(error: GraphQLError): GraphQLError {
  const { http: _, ...extensions } = error.extensions
  return withExtensions(error, extensions)
}

/** The same error with other `extensions`. */
export function withExtensions(error: GraphQLError, extensions: Record<string, unknown>): GraphQLError {
  const { nodes = null, source = null, positions = null, path = null, message } = error
  return withoutStack(() => new GraphQLError(message, { nodes, source, positions, path, extensions }))
}

function rootCause(error: unknown): unknown {
  let cause = error
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError
  return cause
}

/**
 * GraphQL puts the whole variable in front of what is wrong with a part of it, however large it is;
 * the path to that part says more.
 */
function messageOf(error: unknown, cause: Error): string {
  const isAboutPart = error instanceof GraphQLError && isAboutVariable(error)
  const [, path] = (isAboutPart && / at "([^"]*)"; /.exec(error.message)) || []
  const message = withStatuses(cause.message, path)
  return path === undefined || error === cause ? message : `${path}: ${message}`
}

/** GraphQL would have Celery's STARTED be STALLED, which no trainer may say. */
function withStatuses(message: string, path = ''): string {
  const [, wrong] = /(Value "[^"]*" does not exist in "TaskStatus" enum)\./.exec(message) ?? []
  if (wrong === undefined) return message
  const possible = path.endsWith('.status.status') ? REPORTED_STATUSES : TASK_STATUSES
  return `${wrong}; expected one of ${possible.join(', ')}`
}

const isAboutVariable = ({ nodes }: GraphQLError): boolean => nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION

function codeOf(error: GraphQLError, fallback: ErrorCode): ErrorCode {
  const { code } = error.extensions
  if (typeof code === 'string') {
    const ours = RENAMED[code] ?? code
    if (ours in ERROR_CODES) return ours as ErrorCode
  }
  if (error.message.startsWith('Syntax Error')) return 'GRAPHQL_PARSE_FAILED'
  return isAboutVariable(error) ? 'BAD_INPUT' : fallback
}

function rebuilt(error: unknown, message: string, extensions: Record<string, unknown>): GraphQLError {
  const shortened = isUpTo(message, MAX_MESSAGE_LENGTH)
    ? message
    : `${firstCharacters(message, MAX_MESSAGE_LENGTH)}… (shortened)`
  const options = { extensions }
  if (!(error instanceof GraphQLError)) return withoutStack(() => new GraphQLError(shortened, options))
  const { nodes = null, source = null, positions = null, path = null } = error
  const http = error.extensions.http === undefined ? {} : { http: error.extensions.http }
  const located = { nodes, source, positions, path, extensions: { ...http, ...extensions } }
  return withoutStack(() => new GraphQLError(shortened, located))
}

/** What a client is told shows no stack, which would cost more than all the rest of a refusal. */
function withoutStack<Made>(make: () => Made): Made {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return make()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
