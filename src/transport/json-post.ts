import type { IncomingMessage, ServerResponse } from 'node:http'
import { type DocumentNode, type ExecutionResult, getOperationAST, OperationTypeNode } from 'graphql'
import { processRegularResult } from 'graphql-yoga'
import { compileReportCall, type ReportCall } from '../execution/report-call.ts'
import type { Caller } from '../repository/access.ts'
import { type Clients, holderOf } from './clients.ts'
import { corsHeaders, type Yoga } from './graphql.ts'
import { notJson } from './not-json.ts'
import type { Operation, OperationParams, Operations } from './operations.ts'
import { refuse } from './refusals.ts'
import { isPlainBody, readBody, readPlainBody } from './request-body.ts'
import { withRetryAfter } from './retry-after.ts'

export interface JsonPostOptions {
  readonly operations: Operations
  /** Responds to every request that is unusual in any way. */
  readonly yoga: Yoga
  readonly clients: Clients
  readonly maxBodyBytes: number
}

/** A request whose body has been read; where Yoga finds one, it takes it for the request's stream. */
type ReadRequest = IncomingMessage & { body?: Buffer }

type MediaType = 'application/json' | 'application/graphql-response+json'

/**
 * Queries and mutations as nearly everybody sends them: POST, JSON in, JSON out. Trainers send them all the
 * time, so they take a fast path from the socket to the operation. Whatever is unusual (another method or
 * media type, a document that is not valid, a subscription) goes to Yoga, the body with it, so that there is one
 * response to it. Bodies that are too large, encoded in an unknown way or no JSON are refused here.
 */
export class JsonPost {
  readonly #options: JsonPostOptions
  /** For each document that was run, by operation name. */
  readonly #kinds = new WeakMap<DocumentNode, Map<string, OperationKind>>()

  constructor(options: JsonPostOptions) {
    this.#options = options
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    const { yoga, clients, maxBodyBytes } = this.#options
    if (request.method !== 'POST') {
      clients.turns.take(holderOf(clients.callerOf(request)), () => void yoga(request, response))
      return
    }
    const mediaType = isJsonPost(request) ? mediaTypeFor(request.headers.accept) : null
    const isPlain = isPlainBody(request, maxBodyBytes)
    if (isPlain && mediaType === null && !isJson(request)) return void yoga(request, response)
    const caller = clients.callerOf(request)
    const bounds = { maxBytes: maxBodyBytes, received: clients.received, holder: holderOf(caller) }
    if (isPlain) {
      readPlainBody(request, response, bounds, (body) => {
        if (Buffer.isBuffer(body))
          clients.turns.take(bounds.holder, () => this.#serveBody(request, response, body, mediaType, caller))
        else refuse(request, response, body.status, body.error, body.headers)
      })
      return
    }
    readBody(request, response, bounds).then(
      (body) => {
        if (!Buffer.isBuffer(body)) return refuse(request, response, body.status, body.error, body.headers)
        delete request.headers['content-encoding']
        delete request.headers['transfer-encoding']
        request.headers['content-length'] = String(body.length)
        clients.turns.take(bounds.holder, () => this.#serveBody(request, response, body, mediaType, caller))
      },
      (error: Error) => response.destroy(error),
    )
  }

  #serveBody(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    mediaType: MediaType | null,
    caller: Caller,
  ): void {
    const text = isJson(request) && body.length > 0 ? body.toString() : null
    const params = text === null ? undefined : parse(text)
    if (text !== null && params === undefined) {
      refuse(request, response, 400, notJson(text))
      return
    }
    const operation = params && mediaType ? this.#prepare(params, caller) : null
    if (operation === null || mediaType === null) {
      ;(request as ReadRequest).body = body
      return void this.#options.yoga(request, response)
    }
    this.#run(operation).then(
      (result) => {
        // Others may have been answered meanwhile. What a mutation did is told all the same.
        const { waiting } = this.#options.clients
        const isFull = !operation.isMutation && waiting.isOver(holderOf(caller))
        if (isFull) refuse(request, response, 503, waiting.refusal(holderOf(caller)))
        else respond(request, response, result, mediaType)
      },
      (error) => respond(request, response, this.#failed(error), mediaType),
    )
  }

  /** The operation, ready to run, or null for Yoga. */
  #prepare(params: OperationParams, caller: Caller): Runnable | null {
    const operation = this.#options.operations.prepare(params, caller)
    if (!('document' in operation)) return null
    const kind = this.#kindOf(operation)
    return kind.isSubscription ? null : { operation, call: kind.reportCall, isMutation: kind.isMutation }
  }

  #run({ operation, call }: Runnable): Promise<ExecutionResult> {
    const { operations, clients } = this.#options
    if (!call) return operations.execute(operation)
    operations.began(operation)
    try {
      clients.admitMutations(operation.contextValue.caller.address)
    } catch (error) {
      return Promise.resolve({ errors: [withRetryAfter(operations.translate(error))] })
    }
    const called = call(operation.variableValues, operation.contextValue)
    if (!called) return operations.execute(operation)
    return called.then((result) =>
      result.errors
        ? { ...result, errors: result.errors.map((error) => operations.translate(error)) }
        : result,
    )
  }

  #failed(error: unknown): ExecutionResult {
    return { errors: [this.#options.operations.translate(error)] }
  }

  #kindOf({ document, operationName }: Operation): OperationKind {
    const name = operationName ?? ''
    const known = this.#kinds.get(document)?.get(name)
    if (known) return known
    const operation = getOperationAST(document, operationName)
    const kind = {
      // Without an operation of that name, graphql-js says so.
      isSubscription: operation?.operation === OperationTypeNode.SUBSCRIPTION,
      isMutation: operation?.operation === OperationTypeNode.MUTATION,
      reportCall: compileReportCall(document, operationName),
    }
    // Names that lead nowhere are anybody's to invent.
    if (operation) {
      const kinds = this.#kinds.get(document) ?? new Map<string, OperationKind>()
      this.#kinds.set(document, kinds.set(name, kind))
    }
    return kind
  }
}

interface OperationKind {
  readonly isSubscription: boolean
  readonly isMutation: boolean
  readonly reportCall: ReportCall | null
}

interface Runnable {
  readonly operation: Operation
  readonly call: ReportCall | null
  readonly isMutation: boolean
}

function isJsonPost({ url, headers }: IncomingMessage): boolean {
  return url?.includes('?') === false && JSON_TYPE.test(headers['content-type'] ?? '')
}

const JSON_TYPE = /^application\/json(; ?charset=utf-8)?$/i

/** What Yoga reads as JSON. */
const isJson = ({ headers }: IncomingMessage): boolean =>
  /^application\/(graphql\+)?json($|[;,])/i.test(headers['content-type'] ?? '')

/** The first media type of the Accept header that is ours, as Yoga reads it; null where there is none. */
function mediaTypeFor(accept = '*/*'): MediaType | null {
  if (accept === '*/*' || accept === 'application/json') return 'application/json'
  for (const range of accept.replace(/\s/g, '').toLowerCase().split(',')) {
    const [mediaType, ...params] = range.split(';')
    const charset = params.find((param) => param.includes('charset='))
    if (charset !== undefined && charset !== 'charset=utf-8') continue
    if (mediaType === 'application/graphql-response+json') return mediaType
    if (mediaType === 'application/json' || mediaType === 'application/*' || mediaType === '*/*') {
      return 'application/json'
    }
  }
  return null
}

/** What is asked for, null where it is not as GraphQL over HTTP has it, undefined where it is no JSON. */
function parse(text: string): OperationParams | null | undefined {
  try {
    const params = JSON.parse(text)
    return isObject(params) && isWellFormed(params) ? (params as unknown as OperationParams) : null
  } catch {
    // Yoga ignores a byte order mark.
    return text.startsWith('\ufeff') && parse(text.slice(1)) !== undefined ? null : undefined
  }
}

function isWellFormed(params: Record<string, unknown>): boolean {
  for (const name in params) if (!PARAMS.has(name)) return false
  const { query, operationName, variables, extensions } = params
  return (
    typeof query === 'string' &&
    (operationName == null || typeof operationName === 'string') &&
    (variables == null || isObject(variables)) &&
    (extensions == null || isObject(extensions))
  )
}

const PARAMS: ReadonlySet<string> = new Set(['query', 'operationName', 'variables', 'extensions'])

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function respond(
  { headers: { origin } }: IncomingMessage,
  response: ServerResponse,
  result: ExecutionResult,
  mediaType: MediaType,
): void {
  const { status, headers, body } = responseTo(result, mediaType)
  headers['Content-Length'] = `${Buffer.byteLength(body)}`
  if (origin !== undefined) {
    // An origin that is not allowed has been refused before.
    Object.assign(headers, corsHeaders(origin))
  }
  response.writeHead(status, headers).end(body)
}

/** Status and body are Yoga's for the same result. */
function responseTo(result: ExecutionResult, mediaType: MediaType): PlainResponse {
  if (!result.errors && !result.extensions) {
    return new PlainResponse(JSON.stringify(result), {
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
