import { randomUUID } from 'node:crypto'
import { SHARED_ID } from '../references/events.ts'
import type { Audience } from './audience.ts'
import { Connection, type Receiver } from './connection.ts'
import { DeliveryError, type WatchedTask } from './watched-task.ts'

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

/** How a candidate is spoken to after the upgrade: graphql-transport-ws, or one message that names the channel. */
export type Dialect = 'graphql' | 'channel'

const ENDPOINTS: Record<Dialect, { path: string; subprotocol: string | null }> = {
  graphql: { path: '/graphql', subprotocol: 'graphql-transport-ws' },
  channel: { path: '/', subprotocol: null },
}

export interface SubscriberOptions {
  /** Replay of all that follows this event. */
  readonly after?: { sequence: number; cursor: string }
  /** Takes its opening message, and nothing from then on. */
  readonly neverReads?: boolean
}

/** One WebSocket with one subscription, which sees each event of its task once and in order, or fails. */
export class Subscriber implements Receiver {
  /** The place in its task's stream of the event that must come next. */
  next: number
  isOpen = false
  readonly #id: string
  readonly #dialect: Dialect
  readonly #task: WatchedTask
  readonly #after: string | null
  readonly #audience: Audience
  readonly #connection: Connection
  /** What stands in front of every payload; bytes, to be compared. */
  readonly #prefix: Buffer
  readonly #neverReads: boolean

  constructor(
    { port, dialect }: { port: number; dialect: Dialect },
    task: WatchedTask,
    audience: Audience,
    { after, neverReads = false }: SubscriberOptions = {},
  ) {
    this.#dialect = dialect
    this.#task = task
    this.#audience = audience
    this.#after = after?.cursor ?? null
    this.#id = dialect === 'graphql' ? randomUUID() : SHARED_ID
    this.#prefix = Buffer.from(`{"id":"${this.#id}","type":"next","payload":`)
    this.#neverReads = neverReads
    this.next = (after?.sequence ?? task.reported) + 1
    this.#connection = new Connection({ port, ...ENDPOINTS[dialect] }, this)
  }

  upgraded() {
    this.#connection.send(
      this.#dialect === 'graphql' ? '{"type":"connection_init"}' : JSON.stringify({ channel: this.#task.id }),
    )
  }

  text(buffer: Buffer, start: number, end: number) {
    try {
      const body = start + this.#prefix.length
      const isNext = body < end && buffer.compare(this.#prefix, 0, this.#prefix.length, start, body) === 0
      if (isNext && this.isOpen) {
        const sequence = this.#task.check(this.next, buffer, body, end)
        this.next++
        this.#audience.delivered(sequence)
      } else {
        this.#control(buffer.toString('utf8', start, end), isNext)
      }
    } catch (error) {
      this.failed(error as Error)
    }
  }

  failed(error: Error) {
    const where = this.isOpen ? `before event ${this.next}` : 'before its opening message'
    this.#audience.fail(
      error instanceof DeliveryError ? error : new Error(`a subscriber, ${where}: ${error.message}`),
    )
    this.close()
  }

  close(options?: { reset?: boolean }) {
    this.#connection.close(options)
  }

  #control(text: string, isNext: boolean) {
    const { type, payload } = JSON.parse(text)
    if (type === 'connection_ack' && !this.isOpen) return this.#connection.send(this.#subscribe())
    if (type === 'ping') return this.#connection.send('{"type":"pong"}')
    if (isNext && payload?.data?.trainingProgress?.__typename === 'StreamOpened') {
      if (this.#neverReads) this.#connection.stopReading()
      this.isOpen = true
      return this.#audience.opened()
    }
    throw new Error(`unexpected message ${text.slice(0, 400)}`)
  }

  #subscribe() {
    return JSON.stringify({
      id: this.#id,
      type: 'subscribe',
      payload: {
        operationName: 'Watch',
        query: WATCH,
        variables: { taskId: this.#task.id, after: this.#after },
      },
    })
  }
}
