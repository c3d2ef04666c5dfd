import { renderGraphiQL } from '@graphql-yoga/render-graphiql'
import type { ExecutionArgs } from 'graphql'
import { createYoga, type Plugin, type YogaInitialContext, type YogaServerInstance } from 'graphql-yoga'
import type { Logger } from 'pino'
import { SharedSubscription } from '../execution/fan-out.ts'
import type { Context, Opening } from '../schema/context.ts'
import { toGraphQLError } from '../schema/errors.ts'
import { schema } from '../schema/index.ts'
import { LIMITS } from '../task/limits.ts'
import { EventStreamResults, WithLastError } from './event-stream.ts'
import { graphiqlExamples } from './graphiql.ts'
import type { Operations } from './operations.ts'
import type { OriginRule } from './origin.ts'

export const GRAPHQL_PATH = '/graphql'
/** With or without the slash that some put at the end. */
export const isGraphQLPath = (path: string | undefined): boolean =>
  path === GRAPHQL_PATH || path === `${GRAPHQL_PATH}/`

const CORS_METHODS = ['GET', 'POST', 'OPTIONS'] as const

/** What a page of an allowed origin is told. A cache must not give it to a page of another. */
export const corsHeaders = (origin: string): Record<string, string> => ({
  'Access-Control-Allow-Origin': origin,
  'Access-Control-Allow-Methods': CORS_METHODS.join(', '),
  'Access-Control-Allow-Credentials': 'true',
  Vary: 'Origin',
})

export type Yoga = YogaServerInstance<Record<string, never>, Context>

export interface GraphQLOptions {
  readonly context: Context
  readonly operations: Operations
  readonly origins: OriginRule
  readonly maxBodyBytes: number
  /** What may wait for one event stream to take the events of trainings. */
  readonly maxBufferedBytes: number
  readonly logger: Logger
}

/** GraphQL over HTTP: requests and responses, server-sent events, GraphiQL. */
export function createGraphQL({ context, operations, ...options }: GraphQLOptions): Yoga {
  const { origins, maxBodyBytes, logger } = options
  const onUnexpected = (err: unknown) => logger.error({ err }, 'an operation failed unexpectedly')

  return createYoga<Record<string, never>, Context>({
    schema,
    context: () => context,
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    multipart: false,
    batching: false,
    maxRequestBodySize: maxBodyBytes,
    logging: {
      debug: (...args) => logger.trace({ args }, 'yoga'),
      info: (...args) => logger.debug({ args }, 'yoga'),
      warn: (...args) => logger.warn({ args }, 'yoga'),
      // Unexpected errors have been logged where they were translated.
      error: (...args) => logger.debug({ args }, 'yoga'),
    },
    maskedErrors: { maskError: (error) => toGraphQLError(error, onUnexpected) },
    cors: (request) => {
      const origin = request.headers.get('origin')
      return origin !== null && origins.allows(origin)
        ? { origin, credentials: true, methods: [...CORS_METHODS] }
        : false
    },
    graphiql: {
      title: 'Epochcast',
      subscriptionsProtocol: 'WS',
      defaultQuery: graphiqlExamples,
    },
    renderGraphiQL,
    plugins: [
      variedByOrigin(origins),
      boundedDocuments(),
      translatedValidation(onUnexpected),
      runBy(operations, options.maxBufferedBytes),
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

/** A document's size in tokens bounds the work of parsing and validating it. */
function boundedDocuments(): Plugin {
  return {
    onParse({ parseFn, setParseFn }) {
      setParseFn((source, options) => parseFn(source, { ...options, maxTokens: LIMITS.documentTokens }))
    },
  }
}

function translatedValidation(onUnexpected: (error: unknown) => void): Plugin {
  return {
    onValidate() {
      return ({ valid, result, setResult }) => {
        if (valid) return
        setResult(result.map((error) => toGraphQLError(error, onUnexpected, 'GRAPHQL_VALIDATION_FAILED')))
      }
    },
  }
}

/** Runs operations as every transport does. */
function runBy(operations: Operations, maxBufferedBytes: number): Plugin {
  return {
    onExecute({ setExecuteFn }) {
      setExecuteFn((args) => operations.execute(args))
    },
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(async (args) => {
        const results = await operations.subscribe(withOpening(args))
        const translate = (error: unknown) => operations.translate(error)
        if (results instanceof SharedSubscription)
          return new WithLastError(new EventStreamResults(results, maxBufferedBytes), translate)
        return Symbol.asyncIterator in results ? new WithLastError(results, translate) : results
      })
    },
  }
}

/** A client that goes ends its request. */
function withOpening(args: ExecutionArgs): ExecutionArgs {
  const { request } = args.contextValue as YogaInitialContext
  const opening: Opening = {
    get isLeft() {
      return request.signal.aborted
    },
  }
  Object.assign(args.contextValue as Context, { opening })
  return args
}
