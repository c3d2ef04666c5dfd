import type { Logger } from 'pino'
import { BoundedLines } from '../bounds/bounded-lines.ts'
import type { DoorName, RefusalCode } from './refusal-counts.ts'

/** One connection that is over. */
export interface ClosedConnection {
  readonly door: 'websocket' | 'event_stream'
  /** Counted from 1 by this process. */
  readonly connection: number
  readonly subject: string | null
  readonly address: string | null
  readonly openedAt: number
  /** The close code of a WebSocket. */
  readonly code?: number
}

/**
 * What the log says of clients: a line for each connection, when it is over, and for each refusal, so many in a time. Never
 * what they sent, as that may be a token: no headers, no address of a request, no words of an error.
 */
export class ClientLog {
  readonly #logger: Pick<Logger, 'info'>
  readonly #lines = new BoundedLines()
  #newest = 0

  constructor(logger: Pick<Logger, 'info'>) {
    this.#logger = logger
  }

  nextConnection(): number {
    return ++this.#newest
  }

  closed(connection: ClosedConnection, now = performance.now()): void {
    const unlogged = this.#lines.take(connection.door)
    if (unlogged === null) return
    const { openedAt, ...closed } = connection
    const ms = Math.round(now - openedAt)
    this.#logger.info({ ...closed, ms, ...leftOut(unlogged) }, `a connection was closed (${closed.door})`)
  }

  refused(code: RefusalCode, door: DoorName, address: string | null): void {
    const unlogged = this.#lines.take(code)
    if (unlogged === null) return
    this.#logger.info({ code, door, address, ...leftOut(unlogged) }, `refused: ${code}`)
  }
}

/** Lines of this kind that were left out since the one before. */
const leftOut = (unlogged: number) => (unlogged > 0 ? { unlogged } : {})
