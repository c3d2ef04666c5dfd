import type { Holding, Ledger } from '../ledger.ts'
import { StoredTask } from './tasks.ts'

/** What a write would add. */
export interface Growth {
  readonly owner: string | null
  /** Null where the task is about to be created. */
  readonly task: StoredTask | null
  /** Bytes by which all will grow. */
  readonly growth: number
  /** Bytes by which what unfinished tasks hold will grow; null where none of them does. */
  readonly heldGrowth: number | null
  /** Lines of a task's output, for which no events go. */
  readonly isOutput?: boolean
}

export interface RoomSource {
  drop(task: StoredTask): Promise<void>
  /** Bytes that `trim` could free of a log; it looks no further than these. */
  spare(task: StoredTask, bytes: number): number
  /** Trims up to so many bytes, and returns how many. */
  trim(task: StoredTask, bytes: number): Promise<number>
}

/** Of a write that is under way. */
export interface Reservation {
  release(): void
}

/**
 * Makes room as the memory engine does (`memory-room.ts`), before a write: its owner's running tasks give up old events
 * where they hold more than they may, then finished tasks go. Here that takes transactions of its own, so what a write
 * will add is set aside until it is over.
 */
export class Room {
  readonly #ledger: Ledger<Holding>
  readonly #source: RoomSource
  #making: Promise<unknown> = Promise.resolve()

  constructor(ledger: Ledger<Holding>, source: RoomSource) {
    this.#ledger = ledger
    this.#source = source
  }

  /**
   * No turn of a task may be held: others are dropped and trimmed in theirs.
   *
   * @throws EpochcastError STORE_FULL, ENGINE_UNAVAILABLE
   */
  reserve(growth: Growth): Reservation | Promise<Reservation> {
    if (this.#excess(growth) <= 0 && this.#ledger.missing(growth.growth) <= 0) return this.#setAside(growth)
    // One after the other, so that no two make room for the same.
    const made = this.#making.then(() => this.#make(growth))
    this.#making = made.catch(() => {})
    return made
  }

  #setAside({ owner, growth }: Growth): Reservation {
    const holding = { owner, bytes: Math.max(0, growth) }
    this.#ledger.add(holding)
    return { release: () => this.#ledger.remove(holding) }
  }

  #excess({ owner, task, growth, heldGrowth }: Growth): number {
    return heldGrowth === null ? this.#ledger.shortage(growth, task) : this.#ledger.excess(owner, heldGrowth)
  }

  /** Others write meanwhile, so it looks again after each step; each frees something, or is the last. */
  async #make(wanted: Growth): Promise<Reservation> {
    const { task, growth, heldGrowth } = wanted
    const isEnd = heldGrowth === null && !wanted.isOutput && task !== null && !this.#ledger.finished.has(task)
    for (;;) {
      const excess = this.#excess(wanted)
      // An end passes the bound where nothing else is left to go: then its task is.
      if (excess > 0 && !(await this.#giveUp(wanted, excess))) {
        if (isEnd) return this.#setAside(wanted)
        throw this.#refusal(wanted)
      }
      if (excess > 0) continue
      if (this.#ledger.missing(growth) <= 0) return this.#setAside(wanted)
      const first = this.#ledger.firstToDrop(task)
      if (!(first instanceof StoredTask)) throw this.#refusal(wanted)
      await this.#source.drop(first)
    }
  }

  /** @returns whether some was given up; nothing is where all that could be is not enough */
  async #giveUp(wanted: Growth, excess: number): Promise<boolean> {
    const { task, growth } = wanted
    const some = this.#trimmable(wanted)
    let spare = 0
    for (const one of some) if (spare < excess) spare += this.#source.spare(one, excess - spare)
    if (spare < excess || this.#ledger.shortage(growth - excess, task) > 0) return false
    let left = excess
    for (const one of some) if (left > 0) left -= await this.#source.trim(one, left)
    return left < excess
  }

  /** Whose events may go, largest log first. */
  #trimmable({ owner, task, heldGrowth, isOutput }: Growth): StoredTask[] {
    if (isOutput) return []
    if (heldGrowth === null) return task && !this.#ledger.finished.has(task) ? [task] : []
    const some: Set<Holding> = this.#ledger.someOf(owner)
    if (task) some.add(task)
    return [...some].filter((one) => one instanceof StoredTask).sort((a, b) => b.bytes - a.bytes)
  }

  #refusal({ owner, growth }: Growth): Error {
    return this.#ledger.refusal(owner, growth)
  }
}
