import { randomUUID } from 'node:crypto'
import type { OnAppended } from '../event-log/append-plan.ts'
import type { EventLog, Snapshot } from '../event-log/event-log.ts'
import { checkChannelPrefix, noTask, taskNotFound } from '../event-log/find-task.ts'
import { accountOf, authorize, authorizeStart, type Caller, reaches } from '../repository/access.ts'
import type { Audit } from '../repository/audit.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import { queued } from '../task/lifecycle.ts'
import { LIMITS } from '../task/limits.ts'
import { reduceAll } from '../task/reducer.ts'
import { initialState, isTaskId, type TaskKey, type TaskSpec } from '../task/task.ts'
import { labelsOf } from './spec.ts'
import type { StartBounds } from './start-bounds.ts'
import { EXTERNAL } from './trainers.ts'

export interface Registrations {
  readonly log: Pick<EventLog, 'snapshot' | 'create'>
  readonly channelPrefixes: readonly string[]
  /** Asked before a task is created, and not of one that there is. */
  readonly startBounds?: StartBounds
  readonly audit?: Audit
  /** Told of the events that a task was created with. */
  readonly onCreated?: OnAppended | undefined
  readonly now?: () => number
}

/** What is known of a run that trains elsewhere, beside its name. */
export type ExternalRun = TaskKey & Partial<Pick<TaskSpec, 'machineId' | 'name' | 'labels' | 'params'>>

/**
 * The task of a run that trains elsewhere and comes with an id of its own: as it is, or else created, QUEUED, as one of the
 * trainer `external`. Of several calls at once, by whichever servers, one creates it.
 *
 * @throws EpochcastError UNAUTHENTICATED, FORBIDDEN, CHANNEL_PREFIX_NOT_ALLOWED, BAD_INPUT, TOO_MANY_TASKS, RATE_LIMITED, STORE_FULL,
 *   ENGINE_UNAVAILABLE; TASK_NOT_FOUND where the task is not for the caller
 */
export async function registerExternal(
  { log, channelPrefixes, startBounds, audit, onCreated, now = Date.now }: Registrations,
  caller: Caller,
  run: ExternalRun,
): Promise<Snapshot> {
  authorize(caller, 'tasks:start')
  checkChannelPrefix(channelPrefixes, run.channelPrefix)
  if (!isTaskId(run.id)) {
    throw new EpochcastError(
      'BAD_INPUT',
      `the id of a task is ${quote(run.id)}; expected 1 to ${LIMITS.taskIdLength} letters, digits and . _ -`,
    )
  }
  const known = await log.snapshot(run)
  if (known) return reachable(caller, known)
  const spec = externalSpec(caller, run, now())
  authorizeStart(caller, spec)
  startBounds?.take(caller)
  const events = queued(spec.createdAt)
  const result = await log.create(spec, events, reduceAll(initialState(spec), events))
  if (result.kind === 'dropped') throw taskNotFound(spec)
  if (result.kind === 'exists') return reachable(caller, result.snapshot)
  audit?.({ action: 'start', caller, task: spec, trainer: spec.trainer })
  onCreated?.(spec, result.snapshot.top, events)
  return result.snapshot
}

function reachable(caller: Caller, snapshot: Snapshot): Snapshot {
  const { spec } = snapshot.state
  if (reaches(caller, spec)) return snapshot
  throw noTask(spec.id, spec.channelPrefix)
}

function externalSpec(caller: Caller, run: ExternalRun, now: number): TaskSpec {
  const { channelPrefix, id, machineId = null, name = null, labels = null, params = {} } = run
  return {
    ...{ channelPrefix, id, machineId, name, params },
    labels: labelsOf(labels, caller),
    trainer: EXTERNAL,
    retryOf: null,
    createdAt: now,
    startId: randomUUID(),
    owner: accountOf(caller),
    startedBy: caller.subject,
    holder: null,
    inputDigest: null,
  }
}
