import type { GraphQLFormattedError } from 'graphql'

/**
 * What the client itself can report; every other code is the server's (`extensions.code`).
 *
 * - `CONNECTION_FAILED`: the server was not reached, or the connection was lost. Trying again may help.
 * - `BAD_RESPONSE`: something responded, but not with GraphQL; most often the URL is wrong.
 * - `CONSUMER_TOO_SLOW`: values of a `subscribe` came faster than they were taken, beyond the buffer's bound.
 * - `CLIENT_DISPOSED`: `dispose` was called.
 * - `CANNOT_RESUME`: a persisted document of trainingProgress does not select `cursor` and `__typename`.
 */
export type ClientErrorCode =
  | 'CONNECTION_FAILED'
  | 'BAD_RESPONSE'
  | 'CONSUMER_TOO_SLOW'
  | 'CLIENT_DISPOSED'
  | 'CANNOT_RESUME'

export interface EpochcastClientErrorOptions {
  readonly code: string
  readonly retryable: boolean
  readonly errors?: readonly GraphQLFormattedError[]
  readonly cause?: unknown
}

/** The only error that the client throws, beside the reason of a signal that was aborted. */
export class EpochcastClientError extends Error {
  /** A `ClientErrorCode`, or the server's code of the first of `errors`. */
  readonly code: string
  /** Whether the same call may succeed later. */
  readonly retryable: boolean
  /** Everything that GraphQL reported; empty where the server said nothing. */
  readonly errors: readonly GraphQLFormattedError[]

  constructor(message: string, { code, retryable, errors = [], cause }: EpochcastClientErrorOptions) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'EpochcastClientError'
    this.code = code
    this.retryable = retryable
    this.errors = errors
  }
}

export function refused(errors: readonly GraphQLFormattedError[]): EpochcastClientError {
  const [first] = errors
  const code = first?.extensions?.code
  return new EpochcastClientError(first?.message ?? 'the server refused without a reason', {
    code: typeof code === 'string' ? code : 'INTERNAL_SERVER_ERROR',
    // Without a word from the server, only a failure of its own is worth another try.
    retryable: first?.extensions?.retryable === true,
    errors,
  })
}

export function disposed(): EpochcastClientError {
  return new EpochcastClientError('the client was disposed', { code: 'CLIENT_DISPOSED', retryable: false })
}

export function taskNotFound(taskId: string): EpochcastClientError {
  return new EpochcastClientError(`there is no task ${JSON.stringify(taskId)}`, {
    code: 'TASK_NOT_FOUND',
    retryable: false,
  })
}

/** `problem` is what fetch or the socket threw. */
export function unreachable(url: string, problem: unknown): EpochcastClientError {
  return new EpochcastClientError(`cannot reach ${url}: ${describe(problem)}`, {
    code: 'CONNECTION_FAILED',
    retryable: true,
    cause: problem,
  })
}

/** Close codes by which a server says that coming back with the same request is of no use. */
const FINAL_CLOSE_CODES: ReadonlySet<number> = new Set([
  1002, 1003, 1007, 1008, 1009, 1010, 4400, 4401, 4406, 4409, 4429,
])

/** Translates what graphql-ws gives to an operation that cannot go on. */
export function socketFailure(url: string, problem: unknown): EpochcastClientError {
  if (Array.isArray(problem)) return refused(problem)
  if (!isClose(problem)) return unreachable(url, problem)
  const { code, reason } = problem
  return new EpochcastClientError(`${url} closed the connection (${code}${reason ? ` ${reason}` : ''})`, {
    code: 'CONNECTION_FAILED',
    retryable: !FINAL_CLOSE_CODES.has(code),
    cause: problem,
  })
}

export function isClose(value: unknown): value is { code: number; reason: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'number' &&
    'reason' in value
  )
}

/** Whether coming back is of no use after what graphql-ws gave to an operation, beside the errors of GraphQL. */
export function isFinalClose(problem: unknown): boolean {
  return isClose(problem) && FINAL_CLOSE_CODES.has(problem.code)
}

/** The innermost message that says something: fetch and sockets wrap what happened several times. */
function describe(problem: unknown): string {
  if (typeof problem !== 'object' || problem === null) return String(problem)
  const { message, cause, error, errors, code } = problem as Record<string, unknown>
  if (cause !== undefined) return describe(cause)
  if (error !== undefined && error !== null) return describe(error)
  if (Array.isArray(errors) && errors.length > 0) return describe(errors[0])
  if (typeof message === 'string' && message !== '') return message
  return typeof code === 'string' ? code : 'the connection failed'
}
