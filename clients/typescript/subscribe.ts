import type { Client, FormattedExecutionResult, Sink, SubscribePayload } from 'graphql-ws/client'

type Result<Data> = FormattedExecutionResult<Data, Record<string, unknown>>

/**
 * `client.subscribe`, which may be left while a result is delivered. graphql-ws would count it as gone twice where its
 * completion is right behind that result, and then close the socket under the subscriptions of others.
 */
export function subscribe<Data>(
  client: Client,
  payload: SubscribePayload,
  { next, error, complete }: Sink<Result<Data>>,
): () => void {
  let isDelivering = false
  const unsubscribe = client.subscribe<Data>(payload, {
    next: (result) => {
      isDelivering = true
      try {
        next(result as Result<Data>)
      } finally {
        isDelivering = false
      }
    },
    error,
    complete,
  })
  return () => {
    if (isDelivering) setTimeout(unsubscribe, 0)
    else unsubscribe()
  }
}
