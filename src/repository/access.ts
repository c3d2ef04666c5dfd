import { subjectHolder } from '../bounds/holders.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import type { Json, TaskKey, TaskSpec } from '../task/task.ts'

/*
 * Who may do what, for every door: resolvers, the fast path of reports, and doors that are not GraphQL. What
 * makes the content of a result differ is not decided here; that is the audience (`schema/context.ts`).
 */

const TASK_SCOPES = ['tasks:read', 'tasks:start', 'tasks:cancel', 'tasks:report', 'tasks:write'] as const
export const SCOPES = [...TASK_SCOPES, 'server:metrics'] as const
export type Scope = (typeof SCOPES)[number]

/** Names for the scopes that people need together; a token may have them for its scope, or among its scopes. */
export const BUNDLES = {
  viewer: ['tasks:read'],
  trainer: ['tasks:read', 'tasks:start', 'tasks:report'],
  operator: SCOPES,
} as const satisfies Record<string, readonly Scope[]>

export type LabelValue = string | number | boolean

/** What a token gives a right to. */
export interface Rights {
  /** Whom the token was issued to; null without a token, or where it does not say. */
  readonly subject: string | null
  readonly scopes: ReadonlySet<Scope>
  /** The only tasks that the caller may touch; null: all of them. */
  readonly taskIds: ReadonlySet<string> | null
  /** The only channel prefixes that the caller may touch; null: all of the server. */
  readonly channelPrefixes: ReadonlySet<string> | null
  /** Labels that a task must have, each with one of these values, for the caller to touch it; null: any task. */
  readonly labels: ReadonlyMap<string, ReadonlySet<LabelValue>> | null
  /** When the rights end, in milliseconds since 1970; null: never. */
  readonly expiresAt: number | null
  /**
   * Of a token that the server gave for one task, when that was created: one with its id that is started later, after it was
   * deleted or as its time was over, is another. Null for any other token.
   */
  readonly taskCreatedAt: number | null
}

/** Who calls, and what that gives a right to. */
export interface Caller extends Rights {
  /** Whether it has shown a token, where one is required; without, nothing is allowed. */
  readonly isKnown: boolean
  /** Where it calls from; null for the server itself. */
  readonly address: string | null
}

/** The caller of a server without authentication. */
export const ANYONE: Caller = {
  subject: null,
  isKnown: true,
  address: null,
  scopes: new Set(SCOPES),
  taskIds: null,
  channelPrefixes: null,
  labels: null,
  expiresAt: null,
  taskCreatedAt: null,
}

/** The caller of a server with authentication that has not shown a token, or not yet. */
export const NOBODY: Caller = { ...ANYONE, isKnown: false, scopes: new Set() }

/**
 * Refuses a caller that may not do what it asks for, whatever it is to be done to.
 *
 * @param scope null for what needs a token, but no right
 * @throws EpochcastError UNAUTHENTICATED, FORBIDDEN
 */
export function authorize(caller: Caller, scope: Scope | null, now = Date.now()): void {
  const { isKnown, scopes, expiresAt } = caller
  if (!isKnown) throw unauthenticated('missing', TOKEN_EXPECTED)
  if (expiresAt !== null && expiresAt <= now) throw expired(expiresAt)
  if (scope !== null && !scopes.has(scope))
    throw forbidden(caller, scope, `the token lacks the scope ${scope}`)
}

/**
 * Refuses a caller that may not start a task such as this.
 *
 * @throws EpochcastError FORBIDDEN
 */
export function authorizeStart(caller: Caller, { channelPrefix, labels }: StartedTask): void {
  const { taskIds, channelPrefixes } = caller
  if (taskIds) throw forbidden(caller, 'tasks:start', 'the token is for some tasks only')
  if (channelPrefixes && !channelPrefixes.has(channelPrefix)) {
    throw forbidden(caller, 'tasks:start', `the token is not for channelPrefix ${quote(channelPrefix)}`)
  }
  checkLabels(caller, 'tasks:start', labels)
}

/**
 * Refuses labels that would take a task out of a caller's own reach.
 *
 * @throws EpochcastError FORBIDDEN
 */
export function checkLabels(caller: Caller, scope: Scope, labels: Json): void {
  if (!caller.labels || hasLabels(labels, caller.labels)) return
  const wanted = Array.from(
    caller.labels,
    ([name, values]) => `${name} ${[...values].map(quote).join(' or ')}`,
  )
  throw forbidden(caller, scope, `the token is only for tasks with the labels ${wanted.join(', ')}`)
}

type StartedTask = Pick<TaskKey, 'channelPrefix'> & { readonly labels: Json }
type ReachedTask = TaskKey & { readonly labels: Json; readonly createdAt: number }

/** Whether a task is among those that a caller may touch; for all others there is no such task. */
export function reaches(
  { taskIds, channelPrefixes, labels, taskCreatedAt }: Rights,
  task: ReachedTask,
): boolean {
  return (
    (taskIds?.has(task.id) ?? true) &&
    (taskCreatedAt ?? task.createdAt) === task.createdAt &&
    (channelPrefixes?.has(task.channelPrefix) ?? true) &&
    (labels === null || hasLabels(task.labels, labels))
  )
}

/**
 * Whether a caller that repeats a start may have its answer, the task and a report token. A start of another subject gives it
 * nothing that it may not do by itself: keys can be guessed.
 */
export function mayRepeat(caller: Caller, task: ReachedTask & Pick<TaskSpec, 'startedBy'>): boolean {
  const { subject, scopes } = caller
  const isOwn = (task.startedBy ?? null) === subject
  return reaches(caller, task) && (isOwn || (scopes.has('tasks:read') && scopes.has('tasks:report')))
}

/** Whether there is no task that a caller may not touch. */
export const reachesAll = ({ taskIds, channelPrefixes, labels, taskCreatedAt }: Rights): boolean =>
  taskIds === null && channelPrefixes === null && labels === null && taskCreatedAt === null

/** Whether a caller may do all that another may, as the same subject. */
export function reachesAtLeast(caller: Rights, other: Rights): boolean {
  const covers = (own: ReadonlySet<unknown> | null, others: ReadonlySet<unknown> | null) =>
    own === null || (others !== null && [...others].every((one) => own.has(one)))
  const { labels } = caller
  return (
    caller.subject === other.subject &&
    caller.taskCreatedAt === other.taskCreatedAt &&
    covers(caller.scopes, other.scopes) &&
    covers(caller.taskIds, other.taskIds) &&
    covers(caller.channelPrefixes, other.channelPrefixes) &&
    (labels === null ||
      Array.from(labels).every(([name, values]) => covers(values, other.labels?.get(name) ?? null)))
  )
}

/** Those of the server's channel prefixes under which a caller's task is looked for. */
export function prefixesOf({ channelPrefixes }: Rights, all: readonly string[]): readonly string[] {
  return channelPrefixes ? all.filter((prefix) => channelPrefixes.has(prefix)) : all
}

/** Whose share of the store and of state streams a caller uses: its subject's, or without one its address's. */
export const accountOf = ({ subject, address }: Pick<Caller, 'subject' | 'address'>): string | null =>
  subject === null ? address : subjectHolder(subject)

/** Those whose shares and rates a call counts for: of the address, and of the subject, from wherever it calls. */
export const holdersOf = ({ subject, address }: Pick<Caller, 'subject' | 'address'>): readonly string[] => {
  const holders = address === null ? [] : [address]
  return subject === null ? holders : [...holders, subjectHolder(subject)]
}

/** Why somebody is not known, for programs. */
export type AuthenticationProblem =
  | 'missing'
  | 'malformed'
  | 'algorithm'
  | 'key'
  | 'signature'
  | 'expired'
  | 'not_yet_valid'
  | 'issuer'
  | 'audience'
  | 'used'

export const TOKEN_EXPECTED =
  'there is no token; expected "Authorization: Bearer …", in connection_init {"authorization": "Bearer …"}, or a ticket of POST /ticket'

export const unauthenticated = (reason: AuthenticationProblem, message: string): EpochcastError =>
  new EpochcastError('UNAUTHENTICATED', message, { details: { reason } })

/** Milliseconds on either side of 1970 that a date can have (ECMA-262); a token may say any number. */
export const MAX_DATE_MS = 8.64e15

/** @param at in milliseconds since 1970 */
export const expired = (at: number): EpochcastError =>
  unauthenticated(
    'expired',
    at < -MAX_DATE_MS ? 'the token has expired' : `the token expired at ${new Date(at).toISOString()}`,
  )

function forbidden({ subject }: Caller, scope: Scope, reason: string): EpochcastError {
  const who = subject === null ? 'this caller' : quote(subject)
  return new EpochcastError('FORBIDDEN', `${who} may not ${ACTIONS[scope]}: ${reason}`)
}

/** Labels are looked at where they stand: a label within another is none of that name. */
function hasLabels(labels: Json, wanted: NonNullable<Rights['labels']>): boolean {
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) return wanted.size === 0
  for (const [name, values] of wanted) {
    if (!Object.hasOwn(labels, name)) return false
    if (!values.has((labels as Readonly<Record<string, Json>>)[name] as LabelValue)) return false
  }
  return true
}

const ACTIONS = {
  'tasks:read': 'read tasks',
  'tasks:start': 'start trainings',
  'tasks:cancel': 'cancel trainings',
  'tasks:report': 'report to tasks',
  'tasks:write': 'change tasks',
  'server:metrics': "read the server's metrics",
} satisfies Record<Scope, string>
