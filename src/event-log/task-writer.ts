import { setTimeout as sleep } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { edited, type TaskEdit } from '../task/edit.ts'
import { EpochcastError, quote } from '../task/errors.ts'
import type { TaskEvent } from '../task/event.ts'
import type { Position } from '../task/position.ts'
import { channelOf, isFinalStatus, type TaskKey, type TaskState } from '../task/task.ts'
import type { EventLog, Snapshot } from './event-log.ts'
import { getTask, taskNotFound } from './find-task.ts'
import { isListingDue, listingOf } from './listing.ts'
import { recreateLog } from './recovery.ts'

/** Rounds of read, decide and append before writers give up; each lost round is another writer's success. */
export const MAX_APPEND_TRIES = 50
/** Longest wait for one's turn at a task; behind writers that wait for an engine that does not respond. */
export const MAX_TURN_WAIT_MS = 10_000
const MAX_RESTORE_MS = 3_600_000
/** Unfinished tasks whose state this process remembers from its last write. */
const MAX_REMEMBERED_TASKS = 2000

/** How much one append takes together of what waits for one task; a single update may have more events or text. */
export const TOGETHER = { updates: 64, events: 1000, textLength: 1_048_576 } as const

export interface Decision {
  /** To be appended; none where there is nothing to do. */
  readonly events: readonly TaskEvent[]
  /** The state after them. */
  readonly state: TaskState
}

export interface Written<D extends Decision> {
  readonly decision: D
  /** Position after the decision's events. */
  readonly top: Position
}

interface Remembered extends Snapshot {
  /** By this process's clock, as `listedAt`: when it told lists of tasks. */
  readonly writtenAt?: number
  readonly listedAt?: number | undefined
}

/** An update that waits for its turn. */
interface Waiting {
  readonly decide: (state: TaskState) => Decision
  readonly resolve: (written: Written<Decision>) => void
  readonly reject: (error: unknown) => void
  /** By performance.now(). */
  readonly latest: number
}

/** What one append is to do, and what it means for each of the updates that it takes together. */
interface Plan {
  readonly events: readonly TaskEvent[]
  readonly texts: readonly string[]
  readonly state: TaskState
  readonly outcomes: readonly (Written<Decision> | { readonly refusal: unknown })[]
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
  readonly #restoreWithinMs: number
  /** The updates of each task that is being written to, those of the present append among them. */
  readonly #lines = new Map<string, Waiting[]>()
  readonly #remembered = new LRUCache<string, Remembered>({ max: MAX_REMEMBERED_TASKS })

  /** @param restoreWithinMs how long after a write a task that is gone counts as lost, and not as over */
  constructor(log: EventLog, restoreWithinMs = MAX_RESTORE_MS) {
    this.#log = log
    this.#restoreWithinMs = Math.min(restoreWithinMs, MAX_RESTORE_MS)
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
    for (const prefix of channelPrefix === null ? allowedPrefixes : [channelPrefix]) {
      const key = { channelPrefix: prefix, id }
      if (this.#remembered.has(channelOf(key))) return key
    }
    return getTask(this.#log, allowedPrefixes, id, channelPrefix).then(({ state }) => state.spec)
  }

  /**
   * Appends what `decide` returns for the task's present state. It may be asked again, for a newer state.
   *
   * @throws EpochcastError TASK_NOT_FOUND, CONTENDED, ENGINE_UNAVAILABLE, and whatever `decide` throws
   */
  update<D extends Decision>(key: TaskKey, decide: (state: TaskState) => D): Promise<Written<D>> {
    return new Promise<Written<Decision>>((resolve, reject) => {
      const channel = channelOf(key)
      const waiting = { decide, resolve, reject, latest: performance.now() + MAX_TURN_WAIT_MS }
      const line = this.#lines.get(channel)
      if (line) {
        line.push(waiting)
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
        if (this.#remembered.has(channel))
          this.#remembered.set(channel, { ...result.snapshot, writtenAt: Date.now() })
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
      const { events, texts, state, outcomes } = plan
      if (events.length === 0) {
        if (isFresh) return settle(together, outcomes)
        // Refused, or nothing to do, if what is remembered is still true: only the log can tell.
        known = undefined
        continue
      }
      const final = isFinalStatus(state.status)
      const { serial, revision } = known
      const now = Date.now()
      const top = { ...known.top, offset: known.top.offset + events.length }
      const isListed = isListingDue(known.state, state, known.listedAt, now)
      const result = await this.#log.append(key, {
        expected: known.top,
        revision,
        events,
        state,
        isFinal: final,
        texts,
        listing: isListed ? listingOf({ state, top, serial, revision }) : undefined,
      })
      if (result.kind === 'appended') {
        if (final) this.#remembered.delete(channel)
        else {
          const listedAt = isListed ? now : known.listedAt
          const written = { state, top: result.top, serial, revision, writtenAt: now, listedAt }
          this.#remembered.set(channel, written)
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

const contended = (channel: string): EpochcastError =>
  new EpochcastError(
    'CONTENDED',
    `task ${quote(channel)} was changed by others ${MAX_APPEND_TRIES} times in a row; try again`,
  )

function refuseLate(line: Waiting[], channel: string): void {
  const now = performance.now()
  while (line[0] && line[0].latest <= now) {
    line
      .shift()
      ?.reject(
        new EpochcastError(
          'CONTENDED',
          `task ${quote(channel)} had no turn within ${MAX_TURN_WAIT_MS / 1000} s; nothing was applied, try again`,
        ),
      )
  }
}

/** Each update decides for the state after those before it; one that is refused leaves no trace. */
function planFor({ state: before, top }: Remembered, together: readonly Waiting[]): Plan {
  const events: TaskEvent[] = []
  const texts: string[] = []
  const outcomes: Plan['outcomes'][number][] = []
  let state = before
  let textLength = 0
  for (const { decide } of together) {
    try {
      const decision = decide(state)
      const decided = decision.events.map((event) => JSON.stringify(event))
      for (const text of decided) textLength += text.length
      const isTooMuch = events.length + decided.length > TOGETHER.events || textLength > TOGETHER.textLength
      if (isTooMuch && events.length > 0) break
      for (let i = 0; i < decided.length; i++) {
        events.push(decision.events[i] as TaskEvent)
        texts.push(decided[i] as string)
      }
      state = decision.state
      outcomes.push({ decision, top: { generation: top.generation, offset: top.offset + events.length } })
    } catch (refusal) {
      outcomes.push({ refusal })
    }
  }
  return { events, texts, state, outcomes }
}

function settle(together: readonly Waiting[], outcomes: Plan['outcomes']): number {
  outcomes.forEach((outcome, i) => {
    const waiting = together[i] as Waiting
    if ('refusal' in outcome) waiting.reject(outcome.refusal)
    else waiting.resolve(outcome)
  })
  return outcomes.length
}
