import { randomUUID } from 'node:crypto'
import { errors, type JWTVerifyOptions } from 'jose'
import { LRUCache } from 'lru-cache'
import type { AuthConfig } from '../auth-config.ts'
import type { Leases } from '../event-log/leases.ts'
import {
  type AuthenticationProblem,
  type Caller,
  expired,
  type Rights,
  unauthenticated,
} from '../repository/access.ts'
import { EpochcastError } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import type { TaskSpec } from '../task/task.ts'
import type { Keys } from './keys.ts'
import { OwnTokens } from './own-tokens.ts'
import { rightsOf } from './rights.ts'

/** Tokens whose rights are remembered, and the characters of all of them. */
const REMEMBERED = { tokens: 10_000, characters: 16 * 1024 * 1024 } as const
/** Then a token is checked again: its key may have been withdrawn. */
const REMEMBERED_MS = 60_000

export interface IssuedTicket {
  readonly ticket: string
  readonly expiresInSeconds: number
}

export interface ViewLink {
  readonly token: string
  readonly expiresAt: number
}

/** Tokens into rights, for every door; and the tokens that the server issues itself. */
export class Authenticator {
  readonly graceMs: number
  readonly #keys: Keys
  readonly #own: OwnTokens
  readonly #leases: Leases
  readonly #options: JWTVerifyOptions
  readonly #toleranceMs: number
  readonly #ticketMs: number
  readonly #remembered = new LRUCache<string, Rights>({
    max: REMEMBERED.tokens,
    maxSize: REMEMBERED.characters,
    sizeCalculation: (_, token) => token.length,
    ttl: REMEMBERED_MS,
  })

  /** @param leases by which a ticket is used once, on whichever server */
  constructor(keys: Keys, leases: Leases, config: AuthConfig) {
    const { issuer, audience, clockToleranceMs, ownSecrets, graceMs, ticketMs } = config
    this.graceMs = graceMs
    this.#keys = keys
    this.#own = new OwnTokens(ownSecrets)
    this.#leases = leases
    this.#toleranceMs = clockToleranceMs
    this.#ticketMs = ticketMs
    this.#options = {
      clockTolerance: clockToleranceMs / 1000,
      ...(issuer === null ? {} : { issuer }),
      ...(audience === null ? {} : { audience }),
    }
  }

  /**
   * What a token gives a right to; at once where it is known.
   *
   * @throws EpochcastError UNAUTHENTICATED, AUTHENTICATION_UNAVAILABLE
   */
  rightsOf(token: string): Rights | Promise<Rights> {
    const known = this.#remembered.get(token)
    if (known) {
      if (known.expiresAt === null || known.expiresAt > Date.now()) return known
      throw expired(known.expiresAt)
    }
    if (token.length > LIMITS.tokenLength)
      throw unauthenticated(
        'malformed',
        `the token has ${token.length} characters; expected at most ${LIMITS.tokenLength}`,
      )
    return this.#check(token)
  }

  async #check(token: string): Promise<Rights> {
    const rights = await translated(async () => {
      if (this.#own.isOwn(token)) return this.#own.rights(token, this.#toleranceMs)
      return rightsOf(await this.#keys.verify(token, this.#options), this.#toleranceMs)
    })
    this.#remembered.set(token, rights)
    return rights
  }

  /** A ticket for one request or socket that can carry no token. */
  async issueTicket(caller: Caller): Promise<IssuedTicket> {
    const ticket = await this.#own.forTicket(caller, this.#ticketMs)
    return { ticket, expiresInSeconds: this.#ticketMs / 1000 }
  }

  /**
   * The rights of a ticket, which can then not be used again.
   *
   * @throws EpochcastError UNAUTHENTICATED, ENGINE_UNAVAILABLE
   */
  async redeem(ticket: string): Promise<Rights> {
    if (ticket.length > 2 * LIMITS.tokenLength) throw unauthenticated('malformed', 'the ticket is too long')
    const { id, rights, expiresAt } = await translated(() => this.#own.ticket(ticket, this.#toleranceMs))
    // Held until nobody could use it any more.
    const ttlMs = Math.max(1, expiresAt - Date.now()) + this.#toleranceMs + 1000
    if (await this.#leases.lease(`ticket:${id}`, randomUUID(), ttlMs)) return rights
    throw unauthenticated(
      'used',
      'the ticket has been used; expected a new one for each connection (POST /ticket)',
    )
  }

  issueReportToken({ subject }: Caller, spec: TaskSpec): Promise<string> {
    return this.#own.forReports(subject, spec)
  }

  async issueViewLink({ subject }: Caller, spec: TaskSpec, seconds: number): Promise<ViewLink> {
    const expiresAt = Date.now() + 1000 * seconds
    return { token: await this.#own.forView(subject, spec, seconds), expiresAt }
  }

  close(): void {
    this.#keys.close()
  }
}

async function translated<T>(check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    throw error instanceof EpochcastError ? error : refusalOf(error)
  }
}

/** What is wrong with a token. What it says is not repeated: it may be somebody's secret. */
function refusalOf(error: unknown): EpochcastError {
  const refuse = (problem: AuthenticationProblem, message: string) => unauthenticated(problem, message)
  // It has a time that has passed.
  if (error instanceof errors.JWTExpired) return expired((error.payload.exp as number) * 1000)
  if (error instanceof errors.JWTClaimValidationFailed) {
    const [problem, message] =
      CLAIMS[error.claim] ?? (['malformed', `the token's claim ${error.claim} is not usable`] as const)
    return refuse(problem, message)
  }
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return refuse('signature', "the token's signature is not that of a key of this server")
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported)
    return refuse('algorithm', "the token's algorithm is not one that this server accepts")
  if (error instanceof errors.JWKSNoMatchingKey)
    return refuse('key', 'the token was signed with a key that is not among those of this server')
  return refuse('malformed', 'this is no token; expected a JSON Web Token (RFC 7519)')
}

const CLAIMS: Readonly<Record<string, readonly [AuthenticationProblem, string]>> = {
  nbf: ['not_yet_valid', 'the token is not valid yet'],
  iss: ['issuer', 'the token is of another issuer; expected that of EPOCHCAST_JWT_ISSUER'],
  aud: ['audience', 'the token is for another audience; expected that of EPOCHCAST_JWT_AUDIENCE'],
}
