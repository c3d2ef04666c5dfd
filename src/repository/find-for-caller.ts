import type { Snapshot } from '../event-log/event-log.ts'
import { checkChannelPrefix, noTask, taskKeys } from '../event-log/find-task.ts'
import type { TaskKey } from '../task/task.ts'
import { authorize, type Caller, prefixesOf, reaches, type Scope } from './access.ts'

interface Lookup {
  snapshot(key: TaskKey): Promise<Snapshot | null>
}

/** What a caller says of a task, and where it may be. */
export interface AskedTask {
  readonly id: string
  /** Null: the first of the server's prefixes under which the caller has a task with this id. */
  readonly channelPrefix: string | null
  /** All of the server. */
  readonly allowedPrefixes: readonly string[]
}

/**
 * The task that a caller asks for, where it may do this with it. A task of others is as one that there is not.
 *
 * @throws EpochcastError UNAUTHENTICATED, FORBIDDEN, CHANNEL_PREFIX_NOT_ALLOWED, ENGINE_UNAVAILABLE
 */
export async function findForCaller(
  lookup: Lookup,
  caller: Caller,
  scope: Scope,
  { id, channelPrefix, allowedPrefixes }: AskedTask,
): Promise<Snapshot | null> {
  authorize(caller, scope)
  const prefixes = ownPrefixes(caller, channelPrefix, allowedPrefixes)
  if (caller.taskIds?.has(id) === false) return null
  for (const key of taskKeys(prefixes, id, null)) {
    const found = await lookup.snapshot(key)
    if (found && reaches(caller, found.state.spec)) return found
  }
  return null
}

/**
 * As `findForCaller`, where there must be one.
 *
 * @throws EpochcastError UNAUTHENTICATED, FORBIDDEN, TASK_NOT_FOUND, CHANNEL_PREFIX_NOT_ALLOWED, ENGINE_UNAVAILABLE
 */
export async function getForCaller(
  lookup: Lookup,
  caller: Caller,
  scope: Scope,
  asked: AskedTask,
): Promise<Snapshot> {
  const found = await findForCaller(lookup, caller, scope, asked)
  if (found) return found
  throw noTask(asked.id, asked.channelPrefix)
}

/**
 * Refuses a task that a token for some tasks is not for, whether there is one or not.
 *
 * @throws EpochcastError TASK_NOT_FOUND
 */
export function checkIsNamed(
  { taskIds }: Caller,
  { id, channelPrefix }: Pick<AskedTask, 'id' | 'channelPrefix'>,
): void {
  if (taskIds?.has(id) === false) throw noTask(id, channelPrefix)
}

/**
 * The prefixes under which a caller's task is looked for; none where it asks for one that is not its own.
 *
 * @throws EpochcastError CHANNEL_PREFIX_NOT_ALLOWED
 */
export function ownPrefixes(
  caller: Caller,
  channelPrefix: string | null,
  allowedPrefixes: readonly string[],
): readonly string[] {
  if (channelPrefix === null) return prefixesOf(caller, allowedPrefixes)
  return prefixesOf(caller, [checkChannelPrefix(allowedPrefixes, channelPrefix)])
}
