import { type Caller, mayRepeat } from '../repository/access.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import { channelOf, type TaskSpec } from '../task/task.ts'

/**
 * Refuses a start of what is there already, unless it is the same start again.
 *
 * @throws EpochcastError IDEMPOTENCY_CONFLICT
 */
export function checkRepeat(caller: Caller, known: TaskSpec, asked: TaskSpec): void {
  // Of a task that is not for the caller, only that its key is taken.
  if (known.inputDigest === asked.inputDigest && mayRepeat(caller, known)) return
  throw new EpochcastError(
    'IDEMPOTENCY_CONFLICT',
    `idempotencyKey was used before to start task ${quote(channelOf(asked))} with another input; expected the same input or another key`,
  )
}
