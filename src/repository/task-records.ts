import type { EventLog, Snapshot } from '../event-log/event-log.ts'
import { getTask } from '../event-log/find-task.ts'
import type { TaskWriter } from '../event-log/task-writer.ts'
import { editOf, type TaskChanges } from '../task/edit.ts'
import type { TaskKey } from '../task/task.ts'
import { authorize, type Caller, prefixesOf } from './access.ts'

/** What people do to the records of trainings, whether they go on or are over. */
export class TaskRecords {
  readonly #log: EventLog
  readonly #writer: TaskWriter
  readonly #channelPrefixes: readonly string[]
  readonly #now: () => number

  constructor(
    log: EventLog,
    writer: TaskWriter,
    channelPrefixes: readonly string[],
    now: () => number = Date.now,
  ) {
    this.#log = log
    this.#writer = writer
    this.#channelPrefixes = channelPrefixes
    this.#now = now
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
    return this.#writer.edit(state.spec, (present) => editOf(present, changes, this.#now()))
  }

  async #find(caller: Caller, id: string, channelPrefix: string | null): Promise<Snapshot> {
    // Before the task is looked for: whether it exists is not for every caller to know.
    authorize(caller, 'tasks:write', { id })
    const found = await getTask(this.#log, prefixesOf(caller, this.#channelPrefixes), id, channelPrefix)
    const key: TaskKey = found.state.spec
    authorize(caller, 'tasks:write', key)
    return found
  }
}
