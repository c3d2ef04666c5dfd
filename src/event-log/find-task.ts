import { EpochcastError, quote } from '../task/errors.ts'
import { LIMITS } from '../task/limits.ts'
import { channelOf, isTaskId, type TaskKey } from '../task/task.ts'
import type { Snapshot } from './event-log.ts'

/** Where tasks are looked up: a log, or what knows some of them without asking it. */
interface Lookup {
  snapshot(key: TaskKey): Promise<Snapshot | null>
}

/** @throws EpochcastError CHANNEL_PREFIX_NOT_ALLOWED */
export function checkChannelPrefix(allowed: readonly string[], channelPrefix: string): string {
  if (allowed.includes(channelPrefix)) return channelPrefix
  throw new EpochcastError(
    'CHANNEL_PREFIX_NOT_ALLOWED',
    `channelPrefix is ${quote(channelPrefix)}; expected one of ${allowed.map(quote).join(', ')}`,
  )
}

/**
 * The task with an id, under the prefix given or else under the first of the allowed prefixes that has it.
 *
 * @throws EpochcastError CHANNEL_PREFIX_NOT_ALLOWED
 */
async function findTask(
  log: Lookup,
  allowedPrefixes: readonly string[],
  id: string,
  channelPrefix: string | null,
): Promise<Snapshot | null> {
  for (const key of taskKeys(allowedPrefixes, id, channelPrefix)) {
    const snapshot = await log.snapshot(key)
    if (snapshot) return snapshot
  }
  return null
}

/**
 * The keys that a task with this id may have, in the order in which they are looked up: the one way from what a caller
 * says to a key, so that every door checks the same.
 *
 * @returns none where the text is no id of a task
 * @throws EpochcastError CHANNEL_PREFIX_NOT_ALLOWED
 */
export function taskKeys(
  allowedPrefixes: readonly string[],
  id: string,
  channelPrefix: string | null,
): readonly TaskKey[] {
  const prefixes =
    channelPrefix === null ? allowedPrefixes : [checkChannelPrefix(allowedPrefixes, channelPrefix)]
  return isTaskId(id) ? prefixes.map((prefix) => ({ channelPrefix: prefix, id })) : []
}

/** @throws EpochcastError TASK_NOT_FOUND, CHANNEL_PREFIX_NOT_ALLOWED */
export async function getTask(
  log: Lookup,
  allowedPrefixes: readonly string[],
  id: string,
  channelPrefix: string | null,
): Promise<Snapshot> {
  const snapshot = await findTask(log, allowedPrefixes, id, channelPrefix)
  if (snapshot) return snapshot
  throw noTask(id, channelPrefix)
}

/** The refusal of a task that was asked for in these words. */
export function noTask(id: string, channelPrefix: string | null): EpochcastError {
  const where = channelPrefix === null ? '' : ` under channelPrefix ${quote(channelPrefix)}`
  return new EpochcastError('TASK_NOT_FOUND', `no task ${quote(id)}${where}; it may be no longer retained`)
}

export const taskNotFound = (key: TaskKey): EpochcastError =>
  new EpochcastError('TASK_NOT_FOUND', `no task ${quote(channelOf(key))}; it may be no longer retained`)

export const isTaskNotFound = (error: unknown): boolean =>
  error instanceof EpochcastError && error.code === 'TASK_NOT_FOUND'

/**
 * What engines keep a task under. What is no id has been turned away before it comes here (`taskKeys`).
 *
 * @throws EpochcastError BAD_INPUT
 */
export function storedChannelOf(key: TaskKey): string {
  if (isTaskId(key.id)) return channelOf(key)
  throw new EpochcastError(
    'BAD_INPUT',
    `the id of a task is ${quote(key.id)}; expected 1 to ${LIMITS.taskIdLength} letters, digits and . _ -`,
  )
}
