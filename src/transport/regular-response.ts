import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import { processRegularResult } from 'graphql-yoga'
import { stringify } from '../execution/raw-json.ts'
import { corsHeaders } from './cors.ts'
import type { CountedResponse } from './counted-response.ts'

export type MediaType = 'application/json' | 'application/graphql-response+json'

const LONG_CHARACTERS = 65_536

/** Sends the result of a query or a mutation, or its refusal. */
export function respond(
  { headers: { origin } }: IncomingMessage,
  response: ServerResponse,
  result: ExecutionResult,
  mediaType: MediaType,
): void {
  if (result.errors) {
    const { refusals, holder } = response as CountedResponse
    refusals.addAll(result.errors, 'http', holder)
  }
  const { status, headers, body } = responseTo(result, mediaType)
  // Node sends headers and a short text together; a long one it would measure once more, and copy.
  const sent = body.length > LONG_CHARACTERS ? Buffer.from(body) : body
  headers['Content-Length'] = `${Buffer.byteLength(sent)}`
  if (origin !== undefined) {
    // An origin that is not allowed has been refused before.
    Object.assign(headers, corsHeaders(origin))
  }
  response.writeHead(status, headers).end(sent)
}

/** Status and body are Yoga's for the same result. */
function responseTo(result: ExecutionResult, mediaType: MediaType): PlainResponse {
  if (!result.errors && !result.extensions) {
    return new PlainResponse(stringify(result), {
      headers: { 'Content-Type': `${mediaType}; charset=utf-8` },
    })
  }
  return processRegularResult(
    result,
    { Response: PlainResponse } as never,
    mediaType,
  ) as unknown as PlainResponse
}

/** What Yoga makes of a result, without the machinery of a Response. */
class PlainResponse {
  readonly body: string
  readonly status: number
  readonly headers: Record<string, string>

  constructor(
    body: string,
    { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> },
  ) {
    this.body = body
    this.status = status
    this.headers = headers
  }
}
