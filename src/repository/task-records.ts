import type { EventLog, Snapshot } from '../event-log/event-log.ts'
import { taskNotFound } from '../event-log/find-task.ts'
import type { TaskWriter } from '../event-log/task-writer.ts'
import { editOf, type TaskChanges } from '../task/edit.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import { channelOf, isFinalStatus } from '../task/task.ts'
import { type Caller, checkLabels } from './access.ts'
import type { Audit } from './audit.ts'
import { getForCaller } from './find-for-caller.ts'

/** Each conflict is another task of the same name that has been started and has ended meanwhile. */
const MAX_TRIES = 5

/** What people do to the records of trainings, whether they go on or are over. */
export class TaskRecords {
  readonly #log: EventLog
  readonly #writer: TaskWriter
  readonly #channelPrefixes: readonly string[]
  readonly #now: () => number
  readonly #audit: Audit | undefined

  constructor(
    log: EventLog,
    writer: TaskWriter,
    channelPrefixes: readonly string[],
    { now = Date.now, audit }: { now?: () => number; audit?: Audit } = {},
  ) {
    this.#log = log
    this.#writer = writer
    this.#channelPrefixes = channelPrefixes
    this.#now = now
    this.#audit = audit
  }

  /**
   * Changes what people call a task.
   *
   * @throws EpochcastError FORBIDDEN, TASK_NOT_FOUND, CHANNEL_PREFIX_NOT_ALLOWED, CONTENDED, ENGINE_UNAVAILABLE
   */
  async update(
    caller: Caller,
    id: string,
    channelPrefix: string | null,
    changes: TaskChanges,
  ): Promise<Snapshot> {
    const { state } = await this.#find(caller, id, channelPrefix)
    if (changes.labels !== undefined) checkLabels(caller, 'tasks:write', changes.labels)
    const task = state.spec
    const edited = await this.#writer.edit(task, (present) => editOf(present, changes, this.#now()))
    const changed = Object.entries(changes).flatMap(([name, value]) => (value === undefined ? [] : [name]))
    this.#audit?.({ action: 'update', caller, task, changed })
    return edited
  }

  /**
   * Takes a finished task away, with everything that is stored of it.
   *
   * @throws EpochcastError FORBIDDEN, TASK_NOT_FOUND, CHANNEL_PREFIX_NOT_ALLOWED, TASK_NOT_ENDED, CONTENDED,
   *   ENGINE_UNAVAILABLE
   */
  async delete(caller: Caller, id: string, channelPrefix: string | null): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const found = await this.#find(caller, id, channelPrefix)
      const { spec: key, status } = found.state
      if (!isFinalStatus(status)) {
        throw new EpochcastError(
          'TASK_NOT_ENDED',
          `task ${quote(channelOf(key))} is ${status}; cancel it, or wait for its end, before it is deleted`,
          { details: { status } },
        )
      }
      const { kind } = await this.#log.drop(key, found)
      if (kind === 'dropped') return this.#audit?.({ action: 'delete', caller, task: key })
      if (kind === 'missing') throw taskNotFound(key)
    }
    throw new EpochcastError('CONTENDED', `task ${quote(id)} is being started again and again; try again`)
  }

  #find(caller: Caller, id: string, channelPrefix: string | null): Promise<Snapshot> {
    const asked = { id, channelPrefix, allowedPrefixes: this.#channelPrefixes }
    return getForCaller(this.#log, caller, 'tasks:write', asked)
  }
}
