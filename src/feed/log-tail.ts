import { setImmediate as eventLoopTurn } from 'node:timers/promises'
import type { EventLog, LogEntry, Snapshot, WatchSignal } from '../event-log/event-log.ts'
import { readRetained, recreateLog, verifyLog } from '../event-log/recovery.ts'
import { editIn, type TaskEdit } from '../task/edit.ts'
import type { Position } from '../task/position.ts'
import { type DeliveredEvent, delivered, type TaskView } from '../task/stream-event.ts'
import type { TaskKey } from '../task/task.ts'
import { FoldedState } from './folded-state.ts'
import { PAGE_ENTRIES } from './pages.ts'
import { Ring } from './ring.ts'
import type { RingBudget } from './ring-budget.ts'

/** Entries at hand from the start, to tell the log from another. */
const VERIFIABLE_ENTRIES = 16

/**
 * The tail of one task's log, as this process knows it: the newest events, and the position and state they lead to.
 * When it is read on, and who is told, is up to the feed that has it.
 */
export class LogTail {
  readonly #log: EventLog
  readonly #key: TaskKey
  readonly #ring: Ring
  #state: FoldedState | undefined
  #top: Position = { generation: '', offset: 0 }
  #serial = 0
  #revision = 0

  /**
   * @param ringEvents newest events that are kept
   * @param budget of all tails; beyond it, fewer are kept
   */
  constructor(log: EventLog, key: TaskKey, ringEvents: number, budget: RingBudget) {
    this.#log = log
    this.#key = key
    this.#ring = new Ring(ringEvents, budget)
  }

  /** Lets go of the events; nothing is to be read any more. */
  close(): void {
    this.#ring.close()
  }

  /** The task as it stands at the top; there is one once the tail has been loaded. */
  get view(): TaskView {
    return { state: (this.#state as FoldedState).value, top: this.#top }
  }

  /** Position of the newest event. */
  get top(): Position {
    return this.#top
  }

  get snapshot(): Snapshot {
    return { ...this.view, serial: this.#serial, revision: this.#revision }
  }

  /** The events after a position; empty at the top, null where it is past the top or too far back. */
  recent(after: Position): readonly DeliveredEvent[] | null {
    if (after.generation !== this.#top.generation) return null
    const missing = this.#top.offset - after.offset
    if (missing < 0) return null
    return missing === 0 ? [] : this.#ring.newest(missing)
  }

  /**
   * Starts at the present state, with the last entries before it at hand: `verify` compares by them.
   *
   * @returns whether there is such a task
   * @throws EpochcastError ENGINE_UNAVAILABLE
   */
  async load(): Promise<boolean> {
    const snapshot = await this.#log.snapshot(this.#key)
    if (!snapshot) return false
    const { state, top, serial, revision } = snapshot
    const start = { ...top, offset: Math.max(0, top.offset - VERIFIABLE_ENTRIES) }
    const result = await readRetained(this.#log, this.#key, start, VERIFIABLE_ENTRIES)
    this.#state = new FoldedState(state)
    this.#top = top
    this.#serial = serial
    this.#revision = revision
    this.#ring.reset(this.#delivered(result?.filter(({ offset }) => offset <= top.offset) ?? []))
    return true
  }

  /** Adds entries that were announced: they are new, or known already, or not what comes next. */
  add(top: Position, entries: readonly LogEntry[]): 'added' | 'known' | 'gap' {
    if (top.generation !== this.#top.generation) return 'gap'
    const fresh = entries.filter((entry) => entry.offset > this.#top.offset)
    if (fresh.length === 0) return 'known'
    if (fresh[0]?.offset !== this.#top.offset + 1) return 'gap'
    this.#append(fresh)
    return 'added'
  }

  /** Takes over an edit that was announced; false where it is one of another log. */
  edit({ generation, revision, edit }: Extract<WatchSignal, { kind: 'edited' }>): boolean {
    if (generation !== this.#top.generation) return false
    if (revision > this.#revision) this.#edit(revision, edit)
    return true
  }

  /**
   * Finds out whether the log lost events that are known here, and gives it a new generation if so.
   *
   * @throws EpochcastError ENGINE_UNAVAILABLE
   */
  async verify(): Promise<void> {
    await verifyLog(this.#log, this.#key, this.#top, this.#ring.events)
  }

  /**
   * Reads up to the log's top. A log that the store lost continues from what is known here.
   *
   * @param onEvents called whenever events were added
   * @returns whether it got there; if not, the log does not continue from here, and has to be loaded again
   * @throws EpochcastError ENGINE_UNAVAILABLE
   */
  async readOn(onEvents: () => void): Promise<boolean> {
    for (;;) {
      const result = await this.#log.read(this.#key, this.#top, PAGE_ENTRIES)
      if (result.kind === 'missing') await recreateLog(this.#log, this.#key, this.view.state)
      if (result.kind === 'ahead')
        await this.#log.startGeneration(this.#key, this.#top.generation, result.top.offset)
      if (result.kind !== 'entries') return false
      if (result.entries.length === 0) {
        if (result.revision !== this.#revision) await this.#readEdit()
        return true
      }
      this.#append(result.entries)
      onEvents()
      // An engine in this process never waits for the network, so a long log would block everything else.
      await eventLoopTurn()
    }
  }

  /** The announcement of an edit was lost; the state has it. */
  async #readEdit(): Promise<void> {
    const snapshot = await this.#log.snapshot(this.#key)
    if (snapshot?.top.generation === this.#top.generation)
      this.#edit(snapshot.revision, editIn(snapshot.state))
  }

  #edit(revision: number, edit: TaskEdit): void {
    this.#revision = revision
    this.#state?.edit(edit)
  }

  #append(entries: readonly LogEntry[]): void {
    const events = this.#delivered(entries)
    this.#state?.add(events)
    this.#ring.push(events)
    this.#top = { ...this.#top, offset: entries.at(-1)?.offset ?? this.#top.offset }
  }

  #delivered(entries: readonly LogEntry[]): DeliveredEvent[] {
    return delivered(this.#key, this.#top.generation, entries)
  }
}
