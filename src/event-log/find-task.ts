import { EpochcastError, quote } from '../task/errors.ts'
import { channelOf, type TaskKey } from '../task/task.ts'
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
export async function findTask(
  log: Lookup,
  allowedPrefixes: readonly string[],
  id: string,
  channelPrefix: string | null,
): Promise<Snapshot | null> {
  const prefixes =
    channelPrefix === null ? allowedPrefixes : [checkChannelPrefix(allowedPrefixes, channelPrefix)]
  for (const prefix of prefixes) {
    const snapshot = await log.snapshot({ channelPrefix: prefix, id })
    if (snapshot) return snapshot
  }
  return null
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
  const where = channelPrefix === null ? '' : ` under channelPrefix ${quote(channelPrefix)}`
  throw new EpochcastError('TASK_NOT_FOUND', `no task ${quote(id)}${where}; it may be no longer retained`)
}

export const taskNotFound = (key: TaskKey): EpochcastError =>
  new EpochcastError('TASK_NOT_FOUND', `no task ${quote(channelOf(key))}; it may be no longer retained`)
