import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ExecutionResult, type GraphQLSchema, isInterfaceType } from 'graphql'
import { plainValue, type RawJson, stringify } from '../../execution/raw-json.ts'
import { EpochcastError, quote } from '../../task/errors.ts'
import { LIMITS } from '../../task/limits.ts'
import type { Callers } from '../callers.ts'
import { type Clients, holderOf } from '../clients.ts'
import { corsHeaders } from '../cors.ts'
import type { Operation, Operations } from '../operations.ts'
import { refuse } from '../refusals.ts'
import type { ResponseStreams } from '../streams/response-streams.ts'
import { statusOf } from '../streams/stream-requests.ts'
import { eventPage, eventSubscription } from './event-document.ts'
import { plainFormat } from './plain-format.ts'
import { refuseMethod, serveOrRefuse } from './serve-or-refuse.ts'
import { type NamedTask, taskIn } from './task-path.ts'
import { wholeParam } from './whole-param.ts'

export interface PlainEventsOptions {
  readonly schema: GraphQLSchema
  readonly operations: Operations
  readonly streams: ResponseStreams
  readonly clients: Clients
  readonly callers: Callers
}

/** Seconds for which what cannot change any more is kept: a year. */
const IMMUTABLE = 'max-age=31536000, immutable'

/**
 * The events of a task for whoever has no GraphQL: `GET /events/{prefix}/{taskId}` as they happen, for an EventSource and
 * `curl -N`, and `GET /history/{prefix}/{taskId}` in pages. Rights, limits and encodings are those of the subscription and the
 * query that they stand for.
 */
export class PlainEvents {
  readonly #options: PlainEventsOptions
  readonly #subscription: string
  readonly #page: string
  readonly #types: ReadonlySet<string>

  constructor(options: PlainEventsOptions) {
    const { schema } = options
    this.#options = options
    this.#subscription = eventSubscription(schema)
    this.#page = eventPage(schema)
    const event = schema.getType('TrainingEvent')
    this.#types = new Set(
      isInterfaceType(event) ? schema.getPossibleTypes(event).map(({ name }) => name) : [],
    )
  }

  /** `?last=` newest events first, `?after=` a cursor or `Last-Event-ID`, `?types=` those that are wanted. */
  serveEvents(request: IncomingMessage, response: ServerResponse): void {
    this.#serve(request, response, (task, search) => {
      const types = list(search.get('types'))
      const unknown = types.find((type) => !this.#types.has(type))
      if (unknown !== undefined)
        throw badInput(`types has ${quote(unknown)}; expected some of ${[...this.#types].join(', ')}`)
      const variables = {
        ...task,
        after: search.get('after'),
        last: wholeParam(search, 'last', 0, LIMITS.last),
      }
      const operation = this.#operation(this.#subscription, request, variables)
      const { 'last-event-id': lastEventId } = request.headers
      const resumed = typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : variables.after
      if (resumed) Object.assign(operation.contextValue, { lastEventId: resumed })
      const refused = (result: ExecutionResult) => refuseResult(request, response, result)
      return this.#options.streams.serve(response, operation, plainFormat(types), cors(request), refused)
    })
  }

  /**
   * `?after=` a cursor, `?limit=` events. A full page after a cursor never changes, so it may be kept for ever, by a CDN where
   * nobody needs a token.
   */
  serveHistory(request: IncomingMessage, response: ServerResponse): void {
    this.#serve(request, response, async (task, search) => {
      const after = search.get('after')
      const limit = wholeParam(search, 'limit', 1, LIMITS.eventsPage.max) ?? LIMITS.eventsPage.default
      const operation = this.#operation(this.#page, request, { ...task, after, first: limit })
      const result = await this.#options.operations.execute(operation)
      const found = result.data?.task as FoundPage | null | undefined
      if (result.errors || found === undefined) return refuseResult(request, response, result)
      if (found === null) {
        const { id, channelPrefix } = task
        const message = `no task ${quote(id)} under ${quote(channelPrefix)}; it may be no longer retained`
        throw new EpochcastError('TASK_NOT_FOUND', message)
      }
      this.#respond(request, response, found, { after, limit })
    })
  }

  #respond(
    request: IncomingMessage,
    response: ServerResponse,
    { status, events: { edges, pageInfo } }: FoundPage,
    { after, limit }: { readonly after: string | null; readonly limit: number },
  ): void {
    const events = plainValue(edges).map(({ node }) => node)
    const isWhole = events.length === limit && !events.some(({ type }) => type === 'EventsSkipped')
    const body = stringify({
      events,
      // Where to go on, also once there is more.
      next: pageInfo.endCursor ?? after,
      hasMore: pageInfo.hasNextPage,
      status,
    })
    const kept = isWhole && after !== null && pageInfo.hasNextPage
    const { areKnownByTokens } = this.#options.callers
    // What anybody may read a cache may keep for all.
    const whose = areKnownByTokens ? 'private' : 'public'
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`
    const headers = {
      etag,
      'cache-control': kept ? `${whose}, ${IMMUTABLE}` : 'no-cache',
      ...cors(request),
      // Also where no page asks: what a cache keeps of it would be of no use to one.
      Vary: areKnownByTokens ? 'Origin, Authorization' : 'Origin',
    }
    if (request.headers['if-none-match']?.includes(etag)) return void response.writeHead(304, headers).end()
    response
      .writeHead(200, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': String(Buffer.byteLength(body)),
        ...headers,
      })
      .end(request.method === 'HEAD' ? undefined : body)
  }

  #operation(text: string, request: IncomingMessage, variables: Record<string, unknown>): Operation {
    return this.#options.operations.prepareOwn(text, variables, this.#options.callers.of(request))
  }

  #serve(
    request: IncomingMessage,
    response: ServerResponse,
    serve: (task: NamedTask, search: URLSearchParams) => Promise<void>,
  ): void {
    const { method = '', url = '' } = request
    const { operations, clients, callers } = this.#options
    if (method === 'OPTIONS') {
      const allowed = { 'access-control-allow-headers': 'authorization, last-event-id' }
      return void response.writeHead(204, { ...cors(request), ...allowed }).end()
    }
    if (!METHODS.includes(method)) return void refuseMethod(request, response, METHODS)
    clients.turns.take(holderOf(callers.of(request)), () =>
      serveOrRefuse(request, response, operations, () => {
        const { pathname, searchParams } = new URL(url, 'http://localhost')
        return serve(taskIn(pathname), searchParams)
      }),
    )
  }
}

const METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS']

interface FoundPage {
  readonly status: string
  readonly events: {
    readonly edges: RawJson | readonly { readonly node: { readonly type: string } }[]
    readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean }
  }
}

const list = (text: string | null): readonly string[] => (text ?? '').split(',').filter((one) => one !== '')

const badInput = (message: string): EpochcastError => new EpochcastError('BAD_INPUT', message)

const cors = ({ headers: { origin } }: IncomingMessage): Readonly<Record<string, string>> =>
  origin === undefined ? {} : corsHeaders(origin)

function refuseResult(request: IncomingMessage, response: ServerResponse, { errors }: ExecutionResult): void {
  const [error] = errors ?? []
  const { message = 'there is no result', extensions = {} } = error ?? {}
  refuse(request, response, statusOf(error), { message, extensions })
}
