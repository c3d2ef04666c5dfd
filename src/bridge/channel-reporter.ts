import { LRUCache } from 'lru-cache'
import { type Registrations, registerExternal } from '../dispatch/register-external.ts'
import type { Ingest } from '../ingest/ingest.ts'
import { ANYONE, type Caller } from '../repository/access.ts'
import { EpochcastError, type ErrorCode } from '../task/errors.ts'
import { digestOf, lastOf, newestDigestOf } from '../task/producers.ts'
import type { Backlog, Held } from './backlog.ts'

/** The name under which messages of channels are numbered in their tasks. */
export const PRODUCER = 'bridge'

/** The server itself, by a name under which what it takes is counted. */
const CALLER: Caller = { ...ANYONE, address: 'bridge' }

/** Messages that are reported in one call. */
const MAX_BATCH = 500
/** Channels whose count is remembered; of others it is read again. */
const MAX_LINES = 10_000
/** Times in a row that a channel's count is read again before what does not fit it is given up. */
const MAX_REALIGNMENTS = 5
const RETRY_MS = 250
const MAX_RETRY_MS = 5000

/** What passes by itself; everything else is the message's fault, or its task's. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  ...(['ENGINE_UNAVAILABLE', 'CONTENDED', 'RATE_LIMITED', 'STORE_FULL', 'SHUTTING_DOWN'] as const),
  'INTERNAL_SERVER_ERROR',
])

/** How far a channel is reported. */
interface Line {
  /** Number of the last message that is an event; null while that has to be read. */
  last: number | null
  /** Whether what waits may be events already, reported by another server. */
  mayBeKnown: boolean
  realignments: number
  failures: number
  /** So many of the next messages go one by one, because one of them was refused. */
  singly: number
}

export type Step =
  | { readonly kind: 'reported'; readonly reported: number; readonly repeated: number }
  | { readonly kind: 'refused'; readonly message: Held; readonly error: EpochcastError }
  | { readonly kind: 'again'; readonly afterMs: number }

/**
 * Turns the messages of a channel into events of its task. They are numbered as a trainer's reports are (`task/producers.ts`), so that
 * one that is reported twice, by this server or another, is one event.
 */
export class ChannelReporter {
  readonly #ingest: Ingest
  readonly #registrations: Registrations
  readonly #backlog: Backlog
  readonly #lines = new LRUCache<string, Line>({ max: MAX_LINES })

  constructor(ingest: Ingest, registrations: Registrations, backlog: Backlog) {
    this.#ingest = ingest
    this.#registrations = registrations
    this.#backlog = backlog
  }

  /** Another server may report from now on, or did so until now. */
  forget(): void {
    this.#lines.clear()
  }

  /**
   * Reports the oldest messages of a channel that has some.
   *
   * @param mayBeKnown whether another server may have reported some of them
   * @throws whatever is no EpochcastError
   */
  async step(channel: string, mayBeKnown: (message: Held) => boolean): Promise<Step> {
    const line = this.#lineOf(channel)
    try {
      if (line.last === null) {
        const repeated = await this.#align(line, channel, mayBeKnown)
        if (repeated > 0) return { kind: 'reported', reported: 0, repeated }
      }
      return await this.#report(line, channel)
    } catch (error) {
      if (!(error instanceof EpochcastError)) throw error
      return this.#failed(line, channel, error)
    }
  }

  #lineOf(channel: string): Line {
    const known = this.#lines.get(channel)
    if (known) return known
    const line = { last: null, mayBeKnown: false, realignments: 0, failures: 0, singly: 0 }
    this.#lines.set(channel, line)
    return line
  }

  /** Reads how far the channel's task is, and lets go of what it has; returns how many. */
  async #align(line: Line, channel: string, mayBeKnown: (message: Held) => boolean): Promise<number> {
    const [first] = this.#backlog.of(channel)
    if (!first) return 0
    const { key, machineId } = first
    const { state } = await registerExternal(this.#registrations, CALLER, { ...key, machineId })
    const heard = Object.hasOwn(state.producers, PRODUCER) ? (state.producers[PRODUCER] ?? 0) : 0
    const waiting = this.#backlog.of(channel)
    const mustLook = line.mayBeKnown || waiting.some(mayBeKnown)
    const known = mustLook ? knownCount(waiting, newestDigestOf(heard)) : 0
    Object.assign(line, { last: lastOf(heard), mayBeKnown: false })
    this.#backlog.remove(channel, waiting.slice(0, known))
    return known
  }

  async #report(line: Line, channel: string): Promise<Step> {
    const batch = this.#backlog.of(channel).slice(0, line.singly > 0 ? 1 : MAX_BATCH)
    const [first] = batch
    if (!first || line.last === null) return { kind: 'reported', reported: 0, repeated: 0 }
    const { id, channelPrefix } = first.key
    const { accepted, duplicates } = await this.#ingest.report(CALLER, id, channelPrefix, {
      reports: batch.map(({ report }) => report),
      member: null,
      producer: PRODUCER,
      firstSequence: line.last + 1,
      attempt: null,
    })
    line.last += batch.length
    this.#done(line, channel, batch)
    return { kind: 'reported', reported: accepted, repeated: duplicates }
  }

  #done(line: Line, channel: string, batch: readonly Held[]): void {
    Object.assign(line, { realignments: 0, failures: 0, singly: Math.max(0, line.singly - batch.length) })
    this.#backlog.remove(channel, batch)
  }

  #failed(line: Line, channel: string, error: EpochcastError): Step {
    const { code, details } = error
    if (PASSING.has(code)) {
      const after = details?.retryAfterMs
      const backoffMs = Math.min(RETRY_MS * 2 ** line.failures++, MAX_RETRY_MS)
      return { kind: 'again', afterMs: typeof after === 'number' ? after : backoffMs }
    }
    // Another server has reported, the task was deleted, or it is at another attempt: how far it is has to be read again.
    const isMisaligned = code === 'SEQUENCE_CONFLICT' || code === 'SEQUENCE_GAP'
    if ((isMisaligned || code === 'TASK_NOT_FOUND') && line.realignments++ < MAX_REALIGNMENTS) {
      Object.assign(line, { last: null, mayBeKnown: isMisaligned })
      return { kind: 'again', afterMs: 0 }
    }
    const waiting = this.#backlog.of(channel)
    if (line.singly === 0 && line.last !== null && waiting.length > 1) {
      line.singly = Math.min(waiting.length, MAX_BATCH)
      return { kind: 'again', afterMs: 0 }
    }
    const [message] = waiting
    if (!message) return { kind: 'reported', reported: 0, repeated: 0 }
    this.#done(line, channel, [message])
    return { kind: 'refused', message, error }
  }
}

/** How many of the messages, from the first on, are events already, where the newest that is one has the digest given. */
function knownCount(waiting: readonly Held[], digest: number | null): number {
  if (digest === null) return 0
  return waiting.findLastIndex(({ report }) => digestOf([report], 0, 1, null) === digest) + 1
}
