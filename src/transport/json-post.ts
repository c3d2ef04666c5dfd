import { isUtf8 } from 'node:buffer'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type DocumentNode, type ExecutionResult, getOperationAST, OperationTypeNode } from 'graphql'
import { compileReportCall, type ReportCall } from '../execution/report-call.ts'
import type { Caller } from '../repository/access.ts'
import type { EpochcastError } from '../task/errors.ts'
import { mayBeInexact } from '../task/json.ts'
import type { Callers } from './callers.ts'
import { type Clients, holderOf } from './clients.ts'
import { asksForDocument } from './document-request.ts'
import { asksForPage } from './gate.ts'
import { GraphiQLPage } from './graphiql-page.ts'
import { refusedDocument, type Yoga } from './graphql.ts'
import { isJson, isJsonPost, mediaTypeFor, NOT_UTF8, notJsonType } from './json-media.ts'
import { exactParams, parseParams, withoutByteOrderMark } from './json-params.ts'
import { notJson } from './not-json.ts'
import type { Operation, OperationParams, Operations } from './operations.ts'
import { refuse } from './refusals.ts'
import { type MediaType, respond } from './regular-response.ts'
import { isPlainBody, readBody, readPlainBody } from './request-body.ts'
import { checkQueryString } from './request-target.ts'
import { withRetryAfter } from './retry-after.ts'
import type { StreamRequests } from './streams/stream-requests.ts'
import { paramsOf } from './url-params.ts'

export interface JsonPostOptions {
  readonly operations: Operations
  /** Responds to every request that is unusual in any way. */
  readonly yoga: Yoga
  readonly clients: Clients
  readonly callers: Callers
  readonly streams: StreamRequests
  readonly maxBodyBytes: number
  /** Whether a browser that comes by GET gets GraphiQL. */
  readonly graphiql: boolean
  /** Runs a mutation as part of its caller's trace, where there is tracing. */
  readonly traced?: Traced | null
}

export type Traced = <T>(
  headers: { readonly traceparent?: string | undefined; readonly tracestate?: string | undefined },
  run: () => Promise<T>,
) => Promise<T>

/** A request whose body has been read; where Yoga finds one, it takes it for the request's stream, or for what JSON it is. */
type ReadRequest = IncomingMessage & { body?: ReadBody | object }

/** Of a Buffer, the adapter beneath Yoga would list every byte as a property: 100 ms for a megabyte. */
class ReadBody {
  readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    yield this.bytes
  }
}

/**
 * Queries and mutations as nearly everybody sends them: POST, JSON in, JSON out. Trainers send them all the
 * time, so they take a fast path from the socket to the operation. Whatever is unusual (another method or
 * media type) goes to Yoga, the body with it, so that there is one response to it. Bodies that are too large, encoded in an unknown way or no JSON are refused here.
 */
export class JsonPost {
  readonly #options: JsonPostOptions
  readonly #page: GraphiQLPage
  /** For each document that was run, by operation name. */
  readonly #kinds = new WeakMap<DocumentNode, Map<string, OperationKind>>()

  constructor(options: JsonPostOptions) {
    this.#options = options
    this.#page = new GraphiQLPage(options.callers.areKnownByTokens, options.clients)
  }

  serve(request: IncomingMessage, response: ServerResponse): void {
    const { clients, callers, maxBodyBytes } = this.#options
    const caller = callers.of(request)
    if (request.method !== 'POST') {
      clients.turns.take(holderOf(caller), () => this.#serveWithoutBody(request, response))
      return
    }
    const mediaType = isJsonPost(request) ? mediaTypeFor(request.headers.accept) : null
    const isPlain = isPlainBody(request, maxBodyBytes)
    const bounds = { maxBytes: maxBodyBytes, received: clients.received, holder: holderOf(caller) }
    if (isPlain) {
      readPlainBody(request, response, bounds, (body) => {
        if (Buffer.isBuffer(body))
          clients.turns.take(bounds.holder, () =>
            this.#tryServeBody(request, response, body, mediaType, caller),
          )
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
        clients.turns.take(bounds.holder, () =>
          this.#tryServeBody(request, response, body, mediaType, caller),
        )
      },
      (error: Error) => response.destroy(error),
    )
  }

  /** GET, and what asks whether something may be sent. */
  #serveWithoutBody(request: IncomingMessage, response: ServerResponse): void {
    const { graphiql } = this.#options
    if (request.method === 'GET' && graphiql && asksForPage(request)) {
      this.#page.serve(request, response).catch((error) => this.#fail(request, response, error))
      return
    }
    if (request.method === 'GET') {
      const { url = '' } = request
      try {
        checkQueryString(url)
      } catch (error) {
        return void refuse(request, response, 400, error as EpochcastError)
      }
      if (this.#tryStream(request, response, url)) return
    }
    this.#leaveToYoga(request, response)
  }

  /** A subscription in a URL, as an EventSource opens it. What is malformed Yoga refuses. */
  #tryStream(request: IncomingMessage, response: ServerResponse, url: string): boolean {
    const { streams, callers } = this.#options
    let params: OperationParams
    try {
      params = paramsOf(new URL(url, 'http://localhost').searchParams)
    } catch {
      return false
    }
    return asksForDocument({ ...params }) && streams.tryServe(request, response, params, callers.of(request))
  }

  /** What it fails over is a failure of this request, and not of the process. */
  #leaveToYoga(request: IncomingMessage, response: ServerResponse): void {
    new Promise((resolve) => resolve(this.#options.yoga(request, response))).catch((error) =>
      this.#fail(request, response, error),
    )
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const translated = this.#options.operations.translate(error)
    if (response.headersSent) response.destroy()
    else refuse(request, response, 500, translated)
  }

  /** In a listener of the request's, where nobody would catch what is thrown. */
  #tryServeBody(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    mediaType: MediaType | null,
    caller: Caller,
  ): void {
    try {
      this.#serveBody(request, response, body, mediaType, caller)
    } catch (error) {
      this.#fail(request, response, error)
    }
  }

  #serveBody(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    mediaType: MediaType | null,
    caller: Caller,
  ): void {
    // A page can send other types without asking first, and so for a page that may not.
    if (!isJson(request)) return void refuse(request, response, 415, notJsonType(request))
    const json = withoutByteOrderMark(body)
    const text = json.toString()
    // What is not UTF-8 becomes this character, which may as well have been sent.
    if (text.includes('\ufffd') && !isUtf8(json)) return void refuse(request, response, 400, NOT_UTF8)
    const params = parseParams(text)
    if (params instanceof SyntaxError) return void refuse(request, response, 400, notJson(text, params))
    const operation = params && mediaType ? this.#prepare(params, caller) : null
    if (operation === null || mediaType === null) {
      const exact = params && mayBeInexact(text) ? exactParams(text) : params
      if (exact && this.#options.streams.tryServe(request, response, exact, caller)) return
      ;(request as ReadRequest).body = exact === params ? new ReadBody(json) : (exact as object)
      return void this.#leaveToYoga(request, response)
    }
    if (!('call' in operation)) return void respond(request, response, operation, mediaType)
    const { traced } = this.#options
    const running =
      traced && operation.isMutation
        ? traced(traceHeaders(request), () => this.#run(operation, text))
        : this.#run(operation, text)
    running.then(
      (result) => respond(request, response, result, mediaType),
      (error) => respond(request, response, this.#failed(error), mediaType),
    )
  }

  /** The operation, ready to run, or the refusal of its document; null for Yoga. */
  #prepare(params: OperationParams, caller: Caller): Runnable | ExecutionResult | null {
    const operation = this.#options.operations.prepare(params, caller)
    if (!('document' in operation)) return refusedDocument(operation)
    const kind = this.#kindOf(operation)
    return kind.isSubscription ? null : { operation, call: kind.reportCall, isMutation: kind.isMutation }
  }

  #run({ operation, call }: Runnable, text: string): Promise<ExecutionResult> {
    const called = call && this.#call(call, operation)
    if (!called) {
      // Reports on the fast path have no numbers that must be exact, and are not looked at for them.
      const { variables } = mayBeInexact(text) ? exactParams(text) : {}
      const { operations } = this.#options
      return operations.execute(variables == null ? operation : { ...operation, variableValues: variables })
    }
    return called
  }

  /** Null where graphql-js has to run it. */
  #call(call: ReportCall, operation: Operation): Promise<ExecutionResult> | null {
    const run = call(operation.variableValues)
    if (!run) return null
    const { operations, clients } = this.#options
    operations.began(operation)
    try {
      clients.admitMutations(operation.contextValue.caller)
    } catch (error) {
      return Promise.resolve(this.#failed(error))
    }
    return run(operation.contextValue).then((result) =>
      result.errors
        ? withRetryAfter({ ...result, errors: result.errors.map((error) => operations.translate(error)) })
        : result,
    )
  }

  #failed(error: unknown): ExecutionResult {
    return withRetryAfter({ errors: [this.#options.operations.translate(error)] })
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

const traceHeaders = ({ headers: { traceparent, tracestate } }: IncomingMessage) => ({
  traceparent: String(traceparent ?? ''),
  tracestate: String(tracestate ?? ''),
})
