import type { IncomingMessage } from 'node:http'
import type { Authenticator } from '../auth/authenticator.ts'
import { type Caller, type Rights, TOKEN_EXPECTED, unauthenticated } from '../repository/access.ts'
import type { Clients } from './clients.ts'

type AskingRequest = Pick<IncomingMessage, 'headers' | 'socket' | 'url'>

/** Who calls: anyone from its address on a server without authentication, else whoever the token is of. */
export class Callers {
  readonly #clients: Clients
  readonly #authenticator: Authenticator | null
  readonly #known = new WeakMap<AskingRequest, Caller>()

  constructor(clients: Clients, authenticator: Authenticator | null) {
    this.#clients = clients
    this.#authenticator = authenticator
  }

  /** Whether callers have to show a token. */
  get areKnownByTokens(): boolean {
    return this.#authenticator !== null
  }

  /** Until when what a caller has open goes on, in milliseconds since 1970: a while longer than its token; null without an end. */
  endOf({ expiresAt }: Caller): number | null {
    return expiresAt === null ? null : expiresAt + (this.#authenticator?.graceMs ?? 0)
  }

  /** Who sent a request, as far as that is known by now. */
  of(request: AskingRequest): Caller {
    return this.#known.get(request) ?? this.#clients.strangerOf(request)
  }

  /**
   * Looks at the token of a request, or at its ticket, where it may come with one; `of` knows its caller from then on.
   * At once where the token is known.
   *
   * @throws EpochcastError UNAUTHENTICATED, AUTHENTICATION_UNAVAILABLE, ENGINE_UNAVAILABLE
   */
  identify(
    request: AskingRequest,
    { mayHaveTicket }: { readonly mayHaveTicket: boolean },
  ): Caller | Promise<Caller> {
    const stranger = this.#clients.strangerOf(request)
    if (this.#authenticator === null) return stranger
    const { authorization } = request.headers
    const know = (rights: Rights): Caller => {
      const caller = known(stranger, rights)
      this.#known.set(request, caller)
      return caller
    }
    const ticket = authorization === undefined && mayHaveTicket ? ticketOf(request.url) : null
    const rights =
      ticket === null
        ? this.#authenticator.rightsOf(bearerOf(authorization))
        : this.#authenticator.redeem(ticket)
    return rights instanceof Promise ? rights.then(know) : know(rights)
  }

  /** Whether `connection_init`, or a ping, carries one. */
  hasToken(params: unknown): boolean {
    return authorizationIn(params) !== undefined
  }

  /** Whether a request shows who sent it, in one way or the other. */
  hasCredentials({ headers, url }: AskingRequest): boolean {
    return headers.authorization !== undefined || ticketOf(url) !== null
  }

  /**
   * Who a stranger is, by what it sent in `connection_init` or in a ping.
   *
   * @throws EpochcastError UNAUTHENTICATED, AUTHENTICATION_UNAVAILABLE
   */
  async byParams(stranger: Caller, params: unknown): Promise<Caller> {
    if (this.#authenticator === null) return stranger
    return known(stranger, await this.#authenticator.rightsOf(bearerOf(authorizationIn(params))))
  }
}

const known = (stranger: Caller, rights: Rights): Caller => ({
  ...rights,
  isKnown: true,
  address: stranger.address,
})

/** @throws EpochcastError UNAUTHENTICATED */
function bearerOf(authorization: string | undefined): string {
  if (authorization === undefined) throw unauthenticated('missing', TOKEN_EXPECTED)
  const [, token] = /^Bearer +([\w~+/.=-]+) *$/i.exec(authorization) ?? []
  if (token !== undefined) return token
  throw unauthenticated('malformed', 'the authorization is not a bearer token; expected "Bearer …"')
}

const NAME = /^authorization$/i
const HEADERS = /^headers$/i

/** Some clients put all of their headers into an object of that name. */
function authorizationIn(params: unknown): string | undefined {
  const found = propertyOf(params, NAME) ?? propertyOf(propertyOf(params, HEADERS), NAME)
  return typeof found === 'string' ? found : undefined
}

/** Whatever the case of its name. */
function propertyOf(object: unknown, pattern: RegExp): unknown {
  if (typeof object !== 'object' || object === null) return undefined
  return Object.entries(object).find(([name]) => pattern.test(name))?.[1]
}

function ticketOf(url = ''): string | null {
  const at = url.indexOf('?')
  if (at < 0 || !url.includes('ticket=', at)) return null
  return new URLSearchParams(url.slice(at + 1)).get('ticket')
}
