import { type ExecutionArgs, getOperationAST, Kind } from 'graphql'
import type { Logger } from 'pino'

/** How often it looks; what holds the event loop for less than this may go unseen. */
const TICK_MS = 20
/** Work that held the event loop for longer is logged. */
const HELD_MS = 50
/** Between two lines of the log. */
const QUIET_MS = 10_000
/** Operations of one tick that are named. */
const MAX_NAMED = 5
const MAX_NAME_LENGTH = 100

/** An operation that a door begins. */
type Begun = Pick<ExecutionArgs, 'document' | 'operationName' | 'contextValue'>

/**
 * Watches that nothing holds the event loop: a timer that comes too late tells that something did, and the
 * operations that began since the timer before tell what. Between two ticks that is a few references; words are made
 * of them only for the log.
 */
export class EventLoopWatch {
  readonly #logger: Pick<Logger, 'warn'>
  readonly #timer: NodeJS.Timeout
  #tickedAt: number
  #begun: Begun[] = []
  #count = 0
  #loggedAt = Number.NEGATIVE_INFINITY
  #unlogged = 0
  #longestMs = 0

  constructor(logger: Pick<Logger, 'warn'>, now = performance.now()) {
    this.#logger = logger
    this.#tickedAt = now
    this.#timer = setInterval(() => this.tick(), TICK_MS)
    this.#timer.unref()
  }

  /** The longest time, in ms, that something has held the event loop. */
  get longestMs(): number {
    return this.#longestMs
  }

  /** To be called when an operation begins. */
  began(operation: Begun): void {
    if (this.#count++ < MAX_NAMED) this.#begun.push(operation)
  }

  /** To be called every TICK_MS, as its timer does. */
  tick(now = performance.now()): void {
    const heldMs = now - this.#tickedAt - TICK_MS
    this.#tickedAt = now
    if (heldMs > this.#longestMs) this.#longestMs = heldMs
    if (heldMs > HELD_MS) this.#tell(Math.round(heldMs), now)
    if (this.#count === 0) return
    this.#count = 0
    this.#begun = []
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #tell(heldMs: number, now: number): void {
    if (now - this.#loggedAt < QUIET_MS) {
      this.#unlogged++
      return
    }
    const began = [...new Set(this.#begun.map(nameOf))]
    const what =
      began.length > 0
        ? `${this.#count} operations began meanwhile: ${began.join(', ')}`
        : 'no operation began meanwhile: work in the background, or the collection of garbage'
    const before = this.#unlogged > 0 ? `; ${this.#unlogged} times more since the last line like this` : ''
    this.#logger.warn({ heldMs, began }, `the event loop was held for ${heldMs} ms; ${what}${before}`)
    this.#loggedAt = now
    this.#unlogged = 0
  }
}

/** Such as `query Tasks over POST`; the first field stands for an operation without a name. */
function nameOf(begun: Begun): string {
  const operation = getOperationAST(begun.document, begun.operationName)
  if (!operation) return 'an operation that its document does not have'
  const [first] = operation.selectionSet.selections
  const field = first?.kind === Kind.FIELD ? first.name.value : 'a fragment'
  const name = operation.name?.value ?? `{ ${field} … }`
  return `${operation.operation} ${name.slice(0, MAX_NAME_LENGTH)} over ${doorOf(begun)}`
}

/** What a door adds to its operations tells it. */
function doorOf(begun: Begun): string {
  if ('connection' in begun) return 'WebSocket'
  return 'request' in (begun.contextValue as object) ? 'HTTP' : 'POST'
}
