import { CloseCode } from 'graphql-ws'
import { type Caller, reachesAtLeast, unauthenticated } from '../../repository/access.ts'
import { EpochcastError } from '../../task/errors.ts'
import type { Callers } from '../callers.ts'

/** Tells clients to come back later, which libraries do by themselves; what they have of 4429 is that they never may. */
export const TRY_AGAIN_LATER = 1013

interface Close {
  readonly code: number
  readonly reason: string
}

/** Who calls over one WebSocket: a stranger until `connection_init`, and from then on whoever its newest token is of. */
export class SocketCaller {
  readonly #callers: Callers
  #caller: Caller

  /** @param caller by the request of the upgrade */
  constructor(callers: Callers, caller: Caller) {
    this.#callers = callers
    this.#caller = caller
  }

  /** The same for all operations, until the token is replaced. */
  get current(): Caller {
    return this.#caller
  }

  /**
   * Takes the token of `connection_init`; where there is none, that with which the socket was opened.
   *
   * @returns how to close the socket where neither will do: with 4403, on which clients come back
   */
  async authenticate(params: unknown): Promise<Close | null> {
    if (this.#caller.isKnown && !this.#hasToken(params)) return null
    try {
      this.#caller = await this.#callers.byParams(this.#caller, params)
      return null
    } catch (error) {
      if (!(error instanceof EpochcastError)) throw error
      const code = error.code === 'UNAUTHENTICATED' ? CloseCode.Forbidden : TRY_AGAIN_LATER
      return { code, reason: error.message }
    }
  }

  /**
   * A ping with a token replaces that of the socket, without another connection; any other is only answered.
   *
   * @returns the payload of the pong, which tells whether the token was taken
   */
  async pong(
    ping: Record<string, unknown> | undefined,
    translate: (error: unknown) => Pick<EpochcastError, 'message' | 'extensions'>,
  ): Promise<Record<string, unknown> | undefined> {
    if (!this.#hasToken(ping)) return ping
    try {
      const caller = await this.#callers.byParams(this.#caller, ping)
      if (!reachesAtLeast(caller, this.#caller)) throw OF_LESS
      this.#caller = caller
      const { expiresAt } = caller
      return { expiresAt: expiresAt === null ? null : new Date(expiresAt).toISOString() }
    } catch (error) {
      const { message, extensions } = translate(error)
      return { error: { message, extensions } }
    }
  }

  /** How to close the socket where its token has expired; its client comes back with a fresh one. */
  expired(now: number): Close | null {
    const endsAt = this.#callers.endOf(this.#caller)
    return endsAt !== null && endsAt <= now
      ? { code: CloseCode.Forbidden, reason: 'the token has expired' }
      : null
  }

  #hasToken(params: unknown): boolean {
    return this.#callers.areKnownByTokens && this.#callers.hasToken(params)
  }
}

/** What is open was allowed to the caller of before. */
const OF_LESS = unauthenticated(
  'malformed',
  'the token is of another subject than the one before, or gives less; expected a new connection for it',
)
