import type { JWTPayload } from 'jose'
import {
  type AuthenticationProblem,
  BUNDLES,
  type LabelValue,
  MAX_DATE_MS,
  type Rights,
  SCOPES,
  type Scope,
  unauthenticated,
} from '../repository/access.ts'
import { quote } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import { charactersIn } from '../task/text.ts'

/**
 * What a token says of its bearer's rights. `scope` is that of RFC 8693: names with blanks between; those that are not
 * of Epochcast are another service's, and passed over. The others narrow what the scopes are for.
 */
export interface RightsClaims {
  readonly sub?: string
  readonly scope?: string
  readonly task_ids?: readonly string[]
  readonly channel_prefixes?: readonly string[]
  /** Name to value, or to several. */
  readonly labels?: Readonly<Record<string, LabelValue | readonly LabelValue[]>>
}

/**
 * The rights of a token whose signature is right. What narrows them and cannot be understood is not passed over.
 *
 * @param toleranceMs by which clocks may differ
 * @throws EpochcastError UNAUTHENTICATED
 */
export function rightsOf(claims: JWTPayload, toleranceMs: number): Rights {
  const { sub, scope, task_ids, channel_prefixes, labels, exp } = claims
  if (sub !== undefined && (typeof sub !== 'string' || charactersIn(sub) > LIMITS.subjectLength)) {
    throw malformed('sub', sub, `at most ${LIMITS.subjectLength} characters`)
  }
  if (scope !== undefined && typeof scope !== 'string')
    throw malformed('scope', scope, 'names with blanks between')
  return {
    subject: sub || null,
    scopes: scopesOf(scope ?? ''),
    taskIds: textsOf('task_ids', task_ids),
    channelPrefixes: textsOf('channel_prefixes', channel_prefixes),
    labels: labelsOf(labels),
    expiresAt: endOf(exp, toleranceMs),
    taskCreatedAt: null,
  }
}

/** A token that lasts longer than there are dates never ends. */
function endOf(exp: number | undefined, toleranceMs: number): number | null {
  const endsAt = exp === undefined ? Number.POSITIVE_INFINITY : exp * 1000 + toleranceMs
  return endsAt > MAX_DATE_MS ? null : endsAt
}

/** What a token is to say, for its bearer to have these rights. */
export function claimsOf({ subject, scopes, taskIds, channelPrefixes, labels }: Rights): RightsClaims {
  return {
    ...(subject === null ? {} : { sub: subject }),
    scope: [...scopes].join(' '),
    ...(taskIds && { task_ids: [...taskIds] }),
    ...(channelPrefixes && { channel_prefixes: [...channelPrefixes] }),
    ...(labels && {
      labels: Object.fromEntries(Array.from(labels, ([name, values]) => [name, [...values]])),
    }),
  }
}

/** The scopes that are named, and those of bundles that are. */
function scopesOf(text: string): ReadonlySet<Scope> {
  const names = text.split(' ')
  const bundles: Readonly<Record<string, readonly Scope[]>> = BUNDLES
  const bundled = names.flatMap((name) => (Object.hasOwn(bundles, name) ? bundles[name] : undefined) ?? [])
  return new Set([...SCOPES.filter((scope) => names.includes(scope)), ...bundled])
}

function textsOf(claim: string, found: unknown): ReadonlySet<string> | null {
  if (found === undefined) return null
  const isList = Array.isArray(found) && found.length <= LIMITS.tokenNarrowing
  if (!isList || !found.every((text) => typeof text === 'string'))
    throw malformed(claim, found, `a list of at most ${LIMITS.tokenNarrowing} texts`)
  return new Set(found)
}

function labelsOf(found: unknown): Rights['labels'] {
  if (found === undefined) return null
  const isObject = typeof found === 'object' && found !== null && !Array.isArray(found)
  const entries = isObject ? Object.entries(found) : []
  const lists = entries.map(([name, value]): [string, readonly unknown[]] => [
    name,
    Array.isArray(value) ? value : [value],
  ])
  const all = lists.flatMap(([, values]) => values)
  if (!isObject || all.length > LIMITS.tokenNarrowing || !all.every(isLabelValue)) {
    const expected = `an object of strings, numbers and booleans, or lists of them, at most ${LIMITS.tokenNarrowing} in all`
    throw malformed('labels', found, expected)
  }
  return new Map(lists.map(([name, values]) => [name, new Set(values as LabelValue[])]))
}

const isLabelValue = (value: unknown): value is LabelValue =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'

function malformed(claim: string, found: unknown, expected: string) {
  const problem: AuthenticationProblem = 'malformed'
  return unauthenticated(problem, `the token's ${claim} is ${quote(found)}; expected ${expected}`)
}
