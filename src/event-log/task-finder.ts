import type { TaskKey } from '../task/task.ts'
import type { EventLog } from './event-log.ts'
import { getTask, taskKeys } from './find-task.ts'

/**
 * Finds tasks by their ids for those who write to them, in the order of asking: what a client sends without waiting for its
 * answers must not be overtaken by what it sends next, for which the task is known by then.
 */
export class TaskFinder {
  readonly #log: EventLog
  readonly #isKnown: (key: TaskKey) => boolean
  /** Tasks that are being looked up, by what they were asked for with. */
  readonly #underWay = new Map<string, Promise<TaskKey>>()

  /** @param isKnown whether a task is known without the log */
  constructor(log: EventLog, isKnown: (key: TaskKey) => boolean) {
    this.#log = log
    this.#isKnown = isKnown
  }

  /**
   * At once where it is known, and nobody waits for it.
   *
   * @throws EpochcastError TASK_NOT_FOUND, CHANNEL_PREFIX_NOT_ALLOWED
   */
  find(prefixes: readonly string[], id: string, prefix: string | null): TaskKey | Promise<TaskKey> {
    const name = () => JSON.stringify([prefixes, id, prefix])
    const look = async (): Promise<TaskKey> => (await getTask(this.#log, prefixes, id, prefix)).state.spec
    // Nearly always nobody waits.
    const before = this.#underWay.size > 0 ? this.#underWay.get(name()) : undefined
    // What was asked before we were may be older than the task.
    if (before) return before.catch(look)
    for (const key of taskKeys(prefixes, id, prefix)) if (this.#isKnown(key)) return key
    const finding = look().finally(() => this.#underWay.delete(name()))
    this.#underWay.set(name(), finding)
    return finding
  }
}
