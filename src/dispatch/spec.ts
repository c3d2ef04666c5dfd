import { randomUUID } from 'node:crypto'
import { checkChannelPrefix } from '../event-log/find-task.ts'
import { accountOf, type Caller } from '../repository/access.ts'
import { EpochcastError } from '../task/errors.ts'
import { jsonBytes } from '../task/json.ts'
import { LIMITS } from '../task/limits.ts'
import type { Json, TaskSpec } from '../task/task.ts'
import { digest, idOf } from './idempotency.ts'
import { type GivenParams, paramsOf } from './params.ts'
import type { ConfiguredTrainer } from './trainers.ts'

export interface StartRequest extends GivenParams {
  readonly trainer: string | null
  readonly name: string | null
  readonly channelPrefix: string | null
  readonly labels: Json
  /** A finished task to repeat, where nothing else is asked for. */
  readonly retryOf: string | null
  readonly idempotencyKey: string | null
}

interface Surroundings {
  readonly channelPrefixes: readonly string[]
  readonly trainer: ConfiguredTrainer
  readonly caller: Caller
  /** As the caller has said it, before a task to retry was looked up. */
  readonly given: StartRequest
  /** The server that the trainer ends with. */
  readonly holder: string | null
  readonly now: number
}

/**
 * What a task is started as.
 *
 * @throws EpochcastError CHANNEL_PREFIX_NOT_ALLOWED, BAD_INPUT, BAD_PARAMS
 */
export function specOf(
  request: StartRequest,
  { channelPrefixes, trainer, caller, given, holder, now }: Surroundings,
): TaskSpec {
  const channelPrefix = checkChannelPrefix(
    channelPrefixes,
    request.channelPrefix ?? trainer.channelPrefix ?? (channelPrefixes[0] as string),
  )
  const { idempotencyKey, machineId, name, retryOf } = request
  const labels = labelsOf(request.labels, caller)
  const params = trainer.completeParams(paramsOf(request))
  checkBytes(
    'params',
    params,
    LIMITS.paramsBytes,
    "with what the retried task and the trainer's defaults add",
  )
  // What is not given is not part of it: keys that were used before there was such a thing stay valid.
  const optional = [name, retryOf].some((one) => one !== null) ? [name, retryOf] : []
  const input = [trainer.name, machineId, params, labels, ...optional]
  return {
    channelPrefix,
    id: idempotencyKey === null ? randomUUID() : idOf(channelPrefix, idempotencyKey),
    trainer: trainer.name,
    name,
    machineId: machineId ?? (typeof params.machine_id === 'string' ? params.machine_id : null),
    labels,
    retryOf,
    params,
    createdAt: now,
    startId: randomUUID(),
    owner: accountOf(caller),
    startedBy: caller.subject,
    holder,
    inputDigest: idempotencyKey === null ? null : digest(input),
    givenDigest: givenDigestOf(given),
  }
}

/** Of what a caller has said, as it stands: what is made of it changes with the retried task and the trainers' configuration. */
export const givenDigestOf = ({ idempotencyKey, ...given }: StartRequest): string | null =>
  idempotencyKey === null ? null : digest(given)

/**
 * What is merged is bounded as what is given: a retry of a retry of a task could have any number of parameters otherwise.
 *
 * @throws EpochcastError BAD_INPUT
 */
function checkBytes(name: string, value: Json, maxBytes: number, why: string): void {
  const bytes = jsonBytes(value)
  if (bytes <= maxBytes) return
  throw new EpochcastError(
    'BAD_INPUT',
    `${name} is ${bytes} bytes of JSON ${why}; expected at most ${maxBytes}`,
  )
}

/**
 * Labels that all tasks of a caller have, and with one value only, need not be given.
 *
 * @throws EpochcastError BAD_INPUT
 */
export function labelsOf(given: Json, { labels }: Caller): Json {
  const own = Array.from(labels ?? [], ([name, values]) => [name, [...values]] as const)
  const certain = Object.fromEntries(
    own.flatMap(([name, [value, ...others]]) =>
      others.length === 0 && value !== undefined ? [[name, value]] : [],
    ),
  )
  if (
    Object.keys(certain).length === 0 ||
    (given !== null && (typeof given !== 'object' || Array.isArray(given)))
  )
    return given
  const all = { ...certain, ...(given as Readonly<Record<string, Json>> | null) }
  checkBytes('labels', all, LIMITS.labelsBytes, 'with those of the token')
  return all
}
