import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { edited, type TaskEdit } from '../task/edit.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import type { TaskEvent } from '../task/event.ts'
import type { Position } from '../task/position.ts'
import { channelOf, isFinalStatus, type TaskKey, type TaskState, type TaskStatus } from '../task/task.ts'
import {
  type AppendPlan,
  type AppendTrace,
  type Decision,
  ended,
  type OnAppended,
  type OnReceived,
  planFor,
  settle,
  TOGETHER,
  tellAppended,
  tellReceived,
  tracedAppends,
  type Waiting,
  type Written,
} from './append-plan.ts'
import { CurveFolder } from './curve-folder.ts'
import type { CurveStore } from './curve-store.ts'
import type { EventLog, Snapshot, StoredSnapshot } from './event-log.ts'
import { taskNotFound } from './find-task.ts'
import { isListingDue, listingOf } from './listing.ts'
import { recreateLog } from './recovery.ts'
import { TaskFinder } from './task-finder.ts'
import { WriteCounts } from './write-counts.ts'

/** Rounds of read, decide and append before writers give up; each lost round is another writer's success. */
export const MAX_APPEND_TRIES = 50
/** Longest wait for one's turn at a task; behind writers that wait for an engine that does not respond. */
export const MAX_TURN_WAIT_MS = 10_000
/** Updates of one task that may wait. */
export const MAX_LINE = 10_000
const MAX_RESTORE_MS = 3_600_000
/** Unfinished tasks whose state this process remembers from its last write. */
const MAX_REMEMBERED_TASKS = 2000
/** Of their states, as JSON. */
const MAX_REMEMBERED_BYTES = 64 * 1024 * 1024

interface Remembered extends StoredSnapshot {
  /** By this process's clock, as `listedAt`: when it told lists of tasks. */
  readonly writtenAt?: number
  readonly listedAt?: number | undefined
}

export interface TaskWriterOptions {
  /** How long after a write a task that is gone counts as lost, and not as over; an hour at most. */
  readonly restoreWithinMs: number
  /** Bytes of one task's curves. */
  readonly curveBytes: number
  /** Newest events that the log keeps. */
  readonly retainEvents: number
  readonly onError: (error: unknown) => void
  /** Told before updates are appended, of each that has events: the offset of its last one, and when it came. */
  readonly onReceived?: OnReceived
  readonly onAppended?: OnAppended | undefined
  readonly trace?: AppendTrace | undefined
  /** Told of each task that an append of this process ended. */
  readonly onEnded?: (channel: string, status: TaskStatus) => void
}

/**
 * Writes to existing logs. Updates of one task take turns within a process, and those that wait while an
 * append is under way are taken together by the next; against writers of other processes the append's
 * expected top decides, and the loser decides again for the newer state, so that a decision is only ever
 * applied to the state it was made for.
 *
 * What was written last is remembered, so that the next write need not read first. And where the store has
 * lost the task, its log is recreated from there: a training that goes on is not orphaned.
 */
export class TaskWriter {
  readonly #log: EventLog
  readonly #finder: TaskFinder
  readonly #curves: CurveFolder
  readonly #restoreWithinMs: number
  readonly #onReceived: OnReceived | undefined
  readonly #onAppended: OnAppended | undefined
  readonly #trace: AppendTrace | undefined
  readonly #onEnded: TaskWriterOptions['onEnded']
  readonly counts = new WriteCounts()
  /** The updates of each task that is being written to, those of the present append among them. */
  readonly #lines = new Map<string, Waiting[]>()
  readonly #remembered = new LRUCache<string, Remembered>({
    max: MAX_REMEMBERED_TASKS,
    maxSize: MAX_REMEMBERED_BYTES,
  })

  constructor(log: EventLog & CurveStore, options: TaskWriterOptions) {
    this.#log = log
    this.#finder = new TaskFinder(log, (key) => this.#remembered.has(channelOf(key)))
    this.#curves = new CurveFolder(log, options)
    this.#onReceived = options.onReceived
    this.#onAppended = options.onAppended
    this.#onEnded = options.onEnded
    this.#trace = options.trace
    this.#restoreWithinMs = Math.min(options.restoreWithinMs, MAX_RESTORE_MS)
  }

  /**
   * The key of a task by its id, under the prefix given or the first of the allowed ones that has it; at once
   * where it is known.
   *
   * @throws EpochcastError TASK_NOT_FOUND, CHANNEL_PREFIX_NOT_ALLOWED
   */
  find(
    allowedPrefixes: readonly string[],
    id: string,
    channelPrefix: string | null,
  ): TaskKey | Promise<TaskKey> {
    return this.#finder.find(allowedPrefixes, id, channelPrefix)
  }

  /**
   * Appends what `decide` returns for the task's present state. It may be asked again, for a newer state.
   *
   * @throws EpochcastError TASK_NOT_FOUND, CONTENDED, ENGINE_UNAVAILABLE, and whatever `decide` throws
   */
  update<D extends Decision>(key: TaskKey, decide: (state: TaskState) => D): Promise<Written<D>> {
    return new Promise<Written<Decision>>((resolve, reject) => {
      const channel = channelOf(key)
      const waiting = {
        decide,
        resolve,
        reject,
        receivedAt: performance.now(),
        origin: this.#trace?.origin(),
      }
      const line = this.#lines.get(channel)
      if (line) {
        if (line.length < MAX_LINE) line.push(waiting)
        else reject(noTurn(channel, `${MAX_LINE} others wait for theirs`))
        return
      }
      const ownLine = [waiting]
      this.#lines.set(channel, ownLine)
      void this.#serve(key, channel, ownLine)
    }) as Promise<Written<D>>
  }

  /**
   * Changes what people call a task. `decide` may be asked again, for a newer state.
   *
   * @throws EpochcastError TASK_NOT_FOUND, CONTENDED, ENGINE_UNAVAILABLE
   */
  async edit(key: TaskKey, decide: (state: TaskState) => TaskEdit | null): Promise<Snapshot> {
    const channel = channelOf(key)
    for (let tries = 0; tries < MAX_APPEND_TRIES; tries++) {
      const known = await this.#log.snapshot(key)
      if (!known) throw taskNotFound(key)
      const edit = decide(known.state)
      if (!edit) return known
      const result = await this.#log.edit(key, known, edited(known.state, edit))
      if (result.kind === 'edited') {
        if (this.#remembered.has(channel)) {
          const size = JSON.stringify(result.snapshot.state).length
          this.#remembered.set(channel, { ...result.snapshot, writtenAt: Date.now() }, { size })
        }
        return result.snapshot
      }
      await sleep(Math.random() * tries)
    }
    throw contended(channel)
  }

  /** Writes until nobody waits. Whatever fails is the outcome of those it concerns. */
  async #serve(key: TaskKey, channel: string, line: Waiting[]): Promise<void> {
    for (;;) {
      refuseLate(line, channel)
      if (line.length === 0) break
      const together = line.slice(0, TOGETHER.updates)
      let served = together.length
      try {
        served = await this.#write(key, channel, together)
      } catch (error) {
        for (const { reject } of together) reject(error)
      }
      line.splice(0, served)
    }
    this.#lines.delete(channel)
  }

  /** Tells each of them its outcome, from the first on; returns how many. */
  async #write(key: TaskKey, channel: string, together: readonly Waiting[]): Promise<number> {
    let known = this.#remembered.get(channel)
    for (let tries = 0; tries < MAX_APPEND_TRIES; tries++) {
      const isFresh = known === undefined
      known ??= await this.#read(key, channel)
      const plan = planFor(known, together)
      const { events, state, outcomes } = plan
      if (events.length === 0) {
        if (isFresh) return settle(together, outcomes)
        // Refused, or nothing to do, if what is remembered is still true: only the log can tell.
        known = undefined
        continue
      }
      const now = Date.now()
      const traced = this.#trace && tracedAppends(this.#trace, channel, together, outcomes)
      if (this.#onReceived) tellReceived(this.#onReceived, channel, together, outcomes, traced)
      const isListed = isListingDue(known.state, state, known.listedAt, now)
      const appending = this.#append(key, known, plan, isListed)
      const result = await (traced ? ended(traced, appending) : appending)
      if (result.kind === 'appended') {
        this.counts.add(known.state, plan)
        if (this.#onAppended) tellAppended(this.#onAppended, plan)
        if (isFinalStatus(state.status)) {
          this.#forget(key, channel)
          this.#onEnded?.(channel, state.status)
        } else {
          const { serial, revision } = known
          const { top, folded, bytes } = result
          const listedAt = isListed ? now : known.listedAt
          const written = { state, top, serial, revision, folded, bytes, writtenAt: now, listedAt }
          // Where they are very large, a few are remembered.
          this.#remembered.set(channel, written, { size: result.stateBytes + 1 })
        }
        // That the append was in time shows that refusals beside it were made for the log's own state.
        return settle(together, outcomes)
      }
      known = undefined
      // Writers that go on in step could have the same one lose every time.
      await sleep(Math.random() * tries)
    }
    throw contended(channel)
  }

  async #append(key: TaskKey, known: Remembered, { events, texts, state }: AppendPlan, isListed: boolean) {
    const { serial, revision } = known
    try {
      const prepared = this.#curves.prepare(key, known, events)
      const curves = prepared instanceof Promise ? await prepared : prepared
      const isFinal = isFinalStatus(state.status)
      const result = await this.#log.append(key, {
        expected: known.top,
        revision,
        events,
        state,
        isFinal,
        isReturn: isFinalStatus(known.state.status),
        texts,
        curves: curves ?? undefined,
        listing: isListed
          ? listingOf({ state, top: topAfter(known.top, events), serial, revision, bytes: known.bytes })
          : undefined,
      })
      if (result.kind === 'appended') return { ...result, folded: curves?.through ?? known.folded }
      this.#curves.discard(key)
      return result
    } catch (error) {
      this.#curves.discard(key)
      throw error
    }
  }

  #forget(key: TaskKey, channel: string): void {
    this.#remembered.delete(channel)
    this.#curves.discard(key)
  }

  async #read(key: TaskKey, channel: string): Promise<Remembered> {
    const snapshot = await this.#log.snapshot(key)
    if (snapshot) return snapshot
    const lost = this.#remembered.get(channel)
    this.#remembered.delete(channel)
    if (!lost || Date.now() - (lost.writtenAt ?? 0) > this.#restoreWithinMs) throw taskNotFound(key)
    const recreated = await recreateLog(this.#log, key, lost.state)
    if (!recreated) throw taskNotFound(key)
    return recreated
  }
}

const topAfter = ({ generation, offset }: Position, events: readonly TaskEvent[]): Position => ({
  generation,
  offset: offset + events.length,
})

const contended = (channel: string): EpochcastError =>
  new EpochcastError(
    'CONTENDED',
    `task ${quote(channel)} was changed by others ${MAX_APPEND_TRIES} times in a row; try again`,
  )

function refuseLate(line: Waiting[], channel: string): void {
  const latest = performance.now() - MAX_TURN_WAIT_MS
  while (line[0] && line[0].receivedAt <= latest) {
    line.shift()?.reject(noTurn(channel, `none came within ${MAX_TURN_WAIT_MS / 1000} s`))
  }
}

const noTurn = (channel: string, why: string): EpochcastError =>
  new EpochcastError(
    'CONTENDED',
    `task ${quote(channel)} had no turn: ${why}; nothing was applied, try again`,
  )
