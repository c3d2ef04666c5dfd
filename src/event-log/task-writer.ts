import { setTimeout as sleep } from 'node:timers/promises'
import { EpochcastError, quote } from '../task/errors.ts'
import type { TaskEvent } from '../task/event.ts'
import { beginAnew } from '../task/lifecycle.ts'
import type { Position } from '../task/position.ts'
import { reduceAll } from '../task/reducer.ts'
import { channelOf, isFinalStatus, type TaskKey, type TaskState } from '../task/task.ts'
import type { EventLog } from './event-log.ts'
import { getTask, taskNotFound } from './find-task.ts'

/** Rounds of read, decide and append before a writer gives up; each lost round is another writer's success. */
export const MAX_APPEND_TRIES = 50
/** Longest wait for one's turn at a task; behind writers who wait for an engine that does not answer. */
export const MAX_TURN_WAIT_MS = 10_000
const MAX_RESTORE_MS = 3_600_000
/** Unfinished tasks whose state this process remembers from its last write. */
export const MAX_REMEMBERED_TASKS = 2000

export interface Decision {
  /** To be appended; none where there is nothing to do. */
  readonly events: readonly TaskEvent[]
  /** The state after them. */
  readonly state: TaskState
}

interface Remembered {
  readonly state: TaskState
  readonly top: Position
  /** By this process's clock. */
  readonly writtenAt?: number
}

/**
 * Writes to existing logs. Writers of one process take turns at a task; against writers of other
 * processes the append's expected top decides, and the loser decides again for the newer state, so
 * that a decision is only ever applied to the state it was made for.
 *
 * What was written last is remembered, so that the next write need not read first. And where the store has
 * lost the task, its log is begun anew from there: a training that goes on is not orphaned.
 */
export class TaskWriter {
  readonly #log: EventLog
  readonly #restoreWithinMs: number
  /** The last writer in line of each task that is being written to. */
  readonly #lastInLine = new Map<string, Promise<unknown>>()
  /** Least recently written first. */
  readonly #remembered = new Map<string, Remembered>()

  /** @param restoreWithinMs how long after a write a task that is gone counts as lost, and not as over */
  constructor(log: EventLog, restoreWithinMs = MAX_RESTORE_MS) {
    this.#log = log
    this.#restoreWithinMs = Math.min(restoreWithinMs, MAX_RESTORE_MS)
  }

  /**
   * The key of a task by its id, under the prefix given or the first of the allowed ones that has it.
   *
   * @throws EpochcastError TASK_NOT_FOUND, CHANNEL_PREFIX_NOT_ALLOWED
   */
  async find(allowedPrefixes: readonly string[], id: string, channelPrefix: string | null): Promise<TaskKey> {
    for (const prefix of channelPrefix === null ? allowedPrefixes : [channelPrefix]) {
      const key = { channelPrefix: prefix, id }
      if (this.#remembered.has(channelOf(key))) return key
    }
    return (await getTask(this.#log, allowedPrefixes, id, channelPrefix)).state.spec
  }

  /**
   * Appends what `decide` answers for the task's present state.
   *
   * @throws EpochcastError TASK_NOT_FOUND, CONTENDED, ENGINE_UNAVAILABLE, and whatever `decide` throws
   */
  async update<D extends Decision>(
    key: TaskKey,
    decide: (state: TaskState) => D,
  ): Promise<{ decision: D; top: Position }> {
    const channel = channelOf(key)
    const latest = performance.now() + MAX_TURN_WAIT_MS
    const write = () => {
      if (performance.now() < latest) return this.#write(key, channel, decide)
      throw new EpochcastError(
        'CONTENDED',
        `task ${quote(channel)} had no turn within ${MAX_TURN_WAIT_MS / 1000} s; nothing was applied, try again`,
      )
    }
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
    channel: string,
    decide: (state: TaskState) => D,
  ): Promise<{ decision: D; top: Position }> {
    let known = this.#remembered.get(channel)
    for (let tries = 0; tries < MAX_APPEND_TRIES; tries++) {
      const isFresh = known === undefined
      known ??= await this.#read(key, channel)
      const decision = this.#decide(known, isFresh, decide)
      if (decision === 'look again') {
        known = undefined
        continue
      }
      if (decision.events.length === 0 && isFresh) return { decision, top: known.top }
      if (decision.events.length === 0) {
        // Nothing to do, if what is remembered is still true: only the log can tell.
        known = undefined
        continue
      }
      const final = isFinalStatus(decision.state.status)
      const result = await this.#log.append(key, known.top, decision.events, decision.state, final)
      if (result.kind === 'appended') {
        if (final) this.#remembered.delete(channel)
        else this.#remember(channel, { state: decision.state, top: result.top, writtenAt: Date.now() })
        return { decision, top: result.top }
      }
      known = undefined
      // Writers that go on in step could have the same one lose every time.
      await sleep(Math.random() * tries)
    }
    throw new EpochcastError(
      'CONTENDED',
      `task ${quote(channel)} was changed by others ${MAX_APPEND_TRIES} times in a row; try again`,
    )
  }

  /** A refusal counts only against the log's own state; what is remembered may be out of date. */
  #decide<D extends Decision>(
    { state }: Remembered,
    isFresh: boolean,
    decide: (state: TaskState) => D,
  ): D | 'look again' {
    try {
      return decide(state)
    } catch (error) {
      if (isFresh) throw error
      return 'look again'
    }
  }

  async #read(key: TaskKey, channel: string): Promise<Remembered> {
    const snapshot = await this.#log.snapshot(key)
    if (snapshot) return snapshot
    const lost = this.#remembered.get(channel)
    this.#remembered.delete(channel)
    if (!lost || Date.now() - (lost.writtenAt ?? 0) > this.#restoreWithinMs) throw taskNotFound(key)
    const events = beginAnew(lost.state, Date.now())
    const { snapshot: begun } = await this.#log.create(key, events, reduceAll(lost.state, events))
    return begun
  }

  #remember(channel: string, remembered: Remembered): void {
    this.#remembered.delete(channel)
    this.#remembered.set(channel, remembered)
    if (this.#remembered.size <= MAX_REMEMBERED_TASKS) return
    const [oldest] = this.#remembered.keys()
    if (oldest !== undefined) this.#remembered.delete(oldest)
  }
}
