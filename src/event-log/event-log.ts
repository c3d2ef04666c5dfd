import type { TaskEdit } from '../task/edit.ts'
import type { TaskEvent } from '../task/event.ts'
import type { Position } from '../task/position.ts'
import type { TaskKey, TaskState } from '../task/task.ts'
import type { Listing } from './listing.ts'

/** An event at its place in one task's log. Each receiver gets an event object of its own. */
export interface LogEntry {
  readonly offset: number
  readonly event: TaskEvent
}

export interface Snapshot {
  readonly state: TaskState
  /** Position of the newest event. */
  readonly top: Position
  /** The order in which tasks were created: higher is newer. Unique within an engine. */
  readonly serial: number
  /** Counts the edits of the state since the log was created. */
  readonly revision: number
}

export interface StoredSnapshot extends Snapshot {
  /** Offset of the last event that the task's curves contain (`curve-store.ts`). */
  readonly folded: number
  /** About what the task takes in the engine. */
  readonly bytes: number
}

export type CreateResult =
  | { readonly kind: 'created'; readonly snapshot: StoredSnapshot }
  /** There is a log under this key; nothing was changed. */
  | { readonly kind: 'exists'; readonly snapshot: StoredSnapshot }
  /** This very task, by its spec's `startId`, was deleted before; nothing was changed. */
  | { readonly kind: 'dropped' }

export type AppendResult =
  /** With the bytes of the state as it is stored, and of the task as a whole. */
  | { readonly kind: 'appended'; readonly top: Position; readonly stateBytes: number; readonly bytes: number }
  /** Somebody else appended first; nothing was changed. Read the state again and decide again. */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'missing' }

export type EditResult =
  | { readonly kind: 'edited'; readonly snapshot: StoredSnapshot }
  /** Something was appended or edited first; nothing was changed. */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'missing' }

export type DropResult =
  | { readonly kind: 'dropped' }
  /** There is another log by now, or more in it; nothing was changed. */
  | { readonly kind: 'conflict' }
  | { readonly kind: 'missing' }

export type ReadResult =
  /** `entries` follow the position without a gap; empty where the position is the top. */
  | {
      readonly kind: 'entries'
      readonly entries: readonly LogEntry[]
      readonly top: Position
      readonly revision: number
    }
  /**
   * The events after the position can no longer be read. Reading can go on after `resumeAt`;
   * `skipped` of them are lost, where that can be known.
   */
  | {
      readonly kind: 'gone'
      readonly reason: 'TRIMMED' | 'LOG_RESET'
      readonly resumeAt: Position
      readonly skipped: number | null
    }
  /** The position lies past the top of the same log. */
  | { readonly kind: 'ahead'; readonly top: Position }
  | { readonly kind: 'missing' }

/** What a watch tells. Each is a hint: a reader that needs all events reads the log where something is missing. */
export type WatchSignal =
  /** What one append added: contiguous entries, the last of them at `top`. */
  | { readonly kind: 'appended'; readonly top: Position; readonly entries: readonly LogEntry[] }
  /** Name or labels were changed, for the given time since the log of this generation was created. */
  | {
      readonly kind: 'edited'
      readonly generation: string
      readonly revision: number
      readonly edit: TaskEdit
    }
  /** Its output (`output-log.ts`) now ends there. */
  | { readonly kind: 'output'; readonly top: Position }
  /** The task was deleted, and its log with it. */
  | { readonly kind: 'dropped' }
  /** The engine is out of reach; nothing will be heard until it is back. */
  | { readonly kind: 'interrupted'; readonly error: string }
  /** It is back, and what was appended meanwhile was not told. */
  | { readonly kind: 'resumed' }

export interface Watch {
  close(): Promise<void>
}

/** How long a deleted task is known to have been; longer than anybody remembers it without looking. */
export const TOMBSTONE_MS = 3_600_000
/**
 * What an append changes of its task's curves, in the same atomic step: so no event is ever missing from them, and
 * none is in them twice.
 */
export interface CurveChange {
  /** Offset of the last event that the curves contain from then on. The log keeps all later ones, whatever its bound. */
  readonly through: number
  /** Replaces the index. */
  readonly index: string
  readonly put: readonly { readonly name: string; readonly bytes: Uint8Array }[]
  readonly drop: readonly string[]
}

export interface AppendRequest {
  /** The top that the events were decided for. */
  readonly expected: Position
  /** The revision that they were decided for; 0 where it is left out. */
  readonly revision?: number
  readonly events: readonly TaskEvent[]
  /** The state after the events. */
  readonly state: TaskState
  /** From then on the task counts as finished. */
  readonly isFinal: boolean
  /** Until then it counted as finished: it had been given up. From then on it does not, unless this is final, too. */
  readonly isReturn?: boolean
  /** The events as JSON, where the caller has them already. */
  readonly texts?: readonly string[]
  /** Folds events into the curves, those of this append among them. */
  readonly curves?: CurveChange | undefined
  /** Given where lists of tasks are to learn of the change at once; it costs every server a message. */
  readonly listing?: Listing | undefined
}

/**
 * Keeps one append-only log of events and one state for every task. The rules that lead from a report
 * to events and from events to a state are not the log's: it stores what it is given.
 *
 * Every method may reject with EpochcastError ENGINE_UNAVAILABLE. What was to be written may then have been
 * written or not: its reply may be all that was lost.
 */
export interface EventLog {
  /**
   * Creates the log of a task with its first events. Atomic: of several calls for one key exactly one
   * creates it.
   * @throws EpochcastError STORE_FULL
   */
  create(key: TaskKey, events: readonly TaskEvent[], state: TaskState): Promise<CreateResult>

  /**
   * One atomic step: if top and revision are still the expected ones, numbers and stores the events, replaces the
   * state and announces both. A finished task may be dropped once its retention has passed, counted from its last end.
   *
   * What there is no room for is refused here, and concerns this task alone: running tasks of others give nothing. The
   * end of a task is stored wherever dropping finished tasks makes room for it.
   * @throws EpochcastError STORE_FULL
   */
  append(key: TaskKey, request: AppendRequest): Promise<AppendResult>

  /**
   * One atomic step: if top and revision are still the expected ones, replaces the state, counts its revision and tells
   * the edit to all watches. The log stays as it is, so this is allowed after the end, too.
   *
   * @param expected what the edit was decided for
   * @param state the state after it
   * @throws EpochcastError STORE_FULL
   */
  edit(key: TaskKey, expected: StoredSnapshot, state: TaskState): Promise<EditResult>

  /**
   * One atomic step: if its top is still the expected one, takes away all that is stored of a task, and tells so. For
   * `TOMBSTONE_MS` this very task cannot be created again: another process may still remember it as unfinished.
   */
  drop(key: TaskKey, expected: Snapshot): Promise<DropResult>

  snapshot(key: TaskKey): Promise<StoredSnapshot | null>

  /** Up to `limit` entries after a position, oldest first. A null position is before the oldest retained event. */
  read(key: TaskKey, after: Position | null, limit: number): Promise<ReadResult>

  /**
   * Tells what is appended to a task from now on; resolves once it listens. Announcements are an
   * optimisation: one may get lost or come late, and a reader that needs all events then reads the log.
   */
  watch(key: TaskKey, onSignal: (signal: WatchSignal) => void): Promise<Watch>

  /**
   * Gives a log of generation `previous` that lost its newest entries a new one: readers of the previous
   * generation that saw entries after `common`, the last offset that both have, are told of the loss. Done
   * once, by the first that notices it.
   */
  startGeneration(key: TaskKey, previous: string, common: number): Promise<void>
}
