import { z } from 'zod'
import { isLoopback } from './loopback.ts'
import { list, seconds, text } from './setting.ts'

export const SECRET_ALGORITHMS = ['HS256'] as const
export const KEY_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'] as const
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number]

/** What checks the tokens that others issue. */
export type TokenKeys =
  | { readonly kind: 'secrets'; readonly secrets: readonly string[] }
  | { readonly kind: 'file'; readonly path: string; readonly algorithms: readonly KeyAlgorithm[] }
  | {
      readonly kind: 'jwks'
      readonly url: string
      readonly algorithms: readonly KeyAlgorithm[]
      /** Time after which they are asked for again. */
      readonly cacheMs: number
    }

/** Whose tokens are accepted, and by what. */
export interface AuthConfig {
  readonly keys: TokenKeys
  /** Null: any. */
  readonly issuer: string | null
  readonly audience: string | null
  /** By which clocks may differ. */
  readonly clockToleranceMs: number
  /** For the tokens that the server issues itself: the first signs, all are accepted. */
  readonly ownSecrets: readonly string[]
  /** Time for which a stream goes on after its token has expired. */
  readonly graceMs: number
  readonly ticketMs: number
}

const MIN_SECRET_BYTES = 32

// Not the value in any message: it is a secret.
const secret = () =>
  z
    .string()
    .optional()
    .transform((found) => found || null)
    .refine((found) => found === null || Buffer.byteLength(found) >= MIN_SECRET_BYTES, {
      abort: true,
      error: `is shorter than ${MIN_SECRET_BYTES} bytes; expected at least as many, such as those of \`openssl rand -base64 32\``,
    })

const jwksUrl = () =>
  text('').transform((found, context): string | null => {
    if (found === '') return null
    const url = URL.canParse(found) ? new URL(found) : null
    const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
    if (isSafe && url?.username === '' && url.password === '') return found
    context.addIssue('is not usable; expected an https URL without a user, or an http one of this machine')
    return z.NEVER
  })

const algorithms = () =>
  list(KEY_ALGORITHMS.join(',')).pipe(
    z
      .array(z.enum(KEY_ALGORITHMS, { error: `has another than ${KEY_ALGORITHMS.join(', ')}` }))
      .min(1)
      .readonly(),
  )

/** Names, defaults and bounds. */
export const authSettings = {
  EPOCHCAST_JWT_SECRET: secret(),
  EPOCHCAST_JWT_SECRET_PREVIOUS: secret(),
  EPOCHCAST_JWT_PUBLIC_KEY: text('').transform((path) => path || null),
  EPOCHCAST_JWKS_URL: jwksUrl(),
  EPOCHCAST_JWKS_CACHE_SECONDS: seconds(300, 1, 86_400),
  EPOCHCAST_JWT_ALGORITHMS: algorithms(),
  EPOCHCAST_JWT_ISSUER: text('').transform((issuer) => issuer || null),
  EPOCHCAST_JWT_AUDIENCE: text('').transform((audience) => audience || null),
  EPOCHCAST_JWT_CLOCK_TOLERANCE_SECONDS: seconds(5, 0, 300),
  EPOCHCAST_TOKEN_SECRET: secret(),
  EPOCHCAST_TOKEN_SECRET_PREVIOUS: secret(),
  EPOCHCAST_TOKEN_GRACE_SECONDS: seconds(5, 0, 300),
  EPOCHCAST_TICKET_SECONDS: seconds(30, 1, 300),
}

type Found = { readonly [Name in keyof typeof authSettings]: z.infer<(typeof authSettings)[Name]> }

/** Null where there is no authentication. To be called for settings that do not contradict each other. */
export function authConfig(found: Found): AuthConfig | null {
  const keys = keysOf(found)
  if (keys === null) return null
  const own = [found.EPOCHCAST_TOKEN_SECRET, found.EPOCHCAST_TOKEN_SECRET_PREVIOUS]
  const given = [found.EPOCHCAST_JWT_SECRET, found.EPOCHCAST_JWT_SECRET_PREVIOUS]
  return {
    keys,
    issuer: found.EPOCHCAST_JWT_ISSUER,
    audience: found.EPOCHCAST_JWT_AUDIENCE,
    clockToleranceMs: found.EPOCHCAST_JWT_CLOCK_TOLERANCE_SECONDS,
    ownSecrets: present(found.EPOCHCAST_TOKEN_SECRET === null ? given : own),
    graceMs: found.EPOCHCAST_TOKEN_GRACE_SECONDS,
    ticketMs: found.EPOCHCAST_TICKET_SECONDS,
  }
}

const present = (secrets: readonly (string | null)[]): readonly string[] =>
  secrets.filter((one) => one !== null)

function keysOf(found: Found): TokenKeys | null {
  const algorithms = found.EPOCHCAST_JWT_ALGORITHMS
  const secrets = present([found.EPOCHCAST_JWT_SECRET, found.EPOCHCAST_JWT_SECRET_PREVIOUS])
  if (found.EPOCHCAST_JWT_SECRET !== null) return { kind: 'secrets', secrets }
  if (found.EPOCHCAST_JWT_PUBLIC_KEY !== null)
    return { kind: 'file', path: found.EPOCHCAST_JWT_PUBLIC_KEY, algorithms }
  if (found.EPOCHCAST_JWKS_URL === null) return null
  const cacheMs = found.EPOCHCAST_JWKS_CACHE_SECONDS
  return { kind: 'jwks', url: found.EPOCHCAST_JWKS_URL, algorithms, cacheMs }
}

const SOURCES = ['EPOCHCAST_JWT_SECRET', 'EPOCHCAST_JWT_PUBLIC_KEY', 'EPOCHCAST_JWKS_URL'] as const
export const hasTokenKeys = (found: Found): boolean => SOURCES.some((name) => found[name] !== null)

/** Settings that say nothing without another. */
const NEEDED = {
  EPOCHCAST_JWT_SECRET_PREVIOUS: ['EPOCHCAST_JWT_SECRET'],
  EPOCHCAST_TOKEN_SECRET_PREVIOUS: ['EPOCHCAST_TOKEN_SECRET'],
  EPOCHCAST_TOKEN_SECRET: SOURCES,
  EPOCHCAST_JWT_ISSUER: SOURCES,
  EPOCHCAST_JWT_AUDIENCE: SOURCES,
} as const satisfies Partial<Record<keyof Found, readonly (keyof Found)[]>>

/** Tells `refuse` of settings that contradict each other, or that would not do what they seem to. */
export function checkAuth(found: Found, refuse: (name: keyof Found, message: string) => void): void {
  const [source, second] = SOURCES.filter((name) => found[name] !== null)
  if (second !== undefined) refuse(second, `is set, and so is ${source}; expected one of them`)
  for (const [name, needed] of Object.entries(NEEDED) as [keyof Found, readonly (keyof Found)[]][]) {
    if (found[name] !== null && needed.every((one) => found[one] === null))
      refuse(
        name,
        `is set, and ${needed.join(', ')} ${needed.length > 1 ? 'are' : 'is'} not; expected one of them with it`,
      )
  }
  if (source !== undefined && source !== 'EPOCHCAST_JWT_SECRET' && found.EPOCHCAST_TOKEN_SECRET === null) {
    refuse(
      source,
      `is set, but EPOCHCAST_TOKEN_SECRET is not, by which the server signs the tokens of trainers, links and tickets; expected at least ${MIN_SECRET_BYTES} bytes, the same for all servers`,
    )
  }
}
