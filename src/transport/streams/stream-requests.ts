import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ExecutionResult, type GraphQLError, getOperationAST, OperationTypeNode } from 'graphql'
import type { Caller } from '../../repository/access.ts'
import { corsHeaders } from '../cors.ts'
import type { CountedResponse } from '../counted-response.ts'
import type { OperationParams, Operations } from '../operations.ts'
import { retryAfter, retryableStatus } from '../retry-after.ts'
import type { ResponseStreams } from './response-streams.ts'
import { textOf } from './response-streams.ts'
import { type StreamFormat, streamFormatFor } from './stream-format.ts'

/** GraphQL subscriptions over HTTP, in the format that their client accepts. */
export class StreamRequests {
  readonly #operations: Operations
  readonly #streams: ResponseStreams

  constructor(operations: Operations, streams: ResponseStreams) {
    this.#operations = operations
    this.#streams = streams
  }

  /** Serves a subscription whose client accepts a stream; false for anything else. */
  tryServe(
    request: IncomingMessage,
    response: ServerResponse,
    params: OperationParams,
    caller: Caller,
  ): boolean {
    const format = streamFormatFor(request.headers.accept)
    if (!format) return false
    const operation = this.#operations.prepare(params, caller)
    if (!('document' in operation)) return false
    const { operation: kind } = getOperationAST(operation.document, operation.operationName) ?? {}
    if (kind !== OperationTypeNode.SUBSCRIPTION) return false
    const { origin, 'last-event-id': lastEventId } = request.headers
    if (typeof lastEventId === 'string' && lastEventId !== '')
      Object.assign(operation.contextValue, { lastEventId })
    const cors = origin === undefined ? {} : corsHeaders(origin)
    void this.#streams.serve(response, operation, format, cors, (result) =>
      refuse(request, response, format, cors, result),
    )
    return true
  }
}

/**
 * As Yoga does it: in the words of the format, so that the client's library can read them. But to a page's EventSource, which
 * would come back with the same question for ever, with a status on which it does not.
 */
function refuse(
  { method }: IncomingMessage,
  response: ServerResponse,
  format: StreamFormat,
  cors: Readonly<Record<string, string>>,
  result: ExecutionResult,
): void {
  const errors = result.errors ?? []
  const { refusals, holder } = response as CountedResponse
  refusals.addAll(errors, 'http', holder)
  const status = method === 'GET' ? statusOf(errors[0]) : hintedStatus(errors)
  const wait = errors[0] ? retryAfter(errors[0]) : {}
  response.writeHead(status, { ...format.headers, ...cors, ...wait })
  response.end(format.opening + format.failure(textOf(result)))
}

/** What the refusal itself asks for: that of an operation before it was run. */
const hintedStatus = (errors: readonly GraphQLError[]): number =>
  Math.max(200, ...errors.map(({ extensions }) => statusIn(extensions.http)))

const statusIn = (http: unknown): number => {
  const { status = 0, spec = false } = (http ?? {}) as { status?: number; spec?: boolean }
  return spec ? 0 : status
}

const STATUS: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  TASK_NOT_FOUND: 404,
  CHANNEL_PREFIX_NOT_ALLOWED: 404,
}

/** The HTTP status of a refusal, for doors whose clients look at nothing else. */
export function statusOf(error: GraphQLError | undefined): number {
  const { code, retryable } = error?.extensions ?? {}
  return STATUS[String(code)] ?? (retryable === true ? retryableStatus(code) : 400)
}
