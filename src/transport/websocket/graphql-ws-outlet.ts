import type { EventBatch, Outlet } from '../../delivery/outlet.ts'
import type { Subscriber } from '../../delivery/subscriber.ts'
import { END, StoppableIterator } from '../../feed/stoppable-iterator.ts'
import type { Envelope } from './frames.ts'
import { messageOf, type SocketWriter } from './socket-writer.ts'

/** A `next` message of graphql-transport-ws. */
export const NEXT: Envelope = { beforeId: '{"id":"', afterId: '","type":"next","payload":', end: '}' }

/** The results of one operation on a socket that speaks graphql-transport-ws. */
export class GraphQLWsOutlet implements Outlet {
  readonly #writer: SocketWriter
  readonly #id: string

  constructor(writer: SocketWriter, operationId: string) {
    this.#writer = writer
    this.#id = idText(operationId)
  }

  send(batch: EventBatch, from: number, to: number): number {
    return this.#writer.sendBatch(NEXT, this.#id, batch, from, to)
  }

  sendOwn(text: string): void {
    void this.#writer.sendMessage(messageOf(NEXT, this.#id, text))
  }

  drained(): Promise<void> {
    return this.#writer.drained()
  }
}

/** An operation's id as it stands in messages: escaped as JSON has it, in ASCII, so that characters are bytes. */
export function idText(id: string): string {
  // As most are.
  if (/^[\w-]+$/.test(id)) return id
  return JSON.stringify(id)
    .slice(1, -1)
    .replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const toEnd = () => END

/**
 * A subscriber as graphql-ws runs it: results that are long in coming. None is ever given to the library, since
 * they go to the outlet; only the end is.
 */
export class SubscriberResults extends StoppableIterator<never> {
  readonly #subscriber: Subscriber

  constructor(subscriber: Subscriber) {
    super()
    this.#subscriber = subscriber
  }

  /** Begins at the first call; resolves at the end. Not async: its frame would be kept as long. */
  next(): Promise<IteratorReturnResult<void>> {
    return this.#subscriber.start().then(toEnd)
  }

  protected stop(): Promise<void> {
    return this.#subscriber.stop()
  }
}
