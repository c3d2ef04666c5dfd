import type { DeliveredEvent, StreamEvent } from '../task/stream-event.ts'
import type { EventBatch } from './outlet.ts'

/** Makes events the texts that one kind of subscription gets. Nothing in a text depends on the subscriber. */
export interface Encoder {
  /** An event of the log. */
  encode(event: DeliveredEvent): string | Promise<string>
  /** An event of one subscriber's stream itself. */
  encodeOwn(event: StreamEvent): string | Promise<string>
}

/**
 * What one encoder makes of events, for all subscribers that get the same: an event of the log costs one
 * encoding, however many they are.
 */
export class SharedEncoding {
  readonly #encoder: Encoder
  /** Texts that took a promise, or were asked for in pages. */
  readonly #texts = new WeakMap<DeliveredEvent, string | Promise<string>>()
  #hasPromises = false
  readonly #pages = new WeakMap<readonly DeliveredEvent[], EventBatch | Promise<EventBatch>>()

  constructor(encoder: Encoder) {
    this.#encoder = encoder
  }

  /** Consecutive events that are sent to all at once. */
  batchOf(events: readonly DeliveredEvent[], isShared: boolean): EventBatch | Promise<EventBatch> {
    // Encoding is cheaper than looking for a text, so that is done only where one may have taken a promise.
    const texts = events.map((event) =>
      this.#hasPromises ? (this.#texts.get(event) ?? this.#encodeOnce(event)) : this.#encodeOnce(event),
    )
    return batchOf(events, texts, isShared)
  }

  /** As `batchOf`, but for those that get them one after the other: what was made for one is kept for the next. */
  pageOf(events: readonly DeliveredEvent[]): EventBatch | Promise<EventBatch> {
    let page = this.#pages.get(events)
    if (!page) {
      page = batchOf(
        events,
        events.map((event) => this.#textOf(event)),
        true,
      )
      this.#pages.set(events, page)
      // A failure is for those that wait; what comes later tries again.
      if (page instanceof Promise) page.catch(() => this.#pages.delete(events))
    }
    return page
  }

  /** The text for an event of one subscriber's stream. */
  encodeOwn(event: StreamEvent): string | Promise<string> {
    return this.#encoder.encodeOwn(event)
  }

  /** Kept as long as the event is. */
  #textOf(event: DeliveredEvent): string | Promise<string> {
    const kept = this.#texts.get(event)
    if (kept !== undefined) return kept
    const text = this.#encodeOnce(event)
    if (typeof text === 'string') this.#texts.set(event, text)
    return text
  }

  #encodeOnce(event: DeliveredEvent): string | Promise<string> {
    const encoded = this.#encoder.encode(event)
    if (typeof encoded === 'string') return encoded
    // For all that ask meanwhile, and then for good.
    const text = encoded.then(
      (ready) => {
        this.#texts.set(event, ready)
        return ready
      },
      (error) => {
        this.#texts.delete(event)
        throw error
      },
    )
    this.#texts.set(event, text)
    this.#hasPromises = true
    return text
  }
}

function batchOf(
  events: readonly DeliveredEvent[],
  texts: readonly (string | Promise<string>)[],
  isShared: boolean,
): EventBatch | Promise<EventBatch> {
  return texts.every((text) => typeof text === 'string')
    ? { events, texts, isShared }
    : Promise.all(texts).then((all) => ({ events, texts: all, isShared }))
}
