import type { TypedDocumentNode } from '@graphql-typed-document-node/core'
import type { DocumentNode, GraphQLFormattedError } from 'graphql'
import type { Client as GraphQLWsClient, Sink, SubscribePayload } from 'graphql-ws/client'
import { type EpochcastClient, socketOf } from '../typescript/client.ts'
import { requestFor } from '../typescript/document.ts'
import { EpochcastClientError, isFinalClose, refused, unreachable } from '../typescript/error.ts'
import {
  type Carrier,
  type Result,
  ResumedOperation,
  type ResumingSink,
} from '../typescript/resumed-operation.ts'
import { isResumingClient } from '../typescript/resuming-client.ts'
import { DEFAULT_RETRY } from '../typescript/retry.ts'
import type { StreamState } from '../typescript/stream-state.ts'
import { subscribe } from '../typescript/subscribe.ts'

export interface Receiver<Data> {
  next(data: Data): void
  /** Its end, too; a `cause` is then what ended it. */
  state(state: StreamState): void
}

/** What the hooks need of a client. */
export interface Source {
  /** @throws EpochcastClientError */
  execute<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data>
  /** Goes on by itself until its end; trainingProgress without a gap. Returns how to leave it. */
  subscribe<Data, Variables>(
    document: TypedDocumentNode<Data, Variables>,
    variables: Variables,
    receiver: Receiver<Data>,
  ): () => void
}

interface Observer {
  next(result: { data?: unknown; error?: unknown }): void
  error(problem: unknown): void
  complete(): void
}

/** As much of an ApolloClient as is needed here. */
export interface ApolloLike {
  query(options: never): Promise<unknown>
  mutate(options: never): Promise<unknown>
  subscribe(options: never): { subscribe(observer: Observer): { unsubscribe(): void } }
  watchQuery: unknown
}

interface UrqlResult {
  readonly data?: unknown
  readonly error?: unknown
  readonly hasNext: boolean
}

interface UrqlSource {
  toPromise(): Promise<UrqlResult>
  subscribe(onResult: (result: UrqlResult) => void): { unsubscribe(): void }
}

/** As much of urql's Client as is needed here. */
export interface UrqlLike {
  // biome-ignore lint/suspicious/noExplicitAny: urql's own types of these arguments are wider than they can be said here
  query(document: any, variables: any, context?: any): UrqlSource
  // biome-ignore lint/suspicious/noExplicitAny: as above
  mutation(document: any, variables: any, context?: any): UrqlSource
  // biome-ignore lint/suspicious/noExplicitAny: as above
  subscription(document: any, variables: any, context?: any): UrqlSource
  executeSubscription: unknown
}

/** createClient's or createResumingClient's, graphql-ws' own, or an Apollo or urql client. */
export type AnyClient = EpochcastClient | GraphQLWsClient | ApolloLike | UrqlLike

export function sourceOf(client: AnyClient): Source {
  if ('follow' in client) return epochcastSource(client)
  if ('watchQuery' in client) return apolloSource(client)
  if ('executeSubscription' in client) return urqlSource(client)
  return graphqlWsSource(client)
}

function epochcastSource(client: EpochcastClient): Source {
  const socket = socketOf(client)
  if (!socket) throw new TypeError('the client is none that createClient made')
  return {
    execute: (document, variables) => client.execute(document, variables),
    subscribe: (document, variables, receiver) =>
      resume(
        payloadOf(document, variables),
        receiver,
        (payload, sink) => subscribe(socket.open().client, payload, sink),
        socket.isDisposed,
      ),
  }
}

function graphqlWsSource(client: GraphQLWsClient): Source {
  return {
    execute: <Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables) =>
      new Promise<Data>((resolve, reject) => {
        client.subscribe<Data>(payloadOf(document, variables), {
          next: ({ data, errors }) => {
            if (data && !errors) resolve(data)
            else reject(refused((errors ?? []) as readonly GraphQLFormattedError[]))
          },
          error: (problem) => reject(errorOf(problem)),
          complete: () => reject(unreachable('the server', 'the operation completed without a result')),
        })
      }),
    subscribe: (document, variables, receiver) => {
      const payload = payloadOf(document, variables)
      if (isResumingClient(client)) return client.subscribe(payload, sinkOf(receiver))
      return resume(payload, receiver, (payload, sink) => subscribe(client, payload, sink))
    },
  }
}

function apolloSource(client: ApolloLike): Source {
  const call = (options: unknown) => options as never
  return {
    execute: async <Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables) => {
      const settled = { variables, fetchPolicy: 'no-cache', errorPolicy: 'none' }
      const request = isMutation(document)
        ? client.mutate(call({ mutation: document, ...settled }))
        : client.query(call({ query: document, ...settled }))
      return dataOf<Data>(
        (await request.catch((error: unknown) => ({ error }))) as { data?: unknown; error?: unknown },
      )
    },
    subscribe: (document, variables, receiver) =>
      resumeFixed(payloadOf(document, variables), receiver, ({ variables }, sink) => {
        const options = call({ query: document, variables, fetchPolicy: 'no-cache' })
        const subscription = client.subscribe(options).subscribe({
          next: ({ data, error }) =>
            error ? sink.error(problemOf(error)) : sink.next({ data: data as Data }),
          error: (error) => sink.error(problemOf(error)),
          complete: () => sink.complete(),
        })
        return () => subscription.unsubscribe()
      }),
  }
}

function urqlSource(client: UrqlLike): Source {
  const context = { requestPolicy: 'network-only' }
  return {
    execute: async <Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables) => {
      const ask = isMutation(document) ? client.mutation : client.query
      return dataOf<Data>(await ask.call(client, document, variables, context).toPromise())
    },
    subscribe: (document, variables, receiver) =>
      resumeFixed(payloadOf(document, variables), receiver, ({ variables }, sink) => {
        let last: unknown
        const { unsubscribe } = client.subscription(document, variables, context).subscribe((result) => {
          // urql gives its last result once more where a stream is over.
          if (result.error) sink.error(problemOf(result.error))
          else if (result.data && result.data !== last) sink.next({ data: result.data as Data })
          last = result.data
          if (!result.hasNext) sink.complete()
        })
        return unsubscribe
      }),
  }
}

type Data = Record<string, unknown>
type Subscribe = (payload: SubscribePayload, sink: Sink<Result>) => () => void

/** Over a client that sends the first variables again when it reconnects, or gives up. */
function resume<Data>(
  payload: SubscribePayload,
  receiver: Receiver<Data>,
  subscribe: Subscribe,
  isDisposed = () => false,
  keepsVariables = false,
): () => void {
  const carrier: Carrier = {
    retry: { ...DEFAULT_RETRY, attempts: Number.POSITIVE_INFINITY },
    keepsVariables,
    subscribe,
    refreshToken: () => false,
    isDisposed,
    isFinal: isFinalClose,
    progressed: () => {},
  }
  const operation = new ResumedOperation(payload, sinkOf(receiver), carrier, () => {})
  return () => operation.leave()
}

/** Over a client that reads the variables once, and may send them again by itself. */
const resumeFixed = <Data>(
  payload: SubscribePayload,
  receiver: Receiver<Data>,
  subscribe: Subscribe,
): (() => void) => resume(payload, receiver, subscribe, undefined, true)

function sinkOf<Data>(receiver: Receiver<Data>): ResumingSink {
  return {
    next: ({ data, errors }) => {
      if (errors) receiver.state({ kind: 'ended', cause: refused(errors) })
      else if (data) receiver.next(data as Data)
    },
    state: (state) =>
      receiver.state(
        state.kind === 'ended' && state.cause !== undefined
          ? { ...state, cause: errorOf(state.cause) }
          : state,
      ),
    // Told by the state.
    error: () => {},
    complete: () => {},
  }
}

function payloadOf(document: DocumentNode, variables: unknown): SubscribePayload {
  return { ...requestFor(document), variables: variables as Record<string, unknown> }
}

const isMutation = ({ definitions }: DocumentNode): boolean =>
  definitions.some((definition) => 'operation' in definition && definition.operation === 'mutation')

function dataOf<Data>({ data, error }: { readonly data?: unknown; readonly error?: unknown }): Data {
  if (error) throw errorOf(problemOf(error))
  if (!data) throw unreachable('the server', 'the response has no data')
  return data as Data
}

/** The errors of GraphQL in what Apollo or urql make of them, or else what happened to the network. */
function problemOf(error: unknown): unknown {
  const { errors, graphQLErrors, networkError } = error as Record<string, unknown>
  for (const list of [errors, graphQLErrors]) if (Array.isArray(list) && list.length > 0) return list
  return networkError ?? error
}

function errorOf(problem: unknown): EpochcastClientError {
  if (problem instanceof EpochcastClientError) return problem
  return Array.isArray(problem) ? refused(problem) : unreachable('the server', problem)
}
