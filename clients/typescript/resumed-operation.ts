import type { GraphQLFormattedError } from 'graphql'
import type { FormattedExecutionResult, Sink, SubscribePayload } from 'graphql-ws/client'
import { EpochcastClientError } from './error.ts'
import { type ResumableDocument, resumableDocument, type StreamValue } from './resumable-document.ts'
import { type RetryOptions, retryDelayMs } from './retry.ts'
import { schedule } from './schedule.ts'
import type { StreamState } from './stream-state.ts'

export type Result = FormattedExecutionResult<Record<string, unknown>, Record<string, unknown>>

/** A sink that may also ask how its stream stands. */
export type ResumingSink = Sink<Result> & { readonly state?: (state: StreamState) => void }

/** What carries an operation: a socket, or somebody else's client. */
export interface Carrier {
  readonly retry: RetryOptions
  /** Whether it may send an operation again by itself, with the variables that it was given first. */
  readonly keepsVariables?: boolean
  /** The payload's `query` and `variables` are those of the moment at which they are read, which is the sending. */
  subscribe(payload: SubscribePayload, sink: Sink<Result>): () => void
  /** Whether an operation that was refused for its token may be allowed with another; it then sees to it. */
  refreshToken(): boolean
  /** Whether it was closed for good. */
  isDisposed(): boolean
  /** Whether sending a subscription again is of no use after what it failed with, beside errors of GraphQL. */
  isFinal(problem: unknown): boolean
  /** A value came. */
  progressed(): void
}

/** Lines after which a carrier that keeps its variables is given newer ones: it would replay as many. */
const RENEW_LINES = 1000

/** The longest wait that a server can impose. */
const MAX_RETRY_AFTER_MS = 60_000

/**
 * One operation that goes on by itself: it is sent again, from the last cursor, whatever ended it before its end.
 * Events come once and in order. A later StreamOpened is left out, except before EventsSkipped, where its task is what
 * the skipped events led to; StreamTimedOut is never passed on.
 */
export class ResumedOperation {
  readonly document: ResumableDocument
  readonly #payload: SubscribePayload
  readonly #sink: ResumingSink
  readonly #carrier: Carrier
  readonly #tell: (state: StreamState) => void
  #state: StreamState = { kind: 'connecting' }
  #cursor: string | null = null
  #heardAt: number | null = null
  /** Tries in a row that brought nothing. */
  #failures = 0
  #hasOpened = false
  /** It was sent, and its StreamOpened is awaited. */
  #isSent = false
  /** Of a later subscription: shown only where EventsSkipped follows. */
  #opening: Result | null = null
  /** Cursors of the newest lines, and how many came since it was sent; where the carrier keeps its variables. */
  readonly #seen = new Set<string>()
  #lines = 0
  #isClosing = false
  #isOver = false
  #stop = () => {}

  constructor(
    payload: SubscribePayload,
    sink: ResumingSink,
    carrier: Carrier,
    tell: (state: StreamState) => void,
  ) {
    this.#payload = payload
    this.#sink = sink
    this.#carrier = carrier
    this.#tell = tell
    this.document = resumableDocument(payload)
    tell(this.#state)
    sink.state?.(this.#state)
    this.resume()
  }

  /** Whether something may come to harm if it is sent twice. */
  get isSentMutation(): boolean {
    return this.#isSent && this.document.type === 'mutation'
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Sends it, from where it stands. */
  resume(): void {
    if (this.#isOver) return
    this.#opening = null
    this.#isSent = false
    this.#lines = 0
    let isCurrent = true
    const current =
      <Args extends unknown[]>(take: (...args: Args) => void) =>
      (...args: Args) => {
        if (isCurrent) take(...args)
      }
    let unsubscribe = () => {}
    this.#stop = () => {
      isCurrent = false
      unsubscribe()
    }
    unsubscribe = this.#carrier.subscribe(this.#sendable(), {
      next: current((result) => this.#next(result as Result)),
      error: current((problem) => this.#failed(problem)),
      complete: current(() => this.#completed()),
    })
    if (!isCurrent) unsubscribe()
  }

  /** Until `resume`; nothing of it is held by the server meanwhile. */
  pause(): void {
    this.#stop()
  }

  /** Nobody wants it any more. */
  leave(): void {
    this.#isOver = true
    this.#stop()
    this.#enter({ kind: 'ended', cause: undefined })
  }

  /** @param cause undefined at its own end */
  end(cause?: unknown): void {
    if (this.#isOver) return
    this.#enter({ kind: 'ended', cause })
    this.leave()
    if (cause === undefined) this.#sink.complete()
    else this.#sink.error(cause)
  }

  /** What carries it has lost its connection, and tries again by itself. */
  isReconnecting(state: StreamState & { kind: 'reconnecting' }): void {
    if (!this.#isOver) this.#enter(state)
  }

  #sendable(): SubscribePayload {
    const operation = this
    return {
      ...this.#payload,
      get query() {
        return operation.document.query(operation.#progress)
      },
      // JSON.stringify reads it last, and so it has been sent: graphql-ws sends by itself after it has reconnected.
      get variables() {
        operation.#sent()
        return operation.document.variables(operation.#payload.variables, operation.#progress) as Record<
          string,
          unknown
        >
      },
    }
  }

  get #progress() {
    return { cursor: this.#cursor, heardAt: this.#heardAt }
  }

  #sent(): void {
    this.#isSent = true
    this.#opening = null
    if (!this.document.opensWithValue) this.#enter({ kind: 'live' })
  }

  #next(result: Result): void {
    const { data, errors } = result
    if (errors && errors.length > 0 && !hasValues(data)) {
      if (this.#mayPass(errors)) return void this.#waitOut(errors)
      this.#enter({ kind: 'ended', cause: errors })
      return void this.#sink.next(result)
    }
    this.#heardAt = Date.now()
    if (!this.document.hasEvents || !data) {
      const before = this.#cursor
      const cursor = data ? this.document.take(data).cursor : undefined
      if (cursor !== undefined && this.#isRepeated(cursor)) return void this.#again()
      this.#cursor = cursor ?? before
      this.#progressed({ kind: 'live' })
      this.#sink.next(result)
      // From where it was sent without a cursor, or long ago, somebody else would not find back.
      const isOld = this.#seen.size > 0 && (before === null || ++this.#lines >= RENEW_LINES)
      if (isOld && !this.#isOver) this.#again()
      return
    }
    this.#event(result, this.document.take(data))
  }

  /** A line that came before: the carrier has sent the operation again by itself. Lines have no opening that would tell. */
  #isRepeated(cursor: string): boolean {
    if (!this.#carrier.keepsVariables) return false
    if (this.#seen.has(cursor)) return true
    this.#seen.add(cursor)
    const [oldest] = this.#seen
    if (this.#seen.size > 2 * RENEW_LINES && oldest !== undefined) this.#seen.delete(oldest)
    return false
  }

  #event(result: Result, { typename, cursor, error }: StreamValue): void {
    if (typename === undefined || cursor === undefined) return void this.end(cannotResume())
    if (typename === 'StreamOpened') {
      // Somebody else sent it once more, with the variables of the first time.
      if (!this.#isSent) return void this.#again()
      this.#isSent = false
      this.#cursor = cursor
      this.#enter({ kind: 'live' })
      if (this.#hasOpened) this.#opening = result
      else this.#sink.next(result)
      this.#hasOpened = true
      return
    }
    this.#cursor = cursor
    if (typename === 'StreamTimedOut') return
    this.#progressed(
      typename === 'StreamInterrupted' ? { kind: 'interrupted', error: error ?? null } : { kind: 'live' },
    )
    const opening = this.#opening
    this.#opening = null
    if (typename === 'EventsSkipped' && opening) this.#sink.next(opening)
    if (typename === 'StreamClosing') this.#isClosing = true
    // A reader may have left at the one before.
    if (!this.#isOver) this.#sink.next(result)
  }

  #progressed(state: StreamState): void {
    this.#failures = 0
    this.#carrier.progressed()
    this.#enter(state)
  }

  #completed(): void {
    const isUnfinished = this.document.hasEvents && !this.#isClosing && !this.#carrier.isDisposed()
    // Of its maximum duration, or of a server that stops.
    if (isUnfinished && this.#state.kind !== 'ended') this.#waitOut(undefined)
    else this.end()
  }

  #failed(problem: unknown): void {
    if (Array.isArray(problem)) {
      if (this.#mayPass(problem)) return void this.#waitOut(problem)
    } else if (this.document.type === 'subscription' && !this.#carrier.isFinal(problem)) {
      return void this.#waitOut(problem)
    }
    this.end(problem)
  }

  #mayPass(errors: readonly GraphQLFormattedError[]): boolean {
    if (this.document.type !== 'subscription') return false
    if (errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED')) {
      return this.#carrier.refreshToken()
    }
    return errors.every(({ extensions }) => extensions?.retryable === true)
  }

  #waitOut(cause: unknown): void {
    this.#stop()
    const { retry } = this.#carrier
    if (cause !== undefined && this.#failures >= retry.attempts) return void this.end(cause)
    this.#failures++
    const askedMs = retryAfterMs(cause)
    const delayMs = askedMs + retryDelayMs(this.#failures, retry)
    const cancel = schedule(delayMs, () => this.resume(), askedMs === 0)
    this.#stop = cancel
    if (cause === undefined) return
    this.#enter({ kind: 'reconnecting', attempt: this.#failures, nextTryAt: Date.now() + delayMs, cause })
  }

  #again(): void {
    this.#stop()
    this.resume()
  }

  #enter(state: StreamState): void {
    const isSame = state.kind === this.#state.kind && state.kind !== 'reconnecting'
    if (isSame || this.#state.kind === 'ended') return
    this.#state = state
    this.#tell(state)
    this.#sink.state?.(state)
  }
}

const hasValues = (data: Record<string, unknown> | null | undefined): boolean =>
  data != null && Object.values(data).some((value) => value !== null)

function retryAfterMs(cause: unknown): number {
  if (!Array.isArray(cause)) return 0
  const asked = cause.map(({ extensions }: GraphQLFormattedError) => Number(extensions?.retryAfterMs ?? 0))
  return Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ...asked.filter(Number.isFinite)))
}

function cannotResume(): EpochcastClientError {
  return new EpochcastClientError(
    'an event came without its cursor or __typename; expected a persisted document of trainingProgress to select both',
    { code: 'CANNOT_RESUME', retryable: false },
  )
}
