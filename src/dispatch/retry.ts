import type { EventLog } from '../event-log/event-log.ts'
import type { Caller } from '../repository/access.ts'
import { getForCaller } from '../repository/find-for-caller.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import { channelOf, isFinalStatus, type Json } from '../task/task.ts'
import type { GivenParams } from './params.ts'

interface Retry extends GivenParams {
  /** A finished task to repeat. */
  readonly retryOf: string | null
  readonly trainer: string | null
  readonly channelPrefix: string | null
  readonly labels: Json
}

/**
 * A start that repeats a task asks for what that task had, wherever it does not ask for something else itself;
 * parameters one by one.
 *
 * @throws EpochcastError FORBIDDEN, TASK_NOT_FOUND, TASK_NOT_ENDED
 */
export async function withRetried<Request extends Retry>(
  log: EventLog,
  channelPrefixes: readonly string[],
  caller: Caller,
  request: Request,
): Promise<Request> {
  const { retryOf } = request
  if (retryOf === null) return request
  // What it was started with is for those to see who may read it.
  const asked = { id: retryOf, channelPrefix: null, allowedPrefixes: channelPrefixes }
  const { state } = await getForCaller(log, caller, 'tasks:read', asked)
  const { spec, status } = state
  if (!isFinalStatus(status)) {
    throw new EpochcastError(
      'TASK_NOT_ENDED',
      `retryOf is task ${quote(channelOf(spec))}, which is ${status}; expected one that has ended`,
      { details: { status } },
    )
  }
  const params: Record<string, Json> = { ...spec.params }
  if (request.machineId !== null) delete params.machine_id
  if (request.epochs !== null) delete params.epochs
  return {
    ...request,
    trainer: request.trainer ?? spec.trainer,
    channelPrefix: request.channelPrefix ?? spec.channelPrefix,
    labels: request.labels ?? spec.labels,
    params: { ...params, ...request.params },
  }
}
