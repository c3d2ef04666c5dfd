import { SHARED_ID } from '../references/events.ts'
import { Connection } from './connection.ts'
import { EventStream } from './event-stream.ts'
import type { LeanSocket, Receiver } from './lean-socket.ts'

/** What a viewer of one training selects; every candidate that speaks GraphQL gets the same. */
const WATCH = /* GraphQL */ `
  subscription Watch($taskId: ID!, $after: Cursor) {
    trainingProgress(taskId: $taskId, after: $after) {
      __typename cursor timestamp
      ... on ProgressUpdate { current total progress loss metrics message }
      ... on StatusChanged { status }
      ... on StreamOpened { channel task { status current total } }
      ... on EventsSkipped { count skipReason }
    }
  }
`

/** What one subscriber asks for. */
export interface Asked {
  readonly port: number
  /** Of the operation, where there are some. */
  readonly id: string
  readonly taskId: string
  readonly after: string | null
}

/** An event as a client reads it, in the names of the API: `__typename`, `cursor`, `timestamp` and what was selected. */
export type ReadEvent = { readonly cursor: string; readonly timestamp: string } & Record<string, unknown>

/** How a candidate is spoken to. */
interface Speech {
  readonly connect: (asked: Asked, receiver: Receiver) => LeanSocket
  /** What a client says once it is connected; null where it has said all. */
  readonly greeting: (asked: Asked) => string | null
  /** What stands in front of every event, whatever the event. */
  readonly prefix: (asked: Asked) => string
  /**
   * @param text what follows the prefix
   * @returns null where it is no event
   */
  readonly eventIn: (text: string, taskId: string) => ReadEvent | null
  /** Whether a whole message tells that events follow from now on. */
  readonly isOpening: (text: string) => boolean
}

const subscription = ({ taskId, after }: Asked) => ({
  operationName: 'Watch',
  query: WATCH,
  variables: { taskId, after },
})

const webSocket = (path: (asked: Asked) => string, subprotocol: string | null): Speech['connect'] => {
  return (asked, receiver) => new Connection({ port: asked.port, path: path(asked), subprotocol }, receiver)
}

/** Messages of graphql-transport-ws, or of somebody who has the same. */
const messages = {
  prefix: ({ id }: Asked) => `{"id":"${id}","type":"next","payload":`,
  // With the brace that closes the message.
  eventIn: (text: string) => resultIn(text.slice(0, -1)),
  isOpening: (text: string) =>
    JSON.parse(text).payload?.data?.trainingProgress?.__typename === 'StreamOpened',
}

export const DIALECTS = {
  /** graphql-transport-ws. */
  graphql: {
    ...messages,
    connect: webSocket(() => '/graphql', 'graphql-transport-ws'),
    greeting: () => '{"type":"connection_init"}',
  },
  /** One message that names the channel. */
  channel: {
    ...messages,
    connect: webSocket(() => '/', null),
    greeting: ({ taskId }) => JSON.stringify({ channel: taskId }),
  },
  /** GraphQL over server-sent events. */
  sse: {
    connect: (asked, receiver) =>
      new EventStream(
        { port: asked.port, path: '/graphql', body: JSON.stringify(subscription(asked)) },
        receiver,
      ),
    greeting: () => null,
    prefix: () => 'id: ',
    eventIn: (text) => withId(text, 'event: next\ndata: ', resultIn),
    isOpening: (text) => text.includes('\ndata: {"data":{"trainingProgress":{"__typename":"StreamOpened",'),
  },
  /** The plain door of server-sent events, with every field that an event has. */
  events: {
    connect: ({ port, taskId }, receiver) =>
      new EventStream({ port, path: `/events/gan/training/${taskId}`, body: null }, receiver),
    greeting: () => null,
    prefix: () => 'id: ',
    eventIn: (text, taskId) =>
      withId(text, 'data: ', (data) => {
        const { type, ...event } = JSON.parse(data)
        return withoutUnset({ __typename: type, ...event }, EVENT_FIELDS, { taskId, status: 'RUNNING' })
      }),
    isOpening: (text) => text.includes('\ndata: {"type":"StreamOpened",'),
  },
  /** The WebSocket for pages of a hand-made relay. */
  plain: {
    connect: webSocket(({ taskId }) => `/ws/gan/training/${taskId}?last=0`, null),
    greeting: () => null,
    prefix: ({ taskId }) => `{"task_id":"${taskId}",`,
    eventIn: (text) => {
      const { metadata, ...message } = JSON.parse(`{${text}`)
      const { epoch, ...metrics } = metadata
      const event = withoutUnset(message, MESSAGE_FIELDS, { status: 'PROGRESS' })
      return epoch === null && event ? { __typename: 'ProgressUpdate', ...event, metrics } : null
    },
    isOpening: (text) => text.startsWith('{"type":"connected",'),
  },
} satisfies Record<string, Speech>

export type Dialect = keyof typeof DIALECTS
export const speechOf = (dialect: Dialect): Speech => DIALECTS[dialect]

export const idOf = (dialect: Dialect, id: string): string => (dialect === 'graphql' ? id : SHARED_ID)

/** What a client of graphql-transport-ws sends once its greeting was answered. */
export const subscribeMessage = (asked: Asked): string =>
  JSON.stringify({ id: asked.id, type: 'subscribe', payload: subscription(asked) })

function resultIn(text: string): ReadEvent | null {
  const { data, errors } = JSON.parse(text)
  return errors === undefined ? data.trainingProgress : null
}

/** An event whose id is its cursor. */
function withId(text: string, before: string, read: (data: string) => ReadEvent | null): ReadEvent | null {
  const end = text.indexOf('\n')
  if (!text.startsWith(before, end + 1)) return null
  const event = read(text.slice(end + 1 + before.length))
  return event?.cursor === text.slice(0, end) ? event : null
}

const EVENT_FIELDS = ['machineId', 'stage', 'epoch', 'step', 'member']
const MESSAGE_FIELDS = ['machine_id', 'stage', 'epoch']

/**
 * What was reported, of an event with more.
 *
 * @param unset fields that nobody reported
 * @param known what others have to be
 * @returns null where it is not so
 */
function withoutUnset(
  event: Record<string, unknown>,
  unset: readonly string[],
  known: Readonly<Record<string, string>>,
): ReadEvent | null {
  const rest = { ...event }
  for (const field of unset) {
    if (rest[field] !== null) return null
    delete rest[field]
  }
  for (const [field, value] of Object.entries(known)) {
    if (rest[field] !== value) return null
    delete rest[field]
  }
  return rest as ReadEvent
}
