import { EpochcastError, quote } from '../task/errors.ts'
import type { TaskEvent } from '../task/event.ts'
import type { Position } from '../task/position.ts'
import { channelOf, isFinalStatus, type TaskKey, type TaskState } from '../task/task.ts'
import type { EventLog } from './event-log.ts'
import { taskNotFound } from './find-task.ts'

/** Rounds of read, decide and append before a writer gives up; each lost round is another writer's success. */
export const MAX_APPEND_TRIES = 50

export interface Decision {
  /** To be appended; none where there is nothing to do. */
  readonly events: readonly TaskEvent[]
  /** The state after them. */
  readonly state: TaskState
}

/**
 * Writes to existing logs. Writers of one process take turns at a task; against writers of other
 * processes the append's expected top decides, and the loser decides again for the newer state, so
 * that a decision is only ever applied to the state it was made for.
 */
export class TaskWriter {
  readonly #log: EventLog
  /** The last writer in line of each task that is being written to. */
  readonly #lastInLine = new Map<string, Promise<unknown>>()

  constructor(log: EventLog) {
    this.#log = log
  }

  /**
   * Appends what `decide` answers for the task's present state.
   *
   * @throws EpochcastError TASK_NOT_FOUND, CONTENDED, and whatever `decide` throws
   */
  async update<D extends Decision>(
    key: TaskKey,
    decide: (state: TaskState) => D,
  ): Promise<{ decision: D; top: Position }> {
    const channel = channelOf(key)
    const write = () => this.#write(key, decide)
    // The predecessor's outcome is its own caller's business, so both ways lead to our turn.
    const turn = (this.#lastInLine.get(channel) ?? Promise.resolve()).then(write, write)
    this.#lastInLine.set(channel, turn)
    try {
      return await turn
    } finally {
      if (this.#lastInLine.get(channel) === turn) this.#lastInLine.delete(channel)
    }
  }

  async #write<D extends Decision>(
    key: TaskKey,
    decide: (state: TaskState) => D,
  ): Promise<{ decision: D; top: Position }> {
    for (let tries = 0; tries < MAX_APPEND_TRIES; tries++) {
      const snapshot = await this.#log.snapshot(key)
      if (!snapshot) throw taskNotFound(key)
      const decision = decide(snapshot.state)
      if (decision.events.length === 0) return { decision, top: snapshot.top }

      const final = isFinalStatus(decision.state.status)
      const result = await this.#log.append(key, snapshot.top, decision.events, decision.state, final)
      if (result.kind === 'appended') return { decision, top: result.top }
      if (result.kind === 'missing') throw taskNotFound(key)
    }
    throw new EpochcastError(
      'CONTENDED',
      `task ${quote(channelOf(key))} was changed by others ${MAX_APPEND_TRIES} times in a row; try again`,
    )
  }
}
