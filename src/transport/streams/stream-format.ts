/** How a response carries one subscription: what is around its results, in text. */
export interface StreamFormat {
  readonly headers: Readonly<Record<string, string>>
  /** What it begins with, so that clients and proxies see at once that it is there. */
  readonly opening: string
  /** What is sent when there is nothing else, so that nobody takes the connection for dead. */
  readonly heartbeat: string
  /**
   * One result.
   *
   * @param text JSON
   * @param cursor where its bearer stands after it; null for a subscription that cannot be resumed
   */
  result(text: string, cursor: string | null): string
  /** A result that is the last one, as it failed. */
  failure(text: string): string
  /** What tells that all of it was sent. */
  readonly completion: string
}

const NOT_KEPT = {
  'cache-control': 'no-cache, no-transform',
  // nginx would gather what is to arrive at once.
  'x-accel-buffering': 'no',
}

/**
 * GraphQL over server-sent events, one connection a subscription, as graphql-sse has it
 * (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md), with the cursor as the id of each event: whoever comes back
 * with it in `Last-Event-ID`, as an EventSource does by itself, goes on there.
 */
export const graphqlEvents: StreamFormat = {
  headers: { 'content-type': 'text/event-stream; charset=utf-8', ...NOT_KEPT },
  opening: ':\n\n',
  heartbeat: ':\n\n',
  result: (text, cursor) => `${cursor === null ? '' : `id: ${cursor}\n`}event: next\ndata: ${text}\n\n`,
  failure: (text) => `event: next\ndata: ${text}\n\nevent: complete\ndata:\n\n`,
  completion: 'event: complete\ndata:\n\n',
}

const BOUNDARY = '\r\n--graphql'
const part = (text: string): string => `\r\ncontent-type: application/json\r\n\r\n${text}${BOUNDARY}`

/**
 * Apollo's subscriptions over multipart HTTP
 * (https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol): Apollo Client asks for them by itself where
 * it has an HttpLink alone.
 */
export const multipart: StreamFormat = {
  headers: { 'content-type': 'multipart/mixed; boundary="graphql"; subscriptionSpec="1.0"', ...NOT_KEPT },
  opening: BOUNDARY,
  heartbeat: part('{}'),
  result: (text) => part(`{"payload":${text}}`),
  failure: (text) => `${part(`{"payload":null,${text.slice(1)}`)}--\r\n`,
  completion: '--\r\n',
}

/** Which of these a request accepts, where it is a subscription; null for none. */
export function streamFormatFor(accept = '*/*'): StreamFormat | null {
  if (/\btext\/event-stream\b/i.test(accept)) return graphqlEvents
  if (/multipart\/mixed\b[^,]*subscriptionSpec/i.test(accept)) return multipart
  return /(?:^|,)\s*(?:\*|text)\/\*/i.test(accept) ? graphqlEvents : null
}
