import type { EventLog, Snapshot } from '../event-log/event-log.ts'
import { type Caller, mayRepeat } from '../repository/access.ts'
import { ownPrefixes } from '../repository/find-for-caller.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import { channelOf, type TaskSpec } from '../task/task.ts'
import { idOf } from './idempotency.ts'
import { givenDigestOf, type StartRequest } from './spec.ts'

/**
 * The task of an earlier start with the same key and the same words. It is looked for before these are understood: the task that
 * it retried may have been changed or deleted since, or the configuration be another.
 *
 * @throws EpochcastError CHANNEL_PREFIX_NOT_ALLOWED, ENGINE_UNAVAILABLE
 */
export async function findRepeated(
  log: Pick<EventLog, 'snapshot'>,
  channelPrefixes: readonly string[],
  caller: Caller,
  given: StartRequest,
): Promise<Snapshot | null> {
  const { idempotencyKey, channelPrefix } = given
  if (idempotencyKey === null) return null
  const prefixes = ownPrefixes(caller, channelPrefix, channelPrefixes)
  const found = await Promise.all(
    prefixes.map((prefix) => log.snapshot({ channelPrefix: prefix, id: idOf(prefix, idempotencyKey) })),
  )
  const givenDigest = givenDigestOf(given)
  const isRepeated = ({ spec }: Snapshot['state']) =>
    spec.givenDigest === givenDigest && mayRepeat(caller, spec)
  return found.find((snapshot) => snapshot !== null && isRepeated(snapshot.state)) ?? null
}

/**
 * Refuses a start of what is there already, unless it is the same start again: in the same words, or with the same meaning.
 *
 * @throws EpochcastError IDEMPOTENCY_CONFLICT
 */
export function checkRepeat(caller: Caller, known: TaskSpec, asked: TaskSpec): void {
  const isSame = known.inputDigest === asked.inputDigest || known.givenDigest === asked.givenDigest
  // Of a task that is not for the caller, only that its key is taken.
  if (isSame && mayRepeat(caller, known)) return
  throw new EpochcastError(
    'IDEMPOTENCY_CONFLICT',
    `idempotencyKey was used before to start task ${quote(channelOf(asked))} with another input; expected the same input or another key`,
  )
}
