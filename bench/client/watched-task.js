// @ts-check
import { isDeepStrictEqual } from 'node:util'
import { expectedEvent, progressOf } from './workload.js'

/** A delivery that is not what it should be; the run is invalid. */
export class DeliveryError extends Error {}

/**
 * A task as the load generator knows it: what was reported, and the bytes in which each event was seen first.
 * The first to see an event holds it against the report; everybody after that must get the same bytes.
 */
export class WatchedTask {
  id
  messageLength
  /** The newest report, by its own count: 1, 2, 3 … */
  reported = 0
  /** Bytes that were delivered, over all events and subscribers. */
  deliveredBytes = 0
  /** By sequence; from `"payload":` on. */
  /** @type {Map<number, { bytes: Buffer, cursor: string }>} */
  #seen = new Map()
  /** Offset in the log minus sequence; the same for all events. */
  /** @type {number | null} */
  #offsetAhead = null

  /**
   * @param {string} id
   * @param {number} [messageLength] makes its events large
   */
  constructor(id, messageLength = 0) {
    this.id = id
    this.messageLength = messageLength
  }

  /**
   * The next reports. They count as reported from now on.
   *
   * @param {number} count
   */
  nextReports(count) {
    const first = this.reported + 1
    this.reported += count
    return Array.from({ length: count }, (_, i) => progressOf(first + i, this.messageLength))
  }

  /**
   * @param {number} sequence which it must be
   * @param {Buffer} buffer
   * @param {number} start of the payload
   * @param {number} end
   * @throws {DeliveryError}
   */
  check(sequence, buffer, start, end) {
    const seen = this.#seen.get(sequence)
    if (seen === undefined) this.#checkFirst(sequence, Buffer.from(buffer.subarray(start, end)))
    else if (
      end - start !== seen.bytes.length ||
      buffer.compare(seen.bytes, 0, end - start, start, end) !== 0
    )
      throw this.#wrong(sequence, buffer.toString('utf8', start, end), seen.bytes.toString())
    this.deliveredBytes += end - start
  }

  /**
   * Of an event that somebody has seen.
   *
   * @param {number} sequence
   */
  cursorOf(sequence) {
    const seen = this.#seen.get(sequence)
    if (!seen) throw new Error(`nobody has seen event ${sequence} yet`)
    return seen.cursor
  }

  /**
   * Nobody will see these any more.
   *
   * @param {number} sequence the newest of them
   */
  forgetUpTo(sequence) {
    for (const known of this.#seen.keys()) {
      if (known > sequence) return
      this.#seen.delete(known)
    }
  }

  /**
   * @param {number} sequence
   * @param {Buffer} bytes
   */
  #checkFirst(sequence, bytes) {
    const text = bytes.toString()
    if (sequence > this.reported) throw this.#wrong(sequence, text, 'nothing; all reports were delivered')
    const { cursor, timestamp, ...event } = eventIn(text)
    const expected = expectedEvent(sequence, this.messageLength)
    if (!isDeepStrictEqual(event, expected)) throw this.#wrong(sequence, text, JSON.stringify(expected))
    if (Number.isNaN(Date.parse(timestamp))) throw this.#wrong(sequence, text, 'a timestamp')
    const offset = Number.parseInt(/\.([0-9a-z]+)$/.exec(cursor)?.[1] ?? '', 36)
    this.#offsetAhead ??= offset - sequence
    if (offset !== this.#offsetAhead + sequence) {
      throw this.#wrong(sequence, text, `a cursor at offset ${this.#offsetAhead + sequence}`)
    }
    this.#seen.set(sequence, { bytes, cursor })
  }

  /**
   * @param {number} sequence
   * @param {string} found
   * @param {string} expected
   */
  #wrong(sequence, found, expected) {
    return new DeliveryError(
      `task ${this.id}, event ${sequence}: found ${found.slice(0, 400)}; expected ${expected.slice(0, 400)}`,
    )
  }
}

/**
 * @param {string} text `{"data":{"trainingProgress":…}}}`, with the brace that closes the message
 */
function eventIn(text) {
  try {
    const { data, errors } = JSON.parse(text.slice(0, -1))
    if (errors === undefined && typeof data.trainingProgress.cursor === 'string') return data.trainingProgress
  } catch {
    // Said below.
  }
  throw new DeliveryError(`found ${text.slice(0, 400)}; expected an event`)
}
