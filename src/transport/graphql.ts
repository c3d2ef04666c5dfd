import type { IncomingMessage } from 'node:http'
import { type ExecutionResult, GraphQLError } from 'graphql'
import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga'
import type { Logger } from 'pino'
import type { DocumentErrors } from '../execution/documents.ts'
import type { Caller } from '../repository/access.ts'
import type { Context } from '../schema/context.ts'
import { toGraphQLError } from '../schema/errors.ts'
import { schema } from '../schema/index.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import { CORS_METHODS } from './cors.ts'
import type { CountedResponse } from './counted-response.ts'
import { asksForDocument, type DocumentRequest } from './document-request.ts'
import type { Operations } from './operations.ts'
import type { OriginRule } from './origin.ts'
import { urlParams } from './url-params.ts'

export const GRAPHQL_PATH = '/graphql'
/** With or without the slash that some put at the end. */
export const isGraphQLPath = (path: string | undefined): boolean =>
  path === GRAPHQL_PATH || path === `${GRAPHQL_PATH}/`

export type Yoga = YogaServerInstance<Record<string, never>, Context>

export interface GraphQLOptions {
  readonly context: Context
  readonly callerOf: (request: IncomingMessage) => Caller
  readonly operations: Operations
  readonly origins: OriginRule
  readonly maxBodyBytes: number
  readonly logger: Logger
}

/** GraphQL over HTTP: requests and responses, server-sent events. */
export function createGraphQL({ context, callerOf, operations, ...options }: GraphQLOptions): Yoga {
  const { origins, maxBodyBytes, logger } = options
  const onUnexpected = (err: unknown) => logger.error({ err }, 'an operation failed unexpectedly')

  return createYoga<Record<string, never>, Context>({
    schema,
    // Node's adapter of Yoga has its request in there.
    context: (initial) => ({
      ...context,
      caller: callerOf((initial as unknown as { readonly req: IncomingMessage }).req),
    }),
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    multipart: false,
    batching: false,
    // One bounded cache serves every door: `Documents`.
    parserAndValidationCache: false,
    extraParamNames: ['documentId'],
    maxRequestBodySize: maxBodyBytes,
    logging: {
      debug: (...args) => logger.trace({ args }, 'yoga'),
      info: (...args) => logger.debug({ args }, 'yoga'),
      warn: (...args) => logger.warn({ args }, 'yoga'),
      // Unexpected errors have been logged where they were translated; the words of others may hold what a client sent.
      error: () => {},
    },
    maskedErrors: { maskError: (error) => toGraphQLError(error, onUnexpected) },
    cors: (request) => {
      const origin = request.headers.get('origin')
      return origin !== null && origins.allows(origin)
        ? { origin, credentials: true, methods: [...CORS_METHODS] }
        : false
    },
    // A page of its own (`graphiql-page.ts`).
    graphiql: false,
    plugins: [
      countedRefusals(),
      variedByOrigin(origins),
      wordsForRefusals(onUnexpected),
      urlParams(),
      documentsOf(operations),
      runBy(operations),
    ],
  })
}

/** Yoga says so only where it chooses among several origins itself. */
function variedByOrigin(origins: OriginRule): Plugin {
  return {
    onResponse({ request, response }) {
      const origin = request.headers.get('origin')
      if (origin === null || !origins.allows(origin)) return
      const varied = response.headers.get('vary')
      if (!varied?.includes('Origin')) response.headers.set('Vary', varied ? `Origin, ${varied}` : 'Origin')
    },
  }
}

/** Node's adapter of Yoga has its response in the context. */
const responseOf = (context: unknown): CountedResponse => (context as { readonly res: CountedResponse }).res

/** Of results that are no stream; what Yoga refuses without a result has its words and its count below. */
function countedRefusals(): Plugin {
  return {
    onResultProcess({ result, serverContext }) {
      if (Symbol.asyncIterator in result) return
      const { refusals, holder } = responseOf(serverContext)
      for (const { errors } of [result].flat() as ExecutionResult[]) refusals.addAll(errors, 'http', holder)
    },
  }
}

/** Yoga refuses some requests with a status alone, and fails with a stack trace where something else does. */
function wordsForRefusals(onUnexpected: (error: unknown) => void): Plugin {
  const failed = async (response: Response): Promise<GraphQLError> =>
    toGraphQLError(new Error(await response.text()), onUnexpected)
  const wordsFor = (request: Request, response: Response) => {
    // A 503 is a refusal of ours, in words.
    if (response.status === 500) return failed(response)
    const words = response.body ? undefined : WORDS[response.status]
    return words && new EpochcastError('BAD_REQUEST', words(request))
  }
  return {
    async onResponse({ request, response, setResponse, fetchAPI, serverContext }) {
      const error = wordsFor(request, response)
      if (!error) return
      const { message, extensions } = await error
      const { refusals, holder } = responseOf(serverContext)
      refusals.addAll([{ extensions }], 'http', holder)
      const headers = new fetchAPI.Headers(response.headers)
      headers.set('content-type', 'application/json; charset=utf-8')
      headers.delete('content-length')
      const body = JSON.stringify({ errors: [{ message, extensions }] })
      setResponse(new fetchAPI.Response(body, { status: response.status, headers }))
    },
  }
}

const WORDS: Readonly<Record<number, (request: Request) => string>> = {
  406: ({ headers }) =>
    `the Accept header is ${quote(headers.get('accept') ?? '')}; expected text/event-stream for a subscription, application/json or application/graphql-response+json for anything else`,
  415: ({ headers }) =>
    `the Content-Type header is ${quote(headers.get('content-type') ?? '')}; expected application/json`,
}

/** Documents are parsed and validated, or refused, as for every other door. */
function documentsOf(operations: Operations): Plugin {
  return {
    onParams({ params, request, setResult, setParams }) {
      const asked = { ...params, ...(request.method === 'GET' ? idInUrl(request.url) : {}) }
      // What is malformed Yoga refuses.
      if (!isParams(params) || !asksForDocument(asked)) return
      const known = operations.document(asked)
      // Yoga looks at the text behind this, also where there is a result already.
      setParams({ ...params, query: 'document' in known ? known.text : '' })
      if (!('document' in known)) setResult(refusedDocument(known))
    },
    onParse({ params: { source }, setParsedDocument }) {
      const known = operations.document({ query: String(source) })
      // Refused ones have not come this far.
      if ('document' in known) setParsedDocument(known.document)
    },
    onValidate({ setResult }) {
      setResult([])
    },
  }
}

/** Of an operation by GET, which Yoga does not look for. */
function idInUrl(url: string): Pick<DocumentRequest, 'documentId'> {
  const documentId = new URL(url, 'http://localhost').searchParams.get('documentId')
  return documentId === null ? {} : { documentId }
}

const isParams = (params: unknown): boolean =>
  typeof params === 'object' && params !== null && !Array.isArray(params)

/** The result for a document that is refused: a bad request, where the media type of the response allows to say so. */
export function refusedDocument(errors: DocumentErrors): ExecutionResult {
  return {
    errors: errors.map(
      ({ message, source, positions, extensions }) =>
        new GraphQLError(message, {
          source: source ?? null,
          positions: positions ?? null,
          extensions: { ...extensions, http: { spec: true, status: 400 } },
        }),
    ),
  }
}

/** Runs operations as every transport does. */
function runBy(operations: Operations): Plugin {
  return {
    onExecute({ setExecuteFn }) {
      setExecuteFn((args) => operations.execute(args))
    },
    // Those whose client accepts a stream have been served (`streams/`): what is left is refused for what it accepts.
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(() => NO_EVENTS)
    },
  }
}

const NO_EVENTS: AsyncIterable<never> = {
  [Symbol.asyncIterator]: () => ({ next: async () => ({ done: true, value: undefined }) }),
}
