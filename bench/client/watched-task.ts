import { isDeepStrictEqual } from 'node:util'
import { type Dialect, type ReadEvent, speechOf } from './dialects.ts'
import { expectedEvent, progressOf } from './workload.ts'

/** A delivery that is not what it should be; the run is invalid. */
export class DeliveryError extends Error {}

/**
 * A task as the load generator knows it: what was reported, and the bytes that were seen first at each place of the
 * stream. The first to see a place holds it against the report; everybody after that must get the same bytes there.
 *
 * Events come in the order in which they were reported, so that a place is a sequence. Only where calls are under way
 * at the same time (`allowAnyOrder`) their order is not determined before somebody has seen it.
 */
export class WatchedTask {
  readonly id: string
  readonly messageLength: number
  /** The newest report, by its own count: 1, 2, 3 … */
  reported = 0
  /** Bytes that were delivered, over all events and subscribers. */
  deliveredBytes = 0
  /** By place, 1, 2, 3 …; the bytes are those behind the dialect's prefix. */
  readonly #seen: Map<number, { sequence: number; bytes: Buffer; cursor: string }> = new Map()
  /** Reported, and not seen by anybody yet; null where the order of the events is determined. */
  #unseen: Set<number> | null = null
  readonly #reportedBy: Map<string, number> = new Map()
  /** Offset in the log minus place; the same for all events. */
  #offsetAhead: number | null = null

  /** @param messageLength makes its events large */
  constructor(id: string, messageLength: number = 0) {
    this.id = id
    this.messageLength = messageLength
  }

  /**
   * From now on whoever sees an event first may find any of those that were reported and not seen yet. All others must
   * get the same bytes in the same order. Before it is called, everything that was reported must have been seen.
   */
  allowAnyOrder() {
    this.#unseen = new Set()
  }

  /**
   * The next reports. They count as reported from now on.
   *
   * @param producer each has a count of its own
   */
  nextReports(count: number, producer: string = '') {
    const first = this.reported + 1
    this.reported += count
    this.#reportedBy.set(producer, this.reportedBy(producer) + count)
    return Array.from({ length: count }, (_, i) => {
      this.#unseen?.add(first + i)
      return progressOf(first + i, this.messageLength)
    })
  }

  reportedBy(producer: string) {
    return this.#reportedBy.get(producer) ?? 0
  }

  /**
   * @param place of the event in the stream
   * @param start of what follows the prefix
   * @param dialect the same for all subscribers of the task
   * @returns the sequence of the event
   * @throws DeliveryError
   */
  check(place: number, buffer: Buffer, start: number, end: number, dialect: Dialect): number {
    const seen =
      this.#seen.get(place) ?? this.#checkFirst(place, Buffer.from(buffer.subarray(start, end)), dialect)
    if (end - start !== seen.bytes.length || buffer.compare(seen.bytes, 0, end - start, start, end) !== 0) {
      throw this.#wrong(place, buffer.toString('utf8', start, end), seen.bytes.toString())
    }
    this.deliveredBytes += end - start
    return seen.sequence
  }

  /** Of an event that somebody has seen. */
  cursorOf(place: number) {
    const seen = this.#seen.get(place)
    if (!seen) throw new Error(`nobody has seen event ${place} yet`)
    return seen.cursor
  }

  /**
   * Nobody will see these any more.
   *
   * @param place of the newest of them
   */
  forgetUpTo(place: number) {
    for (const known of this.#seen.keys()) {
      if (known > place) return
      this.#seen.delete(known)
    }
  }

  #checkFirst(place: number, bytes: Buffer, dialect: Dialect) {
    const text = bytes.toString()
    if (place > this.reported) throw this.#wrong(place, text, 'nothing; all reports were delivered')
    const { cursor, timestamp, ...event } = eventIn(text, dialect, this.id)
    const sequence = this.#unseen === null ? place : (event.current as number)
    if (this.#unseen?.delete(sequence) === false) {
      throw this.#wrong(place, text, `one of the events ${[...this.#unseen]}`)
    }
    const expected = expectedEvent(sequence, this.messageLength)
    if (!isDeepStrictEqual(event, expected)) throw this.#wrong(place, text, JSON.stringify(expected))
    if (Number.isNaN(Date.parse(timestamp))) throw this.#wrong(place, text, 'a timestamp')
    const offset = Number.parseInt(/\.([0-9a-z]+)$/.exec(cursor)?.[1] ?? '', 36)
    this.#offsetAhead ??= offset - place
    if (offset !== this.#offsetAhead + place) {
      throw this.#wrong(place, text, `a cursor at offset ${this.#offsetAhead + place}`)
    }
    const seen = { sequence, bytes, cursor }
    this.#seen.set(place, seen)
    return seen
  }

  #wrong(place: number, found: string, expected: string) {
    return new DeliveryError(
      `task ${this.id}, event ${place}: found ${found.slice(0, 400)}; expected ${expected.slice(0, 400)}`,
    )
  }
}

function eventIn(text: string, dialect: Dialect, taskId: string): ReadEvent {
  try {
    const event = speechOf(dialect).eventIn(text, taskId)
    if (typeof event?.cursor === 'string') return event
  } catch {
    // Said below.
  }
  throw new DeliveryError(`found ${text.slice(0, 400)}; expected an event`)
}
