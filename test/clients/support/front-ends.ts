import { ApolloClient, ApolloLink, InMemoryCache } from '@apollo/client'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { createClient as createUrql, fetchExchange, subscriptionExchange } from '@urql/core'
import { parse } from 'graphql'
import type { Client } from 'graphql-ws'

// biome-ignore lint/suspicious/noExplicitAny: tests look into results of documents that are plain text
type Data = any

export interface Viewing {
  /** Of the document's only field, in the order of arrival. */
  readonly values: readonly Data[]
  /** Once the stream is over; with what it failed. */
  readonly ended: Promise<unknown>
  stop(): void
}

export type Watch = (
  socket: Client,
  query: string,
  variables?: Record<string, unknown>,
  onValue?: (value: Data) => void,
) => Viewing

function viewing(
  onValue: ((value: Data) => void) | undefined,
  open: (next: (data: Data) => void, error: (problem: unknown) => void, complete: () => void) => () => void,
): Viewing {
  const values: Data[] = []
  let stop = () => {}
  const ended = new Promise<unknown>((resolve) => {
    stop = open(
      (data) => {
        const value = Object.values(data)[0]
        values.push(value)
        onValue?.(value)
      },
      (problem) => resolve(problem),
      () => resolve(undefined),
    )
  })
  return { values, ended, stop: () => stop() }
}

/** The front ends' own clients, set up as their manuals say, over one socket. */
export const FRONT_ENDS: Readonly<Record<'graphql-ws' | 'Apollo Client' | 'urql', Watch>> = {
  'graphql-ws': (socket, query, variables, onValue) =>
    viewing(onValue, (next, error, complete) =>
      socket.subscribe<Data>(
        { query, ...(variables && { variables }) },
        { next: ({ data, errors }) => (errors ? error(errors) : next(data)), error, complete },
      ),
    ),
  'Apollo Client': (socket, query, variables, onValue) => {
    const client = new ApolloClient({
      link: ApolloLink.from([new GraphQLWsLink(socket)]),
      cache: new InMemoryCache(),
    })
    return viewing(onValue, (next, error, complete) => {
      const subscription = client
        .subscribe({ query: parse(query), ...(variables && { variables }), fetchPolicy: 'no-cache' })
        .subscribe({
          next: ({ data, error: problem }) => (problem ? error(problem) : next(data)),
          error,
          complete,
        })
      return () => subscription.unsubscribe()
    })
  },
  urql: (socket, query, variables, onValue) => {
    const client = createUrql({
      url: 'http://localhost/graphql',
      exchanges: [
        subscriptionExchange({
          forwardSubscription: ({ query = '', variables }) => ({
            subscribe: (sink) => ({
              unsubscribe: socket.subscribe(
                { query, variables: variables as Record<string, unknown> },
                sink as never,
              ),
            }),
          }),
        }),
        fetchExchange,
      ],
    })
    return viewing(onValue, (next, error, complete) => {
      let last: unknown
      const { unsubscribe } = client.subscription(query, variables ?? {}).subscribe((result) => {
        // urql gives its last result once more, with hasNext: false, where a stream is over.
        if (result.data && result.data !== last) next(result.data)
        last = result.data
        if (result.error) error(result.error)
        if (!result.hasNext) complete()
      })
      return unsubscribe
    })
  },
}

/** Every progress of a training that came, by its `current`. */
export const stepsOf = ({ values }: Viewing): number[] =>
  values.filter(({ __typename }) => __typename === 'ProgressUpdate').map(({ current }) => current)

export const kindsOf = ({ values }: Viewing): string[] => values.map(({ __typename }) => __typename)
