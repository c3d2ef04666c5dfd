import { randomUUID } from 'node:crypto'
import { decodeProtectedHeader, type JWTPayload, SignJWT } from 'jose'
import { type Rights, type Scope, unauthenticated } from '../repository/access.ts'
import type { TaskSpec } from '../task/task.ts'
import { claimsOf, rightsOf } from './rights.ts'
import { SecretKeys } from './secret-keys.ts'

/** In the header of tokens that the server issued itself (RFC 8725, section 3.11): they are checked by its own secrets. */
const TYPE = 'epochcast+jwt'
const ISSUER = 'epochcast'
/** Longer than any training; what ends a report token is the end of its task (`Ingest`). */
const REPORT_TOKEN_SECONDS = 400 * 86_400

/** What a token of the server's own is for; none is taken for another. */
type Use = 'report' | 'view' | 'ticket'

/** A ticket that is right, though it may have been used. */
export interface Ticket {
  readonly id: string
  readonly rights: Rights
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** Tokens that the server issues: for its trainers, for links, and for those who can set no header. */
export class OwnTokens {
  readonly #keys: SecretKeys
  readonly #secret: Uint8Array

  /** @param secrets the first signs, all are accepted */
  constructor(secrets: readonly string[]) {
    this.#keys = new SecretKeys(secrets)
    this.#secret = new TextEncoder().encode(secrets[0])
  }

  /** For one task's trainer: it may report to this task, as it was started, and do nothing else. */
  forReports(subject: string | null, spec: TaskSpec): Promise<string> {
    return this.#sign('report', forTask(subject, 'tasks:report', spec), inSeconds(REPORT_TOKEN_SECONDS))
  }

  /** For whoever gets the link: it may read one task. */
  forView(subject: string | null, spec: TaskSpec, seconds: number): Promise<string> {
    return this.#sign('view', forTask(subject, 'tasks:read', spec), inSeconds(seconds))
  }

  /** For one request or socket, with all the rights of its caller. */
  forTicket(rights: Rights, ms: number): Promise<string> {
    const claims = { ...ownClaimsOf(rights), jti: randomUUID(), rights_until: rights.expiresAt }
    return this.#sign('ticket', claims, Math.ceil((Date.now() + ms) / 1000))
  }

  /** Whether a token says that it is one of these. */
  isOwn(token: string): boolean {
    return decodeProtectedHeader(token).typ === TYPE
  }

  /** @throws the error of jose; EpochcastError UNAUTHENTICATED */
  async rights(token: string, toleranceMs: number): Promise<Rights> {
    const claims = await this.#verify(token, toleranceMs)
    if (claims.use === 'ticket')
      throw unauthenticated('malformed', 'this is a ticket; expected it as the parameter ticket of a URL')
    return ownRightsOf(claims, toleranceMs)
  }

  /** @throws the error of jose; EpochcastError UNAUTHENTICATED */
  async ticket(token: string, toleranceMs: number): Promise<Ticket> {
    const claims = await this.#verify(token, toleranceMs)
    if (claims.use !== 'ticket')
      throw unauthenticated('malformed', 'this is no ticket; expected one of POST /ticket')
    return {
      id: String(claims.jti),
      expiresAt: (claims.exp as number) * 1000 + toleranceMs,
      rights: { ...ownRightsOf(claims, toleranceMs), expiresAt: claims.rights_until as number | null },
    }
  }

  #verify(token: string, toleranceMs: number): Promise<JWTPayload> {
    const clockTolerance = toleranceMs / 1000
    return this.#keys.verify(token, { typ: TYPE, issuer: ISSUER, clockTolerance, requiredClaims: ['exp'] })
  }

  #sign(use: Use, claims: JWTPayload, expiresAt: number): Promise<string> {
    return new SignJWT({ ...claims, use })
      .setProtectedHeader({ alg: 'HS256', typ: TYPE })
      .setIssuer(ISSUER)
      .setIssuedAt()
      .setExpirationTime(expiresAt)
      .sign(this.#secret)
  }
}

const inSeconds = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds

/** For one thing that is done to one task. */
const forTask = (subject: string | null, scope: Scope, { id, channelPrefix, createdAt }: TaskSpec) =>
  ownClaimsOf({
    subject,
    scopes: new Set([scope]),
    taskIds: new Set([id]),
    channelPrefixes: new Set([channelPrefix]),
    labels: null,
    expiresAt: null,
    taskCreatedAt: createdAt,
  })

const ownClaimsOf = (rights: Rights) => ({ ...claimsOf(rights), task_created_at: rights.taskCreatedAt })

const ownRightsOf = (claims: JWTPayload, toleranceMs: number): Rights => ({
  ...rightsOf(claims, toleranceMs),
  taskCreatedAt: (claims.task_created_at as number | null | undefined) ?? null,
})
