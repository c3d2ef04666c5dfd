import { EpochcastError, quote } from '../task/errors.ts'
import type { TaskKey } from '../task/task.ts'

/*
 * Who may do what, for every door: resolvers, the fast path of reports, and doors that are not GraphQL. What
 * makes the content of a result differ is not decided here; that is the audience (`schema/context.ts`).
 */

export const SCOPES = ['tasks:read', 'tasks:start', 'tasks:cancel', 'tasks:report', 'tasks:write'] as const
export type Scope = (typeof SCOPES)[number]

/** Who calls, and what that gives a right to. */
export interface Caller {
  readonly subject: string
  /** Where it calls from, the holder of its shares and rates; null for the server itself. */
  readonly address: string | null
  readonly scopes: ReadonlySet<Scope>
  /** The only tasks that the caller may touch; null: all of them. */
  readonly taskIds: ReadonlySet<string> | null
  /** The only channel prefixes that the caller may touch; null: all of the server. */
  readonly channelPrefixes: ReadonlySet<string> | null
  /** When the rights end, in milliseconds since 1970; null: never. */
  readonly expiresAt: number | null
}

/** The caller of a server without authentication. */
export const ANYONE: Caller = {
  subject: 'anyone',
  address: null,
  scopes: new Set(SCOPES),
  taskIds: null,
  channelPrefixes: null,
  expiresAt: null,
}

/**
 * Refuses a caller that may not do what it asks for.
 *
 * @param where what it is to be done to, as far as that is known
 * @throws EpochcastError FORBIDDEN
 */
export function authorize(
  caller: Caller,
  scope: Scope,
  where: Partial<TaskKey> = {},
  now = Date.now(),
): void {
  const { subject, scopes, taskIds, channelPrefixes, expiresAt } = caller
  const refuse = (reason: string) =>
    new EpochcastError('FORBIDDEN', `${quote(subject)} may not ${ACTIONS[scope]}: ${reason}`)
  if (expiresAt !== null && expiresAt <= now) {
    throw refuse(`the token expired at ${new Date(expiresAt).toISOString()}`)
  }
  if (!scopes.has(scope)) throw refuse(`the token lacks the scope ${scope}`)
  const { id, channelPrefix } = where
  if (id !== undefined && taskIds && !taskIds.has(id)) throw refuse(`the token is not for task ${quote(id)}`)
  if (channelPrefix !== undefined && channelPrefixes && !channelPrefixes.has(channelPrefix)) {
    throw refuse(`the token is not for channelPrefix ${quote(channelPrefix)}`)
  }
}

/** Whether `authorize` would let a task be read; lists leave out what may not. */
export function mayRead({ taskIds, channelPrefixes }: Caller, { id, channelPrefix }: TaskKey): boolean {
  return (taskIds?.has(id) ?? true) && (channelPrefixes?.has(channelPrefix) ?? true)
}

/** Those of the server's channel prefixes under which a caller's task is looked for. */
export function prefixesOf({ channelPrefixes }: Caller, all: readonly string[]): readonly string[] {
  return channelPrefixes ? all.filter((prefix) => channelPrefixes.has(prefix)) : all
}

const ACTIONS = {
  'tasks:read': 'read tasks',
  'tasks:start': 'start trainings',
  'tasks:cancel': 'cancel trainings',
  'tasks:report': 'report to tasks',
  'tasks:write': 'change tasks',
} satisfies Record<Scope, string>
